"""Federation 1 subgraphs, brought to the meaning of federation 2.

What differs is mostly read differently where it matters (`facts`): every field is shareable, keys of extensions are not external.
So are field sets that are lists or bare names (`reading`). Left to do here is to take away what federation 1 tolerated and federation 2
refuses: `@external`, `@key` and the like on interfaces, `@provides` of what has no fields, `@tag` beside `@external`, external fields
that nothing uses, and external fields that no other subgraph has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graph.composition.facts import Facts, facts_of
from graph.composition.field_set_problems import COMPOSITE
from graph.composition.subgraph import Coordinate, Field, Kind, Subgraph, Type
from graph.composition.type_ref import named

_NOT_ON_INTERFACES = frozenset({"key", "external", "provides", "requires", "shareable"})


def upgrade(subgraphs: Iterable[Subgraph]) -> list[Subgraph]:
    """Subgraphs of federation 2 come back unchanged."""
    cleaned = [s if s.is_federation_two else _without_idle_directives(s) for s in subgraphs]
    return [s if s.is_federation_two else _without_idle_externals(s, cleaned) for s in cleaned]


def _without_idle_directives(subgraph: Subgraph) -> Subgraph:
    return replace(subgraph, types={name: _stripped(subgraph, found) for name, found in subgraph.types.items()})


def _stripped(subgraph: Subgraph, owner: Type) -> Type:
    if owner.kind is Kind.INTERFACE:
        fields = {name: _without(field, _NOT_ON_INTERFACES) for name, field in owner.fields.items()}
        return replace(owner, fields=fields, directives=tuple(a for a in owner.directives if a.name not in _NOT_ON_INTERFACES))
    return replace(owner, fields={name: _without(field, _idle(subgraph, field)) for name, field in owner.fields.items()})


def _idle(subgraph: Subgraph, field: Field) -> frozenset[str]:
    target = subgraph.types.get(named(field.type))
    says_nothing = {"tag"} if field.has("external") else set()
    return frozenset(says_nothing if target is not None and target.kind in COMPOSITE else says_nothing | {"provides"})


def _without(field: Field, directives: frozenset[str]) -> Field:
    if not any(applied.name in directives for applied in field.directives):
        return field
    return replace(field, directives=tuple(applied for applied in field.directives if applied.name not in directives))


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
            field = _without(field, frozenset({"external"}))
        kept[name] = field
    return kept
