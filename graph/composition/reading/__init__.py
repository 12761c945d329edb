"""From the text of a subgraph to a `Subgraph`: parse, find out what the names mean, check that it is GraphQL, build."""

from graphql import GraphQLSyntaxError, parse

from graph.composition.findings import Findings
from graph.composition.links import read_links
from graph.composition.reading.document import build_subgraph
from graph.composition.reading.validity import check_graphql
from graph.composition.result import CompositionError, Location, SubgraphSDL
from graph.composition.rules.disallowed_inaccessible import check_disallowed_inaccessible
from graph.composition.rules.federation_definitions import check_definitions
from graph.composition.rules.linked_specs import check_linked_specs
from graph.composition.rules.root_types import check_root_types
from graph.composition.subgraph import Subgraph

MAX_TOKENS = 2_000_000


def read_subgraph(source: SubgraphSDL, graph: str, findings: Findings) -> Subgraph | None:
    """Reads one subgraph; `graph` is its name in `join__Graph`. None where `findings` got errors."""
    try:
        document = parse(source.sdl, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        where = tuple(Location(source.name, at.line, at.column) for at in error.locations or ())
        findings.errors.append(CompositionError("INVALID_GRAPHQL", f"[{source.name}] {error.message}", (source.name,), where))
        return None
    before = len(findings.errors)
    names = read_links(document, source.name, findings)
    if len(findings.errors) > before:
        return None
    check_linked_specs(names, source.name, findings)
    check_disallowed_inaccessible(document, names, source.name, findings)
    check_root_types(document, source.name, findings)
    check_definitions(document, names, source.name, findings)
    if len(findings.errors) > before:
        return None
    check_graphql(document, names, source.name, findings)
    if len(findings.errors) > before:
        return None
    return build_subgraph(source, graph, document, names)
