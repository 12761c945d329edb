"""Everything merged: types, directive definitions, links."""

from graph.composition.gathered import Gathered
from graph.composition.header import feature_links
from graph.composition.merge.applied import merge_schema_applied
from graph.composition.merge.definitions import composed_definitions, composed_links, executable_definitions
from graph.composition.merge.descriptions import merge_descriptions
from graph.composition.merge.types import merge_types
from graph.composition.merged import Graph, Merged


def merge_supergraph(gathered: Gathered) -> Merged:
    types = merge_types(gathered)
    schema_uses = tuple(merge_schema_applied(gathered))
    return Merged(
        graphs=tuple(Graph(member.subgraph.graph, member.name, member.subgraph.url or "") for member in gathered.members),
        types=types,
        definitions=(*executable_definitions(gathered), *composed_definitions(gathered)),
        links=(*feature_links(types.values(), schema_uses), *composed_links(gathered)),
        schema_uses=schema_uses,
        description=merge_descriptions(member.subgraph.schema_description for member in gathered.members),
    )
