"""Field sets of federation directives over plain records: what `@key`, `@requires` and `@provides` say about a dictionary.

Selections are graphql-core's nodes. `Belongs` answers whether a run-time type is, implements or is a member of the named type in the
subgraph at hand: only the subgraph's schema knows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, parse

Record = Mapping[str, Any]
Belongs = Callable[[str, str], bool]


def parse_field_set(fields: str) -> SelectionSetNode:
    """The selections of a federation `FieldSet`, which is written without its outer braces."""
    definition = parse("{" + fields + "}", no_location=True).definitions[0]
    selections: SelectionSetNode = definition.selection_set  # type: ignore[attr-defined]
    return selections


def fields_of(selections: SelectionSetNode, typename: str | None, belongs: Belongs) -> Iterator[FieldNode]:
    """The fields that the selections ask of an object of that type; without a type only the unconditional ones."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            if condition is None or (typename is not None and belongs(typename, condition.name.value)):
                yield from fields_of(selection.selection_set, typename, belongs)


def missing(selections: SelectionSetNode, value: Record, typename: str | None, belongs: Belongs, path: str = "") -> Iterator[str]:
    """The paths of all that the selections ask for and the representation does not bring; null counts as brought."""
    if typename is None and any(isinstance(s, InlineFragmentNode) for s in selections.selections):
        yield f"{path}__typename"
    for field in fields_of(selections, typename, belongs):
        name = field.name.value
        if name not in value:
            yield f"{path}{name}"
        elif field.selection_set is not None:
            for item in _objects(value[name]):
                yield from missing(field.selection_set, item, item.get("__typename"), belongs, f"{path}{name}.")


def fits(key: SelectionSetNode, value: Record) -> bool:
    """Whether the representation has every field of the key, none of them null. Keys have no fragments."""
    for field in key.selections:
        assert isinstance(field, FieldNode)
        found = value.get(field.name.value)
        if found is None:
            return False
        if field.selection_set is not None and not all(fits(field.selection_set, item) for item in _objects(found)):
            return False
    return True


def agrees(key: SelectionSetNode, one: Record, other: Record) -> bool:
    """Whether two records are the same entity by that key."""
    for field in key.selections:
        assert isinstance(field, FieldNode)
        name = field.name.value
        if name not in one or name not in other:
            return False
        if field.selection_set is None:
            if one[name] != other[name]:
                return False
        elif not agrees(field.selection_set, one[name], other[name]):
            return False
    return True


def _objects(value: object) -> Iterator[Record]:
    """The dictionaries of a value: itself, or those of a list, however deep."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _objects(item)
