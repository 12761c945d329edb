"""Coercion of variables (GraphQL specification §6.1.2) by code that is generated once for each input type.

It is for values that are valid: at the first doubt it gives up, and graphql-core, a dozen times slower, decides and finds the words.
Columns of numbers and strings are looked at as a whole. Values are what JSON has; any other type of Python's is a doubt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLNullableInputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    is_input_type,
    is_required_input_field,
    type_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from graph.executor.source import Source

MAX_DEPTH: Final = 200
"""Where graphql-core finds values nested too deeply."""
MIN_INT: Final = -(2**31)
MAX_INT: Final = 2**31 - 1

_RIGHT: Final = {
    GraphQLString: "type(v) is str",
    GraphQLID: "type(v) is str",
    GraphQLBoolean: "type(v) is bool",
    GraphQLInt: f"type(v) is int and {MIN_INT} <= v <= {MAX_INT}",
    GraphQLFloat: "type(v) is float and v - v == 0.0",
}
"""When a value is what it would be coerced to. The last is false for NaN and the infinities."""
_RIGHT_COLUMN: Final = {
    GraphQLString: "set(map(type, v)) <= {str}",
    GraphQLID: "set(map(type, v)) <= {str}",
    GraphQLBoolean: "set(map(type, v)) <= {bool}",
    GraphQLInt: f"set(map(type, v)) <= {{int}} and (not v or {MIN_INT} <= min(v) and max(v) <= {MAX_INT})",
}


LARGE: Final = 500
"""Values that are coerced in a millisecond, and where one is wrong in five."""


class _DoubtError(Exception):
    """The value may not be valid."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """`default` is coerced already, `Undefined` without one."""

    name: str
    coerce: Callable[[Any], Any]
    default: Any
    nullable: bool


@dataclass(frozen=True, slots=True)
class Coercion:
    """Of one operation's variables; None where its declarations themselves are in doubt."""

    variables: tuple[_Variable, ...] | None

    def __call__(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """What graphql-core's `get_variable_values` would make of valid values; None where they may not be valid.

        Lists of leaf values, and what custom scalars take as it is, are the given ones, not copies.
        """
        if self.variables is None:
            return None
        coerced: dict[str, Any] = {}
        try:
            for one in self.variables:
                value = given.get(one.name, Undefined)
                if value is not Undefined:
                    coerced[one.name] = one.coerce(value)
                elif one.default is not Undefined:
                    coerced[one.name] = one.default
                elif not one.nullable:
                    return None
        except Exception:  # a custom scalar's own function may raise anything, which graphql-core takes for an invalid value
            return None
        return coerced


class Coercions:
    """Of one schema's operations. Not for several threads at a time."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._code = _Code()

    def of(self, definitions: Sequence[VariableDefinitionNode]) -> Coercion:
        found = [self._variable(one) for one in definitions]
        known = tuple(one for one in found if one is not None)
        return Coercion(known if len(known) == len(found) else None)

    def _variable(self, definition: VariableDefinitionNode) -> _Variable | None:
        of_type = type_from_ast(self._schema, definition.type)
        if of_type is None or not is_input_type(of_type):
            return None
        default: Any = Undefined
        if definition.default_value is not None:
            default = coerce_input_literal(definition.default_value, of_type)
            if default is Undefined:
                return None
        return _Variable(definition.variable.name.value, self._code.function(of_type), default, not isinstance(of_type, GraphQLNonNull))


def is_large(values: Mapping[str, Any]) -> bool:
    """Whether there are more than `LARGE` values; as soon as that is known, no more are looked at."""
    left = LARGE
    unseen: list[Any] = [values]
    while unseen:
        part = unseen.pop()
        left -= len(part)
        if left < 0:
            return True
        unseen += [item for item in (part if type(part) is list else part.values()) if type(item) is dict or type(item) is list]
    return False


class _Code:
    """Writes the functions. Those of lists and input objects are shared, and call each other: types may be recursive."""

    def __init__(self) -> None:
        names: dict[str, Any] = {"Undefined": Undefined, "DoubtError": _DoubtError, "floats": _floats, "singles": _SINGLES}
        self._source = Source(names)
        self._written: dict[str, str] = {}
        self._unwritten: list[tuple[str, GraphQLInputType]] = []

    def function(self, of_type: GraphQLInputType) -> Callable[[Any], Any]:
        """From a value of the type to its coerced one; raises where it is in doubt."""
        name = f"variable_{len(self._source.names)}"
        with self._source.block(f"def {name}(v)"):
            self._source.line("depth = 0")
            self._value(of_type)
            self._source.line("return v")
        while self._unwritten:
            self._container(*self._unwritten.pop())
        self._source.define()
        return self._source.function(name)

    def _value(self, of_type: GraphQLInputType) -> None:
        """Lines after which `v` is coerced; it may be null, but not `Undefined`."""
        if isinstance(of_type, GraphQLNonNull):
            self._present(of_type.of_type)
        elif _is_as_it_comes(of_type):
            self._source.line("pass")
        else:
            with self._source.block("if v is not None"):
                self._present(of_type)

    def _present(self, of_type: GraphQLNullableInputType) -> None:
        """The same for a value that must not be null."""
        source = self._source
        if isinstance(of_type, GraphQLList | GraphQLInputObjectType):
            source.line(f"v = {self._name(of_type)}(v, depth + 1)")
        elif isinstance(of_type, GraphQLEnumType):
            values = {name: of_type.coerce_input_value(name) for name in of_type.values}
            source.line(f"v = {source.constant(values)}[v]")
        elif _is_as_it_comes(of_type):
            source.line("if v is None: raise DoubtError")
        elif (right := _RIGHT.get(of_type)) is not None:
            source.line(f"if not ({right}): v = {source.constant(of_type.coerce_input_value)}(v)")
        else:
            source.line("if v is None: raise DoubtError")
            source.line(f"v = {source.constant(of_type.coerce_input_value)}(v)")
            source.line("if v is Undefined: raise DoubtError")

    def _name(self, of_type: GraphQLInputType) -> str:
        key = str(of_type)
        if key not in self._written:
            self._written[key] = f"container_{len(self._written)}"
            self._unwritten.append((self._written[key], of_type))
        return self._written[key]

    def _container(self, name: str, of_type: GraphQLInputType) -> None:
        with self._source.block(f"def {name}(v, depth)"):
            self._source.line(f"if depth >= {MAX_DEPTH}: raise DoubtError")
            if isinstance(of_type, GraphQLList):
                self._list(of_type.of_type)
            elif isinstance(of_type, GraphQLInputObjectType):
                self._object(of_type)

    def _list(self, of_item: GraphQLInputType) -> None:
        source = self._source
        with source.block("if type(v) is not list"):
            source.line("if type(v) not in singles: raise DoubtError")
            source.line("v = [v]")
        leaf = of_item.of_type if isinstance(of_item, GraphQLNonNull) else of_item
        if _is_as_it_comes(leaf):
            if leaf is not of_item:
                source.line("if None in v: raise DoubtError")
            source.line("return v")
            return
        if leaf is not of_item and leaf is GraphQLFloat:
            source.line("return floats(v)")
            return
        if leaf is not of_item and leaf in _RIGHT_COLUMN:
            source.line(f"if {_RIGHT_COLUMN[leaf]}: return v")
        source.line("items = []")
        source.line("add = items.append")
        with source.block("for v in v"):
            self._value(of_item)
            source.line("add(v)")
        source.line("return items")

    def _object(self, of_type: GraphQLInputObjectType) -> None:
        source = self._source
        source.line("if type(v) is not dict: raise DoubtError")
        source.line("size, get, fields = len(v), v.get, {}")
        for name, field in of_type.fields.items():
            self._field(name, field)
        source.line("if len(fields) != size: raise DoubtError")  # a field that there is not; `size` counts defaults too
        if of_type.is_one_of:
            source.line("if size != 1 or None in fields.values(): raise DoubtError")
        if of_type.out_type is not GraphQLInputObjectType.out_type:
            source.line(f"fields = {source.constant(of_type.out_type)}(fields)")
        source.line("return fields")

    def _field(self, name: str, field: GraphQLInputField) -> None:
        source, out = self._source, repr(field.out_name or name)
        source.line(f"v = get({name!r}, Undefined)")
        if is_required_input_field(field):
            source.line("if v is Undefined: raise DoubtError")
            self._value(field.type)
            source.line(f"fields[{out}] = v")
            return
        with source.block("if v is not Undefined"):
            self._value(field.type)
            source.line(f"fields[{out}] = v")
        if field.default is None and field.default_value is Undefined:
            return
        with source.block("else"):
            try:
                default = source.constant(coerce_default_value(field))
            except TypeError:  # an invalid one
                source.line("raise DoubtError")
            else:
                source.line(f"fields[{out}] = {default}")
                source.line("size += 1")


_SINGLES: Final = frozenset({str, int, float, bool, dict})
"""What may stand for a list of one. (Null stands for itself.)"""


def _is_as_it_comes(of_type: GraphQLInputType) -> bool:
    """Whether values are left to the subgraphs, as those of custom scalars of a schema that was read as text."""
    return isinstance(of_type, GraphQLScalarType) and of_type.coerce_input_value is GraphQLScalarType.parse_value


def _floats(column: list[Any]) -> list[Any]:
    """Integers become floats where that loses nothing, as in `GraphQLFloat`."""
    kinds = set(map(type, column))
    if kinds <= {float}:
        floats = column
    elif kinds <= {int, float}:
        floats = list(map(float, column))
        if floats != column:
            raise _DoubtError
    else:
        raise _DoubtError
    if not isfinite(sum(floats)) and not all(map(isfinite, floats)):  # a sum of large numbers may be infinite
        raise _DoubtError
    return floats
