"""Every element of the supergraph with its definitions in the subgraphs."""

from collections.abc import Iterator, Sequence

from graph.composition.gathered import FieldSource, Gathered, Member
from graph.composition.subgraph import Element

Sources = Sequence[tuple[Member, Element]]


def elements(gathered: Gathered) -> Iterator[tuple[str, Sources]]:
    """By schema coordinate: types, fields, arguments, input fields, enum values. What is only declared external is left out."""
    for type_name, sources in gathered.types.items():
        yield type_name, [(source.member, source.type) for source in sources]
        for field_name in gathered.field_names(type_name):
            resolving = [source for source in gathered.field_sources(type_name, field_name) if not source.is_external]
            yield f"{type_name}.{field_name}", [(source.member, source.field) for source in resolving]
            yield from _arguments(gathered, f"{type_name}.{field_name}", resolving)
        for name in dict.fromkeys(name for source in sources for name in source.type.inputs):
            yield f"{type_name}.{name}", [(source.member, source.value) for source in gathered.input_sources(type_name, name)]
        for name in dict.fromkeys(name for source in sources for name in source.type.values):
            yield f"{type_name}.{name}", [(s.member, s.type.values[name]) for s in sources if name in s.type.values]


def _arguments(gathered: Gathered, coordinate: str, sources: Sequence[FieldSource]) -> Iterator[tuple[str, Sources]]:
    for name in dict.fromkeys(name for source in sources for name in source.field.arguments):
        yield f"{coordinate}({name}:)", [(source.member, source.value) for source in gathered.argument_sources(sources, name)]
