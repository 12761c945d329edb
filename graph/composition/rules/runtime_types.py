"""A shared field must be able to have the same answer everywhere: its possible types must have one in common."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.rules.field_sharing import answering
from graph.composition.subgraph import Kind
from graph.composition.type_ref import named


def check_runtime_types(gathered: Gathered, findings: Findings) -> None:
    """SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES; a hint where the types differ but overlap."""
    for type_name in gathered.of_kind(Kind.OBJECT):
        for field_name in gathered.field_names(type_name):
            sources = answering(gathered, type_name, field_name)
            possible = {s.member.name: s.member.subgraph.runtime_types(named(s.field.type)) for s in sources}
            if len(possible) < 2 or len(set(possible.values())) == 1:
                continue
            described = "; ".join(f"{', '.join(sorted(types)) or 'none'} in {name}" for name, types in possible.items())
            places = [source.place for source in sources]
            if frozenset.intersection(*possible.values()):
                findings.hint(
                    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
                    f'"{type_name}.{field_name}" is shared, and its possible types differ: {described}.',
                    places,
                )
            else:
                findings.error(
                    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
                    f'"{type_name}.{field_name}" is shared, but no type of its value is possible in all subgraphs: {described}.',
                    places,
                )
