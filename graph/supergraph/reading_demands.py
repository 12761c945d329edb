"""Reads what a supergraph asks of callers, and brings it to where it is checked: object types and their fields.

Composition gives an interface what all of its implementations ask together, so that a gateway that knows no better is safe. Here each
object is held to its own type's demand, and only what an interface asks beyond that (older composition let people write it there) goes to
its implementations. A field asks for whatever its `@requires` or contexts would show, should composition not have seen to that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
)

from graph.supergraph.api_schema import feature_names
from graph.supergraph.demands import (
    AUTHENTICATED,
    NO_DEMAND,
    Alternatives,
    Demand,
    Demands,
    joined,
    minimal,
    policy,
    scope,
    words,
)
from graph.supergraph.field_sets import FieldSet, SelectedField
from graph.supergraph.model import TypeInfo, TypeKind

Definition = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | ScalarTypeDefinitionNode | EnumTypeDefinitionNode
MAX_ALTERNATIVES = 1_000


def read_demands(document: DocumentNode, types: Mapping[str, TypeInfo], roots: Iterable[str]) -> Demands:
    names = feature_names(document)
    directives = {names.get(own, own): own for own in ("authenticated", "requiresScopes", "policy")}
    written = _Written()
    for node in document.definitions:
        if isinstance(node, Definition):
            name = node.name.value
            written.put((name, ""), _demand(node, directives))
            if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
                for one in node.fields or ():
                    written.put((name, one.name.value), _demand(one, directives))
    if not written.demands:
        return Demands()
    _pass_on(written, types)
    return _Gatherer(written, types, frozenset(roots)).gather()


@dataclass(slots=True)
class _Written:
    """Demands by type and field name, the field's empty for the type itself."""

    demands: dict[tuple[str, str], Demand] = field(default_factory=dict)

    def put(self, at: tuple[str, str], demand: Demand) -> None:
        if demand:
            self.demands[at] = self.demands.get(at, NO_DEMAND) | demand

    def of(self, type_name: str, field_name: str = "") -> Demand:
        return self.demands.get((type_name, field_name), NO_DEMAND)


def _demand(node: Any, directives: Mapping[str, str]) -> Demand:
    found: set[Alternatives] = set()
    for directive in node.directives or ():
        match directives.get(directive.name.value):
            case "authenticated":
                found.add(frozenset({frozenset({AUTHENTICATED})}))
            case "requiresScopes":
                found.add(_alternatives(directive, "scopes", scope))
            case "policy":
                found.add(_alternatives(directive, "policies", policy))
    return frozenset(found)


def _alternatives(directive: Any, argument: str, word: Any) -> Alternatives:
    """What cannot be read leaves no alternative: nobody meets it."""
    value = next((one.value for one in directive.arguments or () if one.name.value == argument), None)
    outer = value.values if isinstance(value, ListValueNode) else ()
    return minimal(
        frozenset(word(name.value) for name in inner.values if isinstance(name, StringValueNode))
        for inner in outer
        if isinstance(inner, ListValueNode)
    )


def _pass_on(written: _Written, types: Mapping[str, TypeInfo]) -> None:
    """Gives implementations what an interface asks beyond them."""
    for info in types.values():
        if info.kind is not TypeKind.INTERFACE:
            continue
        for field_name in ("", *info.fields):
            asked = written.of(info.name, field_name)
            if asked and not _is_their_sum(asked, [written.of(name, field_name) for name in info.possible_types]):
                for name in info.possible_types:
                    written.put((name, field_name), asked)


def _is_their_sum(asked: Demand, theirs: Iterable[Demand]) -> bool:
    return joined(asked, MAX_ALTERNATIVES) == joined(frozenset().union(*theirs), MAX_ALTERNATIVES) is not None


class _Gatherer:
    """Adds up what a field asks for."""

    def __init__(self, written: _Written, types: Mapping[str, TypeInfo], roots: frozenset[str]) -> None:
        self._written, self._types, self._roots = written, types, roots
        self._active: set[tuple[str, str]] = set()

    def gather(self) -> Demands:
        objects = {name: info for name, info in self._types.items() if info.kind is TypeKind.OBJECT}
        of_types = {name: demand for name in objects if (demand := self._written.of(name))}
        of_fields = {(name, one): demand for name, info in objects.items() for one in info.fields if (demand := self._field(info, one))}
        behind = {
            (name, one.name): self._types[one.type_name].possible_types
            for name, info in objects.items()
            for one in info.fields.values()
            if self._is_abstract(one.type_name) and of_types.keys() >= self._types[one.type_name].possible_types
        }
        mentioned = frozenset(word for demand in (*of_types.values(), *of_fields.values()) for word in words(demand))
        return Demands(of_types, of_fields, behind, mentioned)

    def _is_abstract(self, name: str) -> bool:
        return name in self._types and self._types[name].is_abstract and bool(self._types[name].possible_types)

    def _field(self, info: TypeInfo, name: str) -> Demand:
        demand = self._shown(info, name)
        known = info.fields.get(name)
        if known is not None and not self._is_abstract(known.type_name):
            demand |= self._written.of(known.type_name)
        return demand | self._written.of(info.name) if info.name in self._roots else demand

    def _shown(self, info: TypeInfo, name: str) -> Demand:
        """What a field itself asks, and what its inputs do."""
        at = (info.name, name)
        if at in self._active:
            return NO_DEMAND
        self._active.add(at)
        demand = self._written.of(*at)
        for required, on in self._inputs(info, name):
            demand |= self._selection(required, on)
        self._active.discard(at)
        return demand

    def _inputs(self, info: TypeInfo, name: str) -> Iterator[tuple[FieldSet, TypeInfo]]:
        """Every field set whose values go into a field, with the object type that it is selected on."""
        interfaces = [self._types[one] for one in sorted(info.interfaces) if one in self._types]
        for owner in (info, *interfaces):
            known = owner.fields.get(name)
            for graph, source in known.sources.items() if known else ():
                local = owner.subgraphs.get(graph)
                if owner is info or (local is not None and local.is_interface_object):
                    if source.requires:
                        yield source.requires, info
                    for argument in source.contexts:
                        for setter in self._types.values():
                            if argument.context in setter.contexts:
                                yield from ((argument.selections, self._types[one]) for one in sorted(setter.possible_types))

    def _selection(self, selections: FieldSet, on: TypeInfo) -> Demand:
        """`on` is an object type; of an interface below it, every implementation counts."""
        demand = NO_DEMAND
        for one in selections:
            if not isinstance(one, SelectedField):
                narrowed = self._types.get(one.type_condition)
                if narrowed is not None and on.name in narrowed.possible_types:
                    demand |= self._selection(one.selections, on)
                continue
            demand |= self._shown(on, one.name)
            known = on.fields.get(one.name)
            if known is None:
                continue
            demand |= self._written.of(known.type_name) if not self._is_abstract(known.type_name) else NO_DEMAND
            if below := self._types.get(known.type_name):
                for name in sorted(below.possible_types):
                    demand |= self._written.of(name) | self._selection(one.selections, self._types[name])
        return demand
