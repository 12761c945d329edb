"""Types of each kind: what of them is in the supergraph when several subgraphs define them."""

from graph.composition.gathered import Gathered
from graph.composition.merge.applied import merge_applied
from graph.composition.merge.authorisation import inherited_by_type
from graph.composition.merge.descriptions import merge_descriptions
from graph.composition.merge.fields import merge_fields, merge_input
from graph.composition.merge.join import join_enum_values, join_implements, join_members, join_types
from graph.composition.merged import MergedElement, MergedInput, MergedType
from graph.composition.subgraph import Kind
from graph.composition.usage import Usage, usage_of_enums


def merge_types(gathered: Gathered) -> dict[str, MergedType]:
    usages = usage_of_enums(gathered)
    return {name: merge_type(gathered, name, usages.get(name, Usage.NONE)) for name in gathered.types}


def merge_type(gathered: Gathered, name: str, usage: Usage) -> MergedType:
    sources = gathered.types[name]
    kind = gathered.kind(name)
    interfaces = dict.fromkeys(interface for source in sources for interface in source.type.interfaces)
    members = dict.fromkeys(member for source in sources for member in source.type.members)
    return MergedType(
        name=name,
        description=merge_descriptions(source.type.description for source in sources),
        uses=(
            *join_types(gathered, name),
            *join_implements(sources),
            *join_members(sources),
            *merge_applied(gathered, [(source.member, source.type) for source in sources], inherited_by_type(gathered, name)),
        ),
        kind=kind,
        interfaces=tuple(interfaces),
        fields=merge_fields(gathered, name) if kind in (Kind.OBJECT, Kind.INTERFACE) else {},
        inputs=_merge_inputs(gathered, name) if kind is Kind.INPUT else {},
        values=_merge_values(gathered, name, usage) if kind is Kind.ENUM else {},
        members=tuple(members),
    )


def _merge_inputs(gathered: Gathered, name: str) -> dict[str, MergedInput]:
    """The intersection: a client may only say what every subgraph understands."""
    sources = gathered.types[name]
    merged: dict[str, MergedInput] = {}
    for field_name in dict.fromkeys(field for source in sources for field in source.type.inputs):
        found = gathered.input_sources(name, field_name)
        if len(found) == len(sources):
            merged[field_name] = merge_input(gathered, field_name, found, of_object=True)
    return merged


def merged_enum_values(gathered: Gathered, name: str, usage: Usage) -> list[str]:
    """Values that all know where the enum is input only, else what any may answer."""
    sources = gathered.types[name]
    values = list(dict.fromkeys(value for source in sources for value in source.type.values))
    if usage is not Usage.INPUT:
        return values
    return [value for value in values if all(value in source.type.values for source in sources)]


def _merge_values(gathered: Gathered, name: str, usage: Usage) -> dict[str, MergedElement]:
    sources = gathered.types[name]
    merged: dict[str, MergedElement] = {}
    for value in merged_enum_values(gathered, name, usage):
        found = [(source.member, source.type.values[value]) for source in sources if value in source.type.values]
        merged[value] = MergedElement(
            name=value,
            description=merge_descriptions(element.description for _, element in found),
            uses=(*join_enum_values(sources, value), *merge_applied(gathered, found)),
        )
    return merged
