"""Takes out of an operation what its caller may not see, before anything is planned: what is not asked for is not fetched.

The client's own operation stays what the answer follows; the executor tells an error wherever it finds a gap that is made here. A selection
on an interface is asked for type by type where objects of some types may not answer it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graph.planner.normalize.operation import Field, Fragment, Operation, Selection
from graph.query_graph.search import TYPENAME
from graph.supergraph.demands import Denied, Granted, words
from graph.supergraph.model import Supergraph, TypeInfo


def permitted(operation: Operation, supergraph: Supergraph, denied: Denied) -> Operation:
    """The operation without what is denied; the same one where nothing of it is."""
    kept = _Narrowing(supergraph.types, denied).selections(operation.selections, supergraph.root_types[operation.kind])
    return operation if kept == operation.selections else replace(operation, selections=kept)


def deciding(operation: Operation, supergraph: Supergraph) -> Granted:
    """What a caller may have been granted that makes a difference to the operation."""
    found: set[str] = set()
    demands = supergraph.demands
    if not demands.words:
        return frozenset()
    pending = [(operation.selections, supergraph.root_types[operation.kind])]
    seen: set[tuple[str, str]] = set()
    while pending:
        selections, on = pending.pop()
        for selection in selections:
            if isinstance(selection, Fragment):
                pending.append((selection.selections, selection.type_condition))
                continue
            if on not in supergraph.types:
                continue
            type_name = _type_of(supergraph.types[on], selection, supergraph.types)
            if (on, selection.name) not in seen:
                seen.add((on, selection.name))
                for possible in supergraph.types[on].possible_types:
                    found |= words(demands.fields.get((possible, selection.name), frozenset()))
                below = supergraph.types.get(type_name or "")
                for possible in below.possible_types if below else ():
                    found |= words(demands.types.get(possible, frozenset()))
            if selection.selections and type_name is not None:
                pending.append((selection.selections, type_name))
    return frozenset(found)


def _type_of(info: TypeInfo, selected: Field, types: Mapping[str, TypeInfo]) -> str | None:
    """The type that a field answers with; an interface object's field may be known to the implementations alone."""
    if known := info.fields.get(selected.name):
        return known.type_name
    implementations = (types[name] for name in sorted(info.possible_types))
    return next((known.type_name for one in implementations if (known := one.fields.get(selected.name))), None)


class _Narrowing:
    def __init__(self, types: Mapping[str, TypeInfo], denied: Denied) -> None:
        self._types, self._denied = types, denied

    def selections(self, selections: Sequence[Selection], on: str) -> tuple[Selection, ...]:
        """What is left of a selection set, and the run-time type where the answer depends on it."""
        info = self._types.get(on)
        if info is None:
            return tuple(selections)
        kept: list[Selection] = []
        by_type: dict[str, list[Selection]] = {}
        for selection in selections:
            if isinstance(selection, Fragment):
                self._fragment(selection, kept, by_type)
            else:
                self._field(selection, info, kept, by_type)
        if info.is_abstract and self._depends_on_type(selections, info):
            kept.append(TYPENAME)
        return (*kept, *(Fragment(name, tuple(fields)) for name, fields in by_type.items()))

    def _fragment(self, fragment: Fragment, kept: list[Selection], by_type: dict[str, list[Selection]]) -> None:
        if fragment.type_condition in self._denied.types:
            return
        inner = self.selections(fragment.selections, fragment.type_condition)
        fields = tuple(one for one in inner if isinstance(one, Field))
        if fields:
            kept.append(Fragment(fragment.type_condition, fields))
        for one in inner:
            if isinstance(one, Fragment):
                by_type.setdefault(one.type_condition, []).extend(one.selections)

    def _field(self, field: Field, info: TypeInfo, kept: list[Selection], by_type: dict[str, list[Selection]]) -> None:
        if field.name == TYPENAME.name:
            kept.append(field)
            return
        allowed = sorted(name for name in info.possible_types if self._allowed(name, field.name))
        if not allowed and info.possible_types:
            return
        type_name = _type_of(info, field, self._types)
        if type_name is not None and field.selections:
            inner = self.selections(field.selections, type_name)
            field = field if inner == field.selections else replace(field, selections=inner)
        if len(allowed) == len(info.possible_types):
            kept.append(field)
        else:
            for name in allowed:
                by_type.setdefault(name, []).append(field)

    def _allowed(self, type_name: str, field_name: str) -> bool:
        return type_name not in self._denied.types and (type_name, field_name) not in self._denied.fields

    def _depends_on_type(self, selections: Sequence[Selection], info: TypeInfo) -> bool:
        if not info.possible_types.isdisjoint(self._denied.types):
            return True
        names = {one.name for selection in selections for one in _fields_of(selection)}
        return any((name, field) in self._denied.fields for name in info.possible_types for field in names)


def _fields_of(selection: Selection) -> Sequence[Field]:
    if isinstance(selection, Field):
        return (selection,)
    return [one for inner in selection.selections for one in _fields_of(inner)]
