"""The quick checks of leaf values, as expressions for the generated code, and what each type accepts besides.

Results are checked, not coerced: a subgraph that sends `"12"` for an Int is wrong, even where a GraphQL server would have turned it
into 12 before sending. Accepted are the forms that JSON cannot tell apart: `3.0` as an Int, `3` as a Float, and integers as IDs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLScalarType

from graph.executor.projection.completion import WRONG, Hidden

MIN_INT: Final = -(2**31)
MAX_INT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LeafCheck:
    """`right` is an expression over `{v}` (a name) and `{c}` (the constant); None: every value is right.

    `types`: a list whose items are all of these Python types needs no check item by item.
    """

    expected: str
    right: str | None
    constant: object = None
    convert: Callable[[Any], Any] = lambda _value: WRONG
    types: frozenset[type] | None = None


def _int(value: Any) -> Any:
    if type(value) is float and value.is_integer() and MIN_INT <= value <= MAX_INT:
        return int(value)
    return WRONG


def _float(value: Any) -> Any:
    return value if type(value) is int else WRONG


def _id(value: Any) -> Any:
    return str(value) if type(value) is int else WRONG


def _any(value: Any) -> Any:
    return value


_BUILT_IN: Final = {
    "String": LeafCheck("a String", "type({v}) is str", types=frozenset({str})),
    "ID": LeafCheck("an ID", "type({v}) is str", convert=_id, types=frozenset({str})),
    "Int": LeafCheck("an Int", f"type({{v}}) is int and {MIN_INT} <= {{v}} <= {MAX_INT}", convert=_int),
    "Float": LeafCheck("a Float", "type({v}) is float", convert=_float, types=frozenset({float, int})),
    "Boolean": LeafCheck("a Boolean", "type({v}) is bool", types=frozenset({bool})),
}


def leaf_check(named: GraphQLScalarType | GraphQLEnumType, hidden: Hidden) -> LeafCheck:
    """The check of a type of the API schema. Custom scalars take every value: their meaning is the subgraphs'."""
    if isinstance(named, GraphQLEnumType):
        return _enum(named, hidden.values.get(named.name, frozenset()))
    return _BUILT_IN.get(named.name) or LeafCheck(named.name, None, convert=_any)


def _enum(named: GraphQLEnumType, hidden: frozenset[str]) -> LeafCheck:
    def convert(value: Any) -> Any:
        return None if isinstance(value, str) and value in hidden else WRONG

    return LeafCheck(f"a value of the enum {named.name}", "type({v}) is str and {v} in {c}", frozenset(named.values), convert)
