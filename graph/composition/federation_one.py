"""Federation 1 subgraphs, brought to the meaning of federation 2.

What differs is mostly read differently where it matters (`facts`): every field is shareable, keys of extensions are not external.
Left to do here is to take away what federation 1 tolerated and federation 2 refuses: `@external`, `@key` and the like on interfaces,
external fields that nothing uses, and external fields that no other subgraph has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graph.composition.facts import Facts, facts_of
from graph.composition.subgraph import Coordinate, Field, Kind, Subgraph, Type

_NOT_ON_INTERFACES = frozenset({"key", "external", "provides", "requires", "shareable"})


def upgrade(subgraphs: Iterable[Subgraph]) -> list[Subgraph]:
    """Subgraphs of federation 2 come back unchanged."""
    cleaned = [s if s.is_federation_two else _without_interface_directives(s) for s in subgraphs]
    return [s if s.is_federation_two else _without_idle_externals(s, cleaned) for s in cleaned]


def _without_interface_directives(subgraph: Subgraph) -> Subgraph:
    types = {name: _stripped(found) if found.kind is Kind.INTERFACE else found for name, found in subgraph.types.items()}
    return replace(subgraph, types=types)


def _stripped(interface: Type) -> Type:
    fields = {
        name: replace(field, directives=tuple(a for a in field.directives if a.name not in _NOT_ON_INTERFACES))
        for name, field in interface.fields.items()
    }
    kept = tuple(a for a in interface.directives if a.name not in _NOT_ON_INTERFACES)
    return replace(interface, fields=fields, directives=kept)


def _without_idle_externals(subgraph: Subgraph, everyone: Iterable[Subgraph]) -> Subgraph:
    facts = facts_of(subgraph)
    elsewhere = {
        Coordinate(found.name, field)
        for other in everyone
        if other is not subgraph
        for found in other.types.values()
        for field in found.fields
    }
    types: dict[str, Type] = {}
    for name, found in subgraph.types.items():
        fields = _kept_fields(found, facts, elsewhere)
        if fields or not found.fields:
            types[name] = replace(found, fields=fields)
    return replace(subgraph, types=types)


def _kept_fields(owner: Type, facts: Facts, elsewhere: set[Coordinate]) -> Mapping[str, Field]:
    kept: dict[str, Field] = {}
    for name, field in owner.fields.items():
        coordinate = Coordinate(owner.name, name)
        if coordinate in facts.external and not facts.used(coordinate):
            continue
        if coordinate in facts.external and coordinate not in elsewhere:
            field = replace(field, directives=tuple(a for a in field.directives if a.name != "external"))
        kept[name] = field
    return kept
