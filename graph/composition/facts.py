"""What a subgraph's directives say about each of its fields: external, key, provided, required, shareable.

Computed once a subgraph, because merging, sharing, overriding and many rules ask again and again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from graph.composition.field_sets import field_set_of, selected_fields, with_implementations
from graph.composition.subgraph import ROOTS, Applied, Coordinate, Field, Kind, Subgraph, Type
from graph.composition.type_ref import named


@dataclass(frozen=True, slots=True)
class Facts:
    """Sets of fields of one subgraph.

    `external` are those that another subgraph answers; a key field that an extension only declares external in order to name
    the key is none of them. `provided` are external ones that some path answers here nonetheless. `used` fields are needed by a key,
    `@requires`, `@provides`, `@fromContext` or an interface.
    """

    external: frozenset[Coordinate]
    key: frozenset[Coordinate]
    provided: frozenset[Coordinate]
    required: frozenset[Coordinate]
    from_interface: frozenset[Coordinate]
    shareable: frozenset[Coordinate]

    def resolves(self, coordinate: Coordinate) -> bool:
        """Whether the subgraph answers the field, at least on some path."""
        return coordinate not in self.external or coordinate in self.provided

    def used(self, coordinate: Coordinate) -> bool:
        return coordinate in self.key or coordinate in self.provided or coordinate in self.required or coordinate in self.from_interface


_known: WeakKeyDictionary[Subgraph, Facts] = WeakKeyDictionary()


def facts_of(subgraph: Subgraph) -> Facts:
    facts = _known.get(subgraph)
    if facts is None:
        facts = _known[subgraph] = _facts_of(subgraph)
    return facts


def _facts_of(subgraph: Subgraph) -> Facts:
    key = frozenset(_key_fields(subgraph))
    provided = frozenset(_provided_fields(subgraph))
    return Facts(
        external=frozenset(_external_fields(subgraph)),
        key=key,
        provided=provided,
        required=frozenset(_required_fields(subgraph)),
        from_interface=frozenset(_fields_of_interfaces(subgraph)),
        shareable=frozenset(_shareable_fields(subgraph)) | key | provided,
    )


def fields_of(subgraph: Subgraph) -> Iterator[tuple[Type, Field]]:
    for owner in subgraph.types.values():
        for field in owner.fields.values():
            yield owner, field


def _selected(subgraph: Subgraph, type_name: str, applied: Applied) -> Iterator[Coordinate]:
    selection = field_set_of(applied)
    if selection is None:
        return
    for selected in selected_fields(subgraph, type_name, selection):
        yield from with_implementations(subgraph, selected.coordinate)


def _key_fields(subgraph: Subgraph) -> Iterator[Coordinate]:
    for owner in subgraph.types.values():
        for applied in owner.uses("key"):
            yield from _selected(subgraph, owner.name, applied)


def _provided_fields(subgraph: Subgraph) -> Iterator[Coordinate]:
    for _owner, field in fields_of(subgraph):
        for applied in field.uses("provides"):
            yield from _selected(subgraph, named(field.type), applied)


def _required_fields(subgraph: Subgraph) -> Iterator[Coordinate]:
    for owner, field in fields_of(subgraph):
        for applied in field.uses("requires"):
            yield from _selected(subgraph, owner.name, applied)


def _fields_of_interfaces(subgraph: Subgraph) -> Iterator[Coordinate]:
    for owner, field in fields_of(subgraph):
        if owner.kind is Kind.INTERFACE:
            yield from with_implementations(subgraph, Coordinate(owner.name, field.name))


def _external_fields(subgraph: Subgraph) -> Iterator[Coordinate]:
    """Declared external on the field, or on the part of the type where the field stands."""
    for owner, field in fields_of(subgraph):
        # In federation 1 it said nothing on a type.
        on_type = subgraph.is_federation_two and any(applied.part == field.part for applied in owner.uses("external"))
        if not field.has("external") and not on_type:
            continue
        coordinate = Coordinate(owner.name, field.name)
        if coordinate not in _keys_of_extension(subgraph, owner):
            yield coordinate


def _keys_of_extension(subgraph: Subgraph, owner: Type) -> frozenset[Coordinate]:
    """Federation 1 had key fields of extensions declared external although the extension has them: that is a formality."""
    extends = owner.has("extends")
    return frozenset(
        coordinate
        for applied in owner.uses("key")
        if applied.on_extension or extends
        for coordinate in _selected(subgraph, owner.name, applied)
    )


def _shareable_fields(subgraph: Subgraph) -> Iterator[Coordinate]:
    for owner, field in fields_of(subgraph):
        # Federation 1 knew no @shareable, and let subgraphs share whatever they liked, save subscriptions.
        anything = not subgraph.is_federation_two and owner.name != ROOTS[2]
        on_type = any(applied.part == field.part for applied in owner.uses("shareable"))
        if anything or on_type or field.has("shareable"):
            yield Coordinate(owner.name, field.name)
