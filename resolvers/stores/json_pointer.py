"""Conditions on a value inside a JSON column, named by an RFC 6901 pointer.

A pointer's step may be a member's name or an array's index, which only the document tells; so SQLite walks the document
step by step with `json_each`, whose keys are compared as text, and no name needs quoting. PostgreSQL's `#>` does the same,
and what equals a value is first sought by containment (`@>`), which a GIN index of `jsonb_path_ops` answers.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import eq, ge, gt, le, lt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from graph.errors import BadUserInput

MAX_STEPS = 10
MAX_POINTER = 500
MAX_IN_LIST = 1_000
# An index in a pointer doubles the documents that may hold what is sought.
_MAX_SHAPES = 4
_LARGEST_DOUBLE = int(sys.float_info.max)
_BAD_TILDE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]*")
# PostgreSQL takes each of these for an array's index, counted from the end where negative; to RFC 6901 only `_INDEX` is one.
_TAKEN_FOR_INDEX = re.compile(r"\s*[+-]?[0-9]+")


class Comparison(StrEnum):
    EQ = "EQ"
    NE = "NE"
    LT = "LT"
    LTE = "LTE"
    GT = "GT"
    GTE = "GTE"
    IN = "IN"
    EXISTS = "EXISTS"


_ORDERINGS: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.LT: lt,
    Comparison.LTE: le,
    Comparison.GT: gt,
    Comparison.GTE: ge,
}


@dataclass(frozen=True, slots=True)
class PointerCondition:
    """`value` is a string, number, boolean or null; with IN a tuple of these; with EXISTS a boolean or null (true)."""

    steps: tuple[str, ...]
    op: Comparison
    value: Any


def pointer_condition(pointer: str, op: Comparison, value: Any) -> PointerCondition:
    """Reads what a client sent; raises `BadUserInput`."""
    steps = _steps(pointer)
    match op:
        case Comparison.EXISTS:
            if not (value is None or isinstance(value, bool)):
                raise BadUserInput(f"EXISTS takes true, false or no value, not {value!r}")
        case Comparison.IN:
            if not isinstance(value, (list, tuple)) or len(value) > MAX_IN_LIST:
                raise BadUserInput(f"IN takes a list of at most {MAX_IN_LIST:,} values")
            value = tuple(_scalar(op, item) for item in value)
        case Comparison.EQ | Comparison.NE:
            value = _scalar(op, value)
        case _:
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                raise BadUserInput(f"{op} takes a number or a string, not {value!r}")
            value = _scalar(op, value)
    return PointerCondition(steps, op, value)


def _steps(pointer: str) -> tuple[str, ...]:
    if len(pointer) > MAX_POINTER or pointer.count("/") > MAX_STEPS:
        raise BadUserInput(f"A pointer has at most {MAX_STEPS} steps and {MAX_POINTER} characters")
    if (pointer and not pointer.startswith("/")) or _BAD_TILDE.search(pointer):
        raise BadUserInput(f"{pointer!r} is not an RFC 6901 pointer: expected e.g. '/address/street', ~0 for ~, ~1 for /")
    if "\0" in pointer:
        raise BadUserInput(f"{pointer!r} holds a null character")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _scalar(op: Comparison, value: Any) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise BadUserInput(f"{value!r} holds a null character")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return plain_number(value)
    if value is None or isinstance(value, (str, bool)):
        return value
    raise BadUserInput(f"{op} compares with a string, number, boolean or null, not {str(value)[:64]!r}")


def plain_number(value: float) -> float:
    """The number in the one form in which both stores compare it alike: whole within 64 bits, else a double.

    A double's shortest decimals, which is what JSON tells of it, are not its exact value where that is whole and large.
    """
    if abs(value) < 2**63:
        # Adding nothing makes zero of a zero below zero, which `jsonb` does not know.
        return int(value) if isinstance(value, int) or (abs(value) >= 2**53 and value.is_integer()) else value + 0.0
    if abs(value) > _LARGEST_DOUBLE or not math.isfinite(value):
        raise BadUserInput(f"{str(value)[:24]} is beyond the numbers that can be stored")
    return float(value)


def matches(dialect: str, column: ColumnElement[Any], condition: PointerCondition) -> ColumnElement[bool]:
    """Rows whose document has a value there that compares so. What is absent equals nothing, and differs from nothing."""
    if not condition.steps:
        # The empty pointer means the whole document, an object: it exists, and is no scalar.
        exists = condition.op is Comparison.NE or (condition.op is Comparison.EXISTS and condition.value is not False)
        return sa.true() if exists else sa.false()
    walk = _on_sqlite if dialect == "sqlite" else _on_postgresql
    return walk(column, condition)


class _Members(FunctionElement[Any]):
    """SQLite's `json_each` over what a step before found, or over nothing where that is a scalar."""

    name = "json_members"
    inherit_cache = True


@compiles(_Members)
def _members(element: _Members, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


def _on_sqlite(column: ColumnElement[Any], condition: PointerCondition) -> ColumnElement[bool]:
    document: ColumnElement[Any] = sa.type_coerce(column, sa.Text)
    walk: list[Any] = []
    for depth, step in enumerate(condition.steps):
        found = _Members(document).table_valued("key", "value", "type", "atom", name=f"step{depth}")
        walk.append((found, sa.cast(found.c.key, sa.Text) == step))
        document = sa.case((found.c.type.in_(["object", "array"]), found.c.value), else_="{}")
    last = walk[-1][0].c
    path = walk[0][0]
    for found, _ in walk[1:]:
        path = path.join(found, sa.true())
    there = sa.exists().select_from(path).where(*[match for _, match in walk])
    if condition.op is Comparison.EXISTS:
        return there if condition.value is not False else sa.not_(there)
    if condition.op is Comparison.NE:
        return there.where(sa.not_(_equals_on_sqlite(last, condition.value)))
    return there.where(_compares_on_sqlite(last, condition))


def _compares_on_sqlite(found: Any, condition: PointerCondition) -> ColumnElement[bool]:
    value = condition.value
    if condition.op is Comparison.IN:
        return sa.or_(sa.false(), *[_equals_on_sqlite(found, item) for item in value])
    if condition.op is Comparison.EQ:
        return _equals_on_sqlite(found, value)
    compare = _ORDERINGS[condition.op]
    return sa.and_(found.type.in_(_sqlite_types(value)), compare(found.atom, _bound(value)))


def _equals_on_sqlite(found: Any, value: Any) -> ColumnElement[bool]:
    right_type: ColumnElement[bool] = found.type.in_(_sqlite_types(value))
    if value is None or isinstance(value, bool):
        return right_type
    return sa.and_(right_type, eq(found.atom, _bound(value)))


def _sqlite_types(value: Any) -> Sequence[str]:
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    return ("text",) if isinstance(value, str) else ("integer", "real")


def _bound(value: str | float) -> ColumnElement[Any]:
    if isinstance(value, str):
        return sa.literal(value, sa.Text())
    return sa.literal(value, sa.BigInteger() if isinstance(value, int) else sa.Double())


def _on_postgresql(column: ColumnElement[Any], condition: PointerCondition) -> ColumnElement[bool]:
    document = sa.type_coerce(column, postgresql.JSONB)
    found, value = _found_on_postgresql(document, condition.steps), condition.value
    match condition.op:
        case Comparison.EXISTS:
            return found.is_(sa.null()) if value is False else found.is_not(sa.null())
        case Comparison.EQ:
            return sa.and_(_holds(document, condition.steps, [value]), found == _jsonb(value))
        case Comparison.NE:
            return found != _jsonb(value)
        case Comparison.IN:
            return sa.and_(_holds(document, condition.steps, value), found == sa.any_(_elements(value)))
    if isinstance(value, str):
        # jsonb would compare strings by the database's collation.
        text = found.op("#>>", return_type=sa.Text())(sa.literal([], postgresql.ARRAY(sa.Text())))
        compares = _ORDERINGS[condition.op](sa.collate(text, "C"), _bound(value))
        return sa.and_(sa.func.jsonb_typeof(found) == "string", compares)
    return sa.and_(sa.func.jsonb_typeof(found) == "number", _ORDERINGS[condition.op](found, _jsonb(value)))


def _found_on_postgresql(document: ColumnElement[Any], steps: Sequence[str]) -> ColumnElement[Any]:
    """What stands at the pointer's end; SQL's null where nothing does."""
    found, path = document, list[str]()
    for step in steps:
        if _INDEX.fullmatch(step) or not _TAKEN_FOR_INDEX.fullmatch(step):
            path.append(step)
            continue
        found, path = _at(found, path), []
        found = found.op("->", return_type=postgresql.JSONB())(sa.literal(step, sa.Text()))
    return _at(found, path)


def _at(document: ColumnElement[Any], path: list[str]) -> ColumnElement[Any]:
    if not path:
        return document
    return document.op("#>", return_type=postgresql.JSONB())(sa.literal(path, postgresql.ARRAY(sa.Text())))


def _holds(document: ColumnElement[Any], steps: Sequence[str], values: Sequence[Any]) -> ColumnElement[bool]:
    """What must be so for the document to have one of the values there, and is for few others; answered by the index."""
    shapes: list[Callable[[Any], Any]] = [lambda value: value]
    for step in reversed(steps):
        # An index may as well be a member's name.
        wraps = (_member(step), _element) if _INDEX.fullmatch(step) else (_member(step),)
        shapes = [_within(wrap, shape) for wrap in wraps for shape in shapes]
        if len(shapes) > _MAX_SHAPES:
            return sa.true()
    contained = [shape(value) for shape in shapes for value in values]
    if len(contained) == 1:
        return document.op("@>", return_type=sa.Boolean())(_jsonb(contained[0]))
    return document.op("@>", return_type=sa.Boolean())(sa.any_(_elements(contained)))


def _member(name: str) -> Callable[[Any], Any]:
    return lambda inner: {name: inner}


def _element(inner: Any) -> list[Any]:
    return [inner]


def _within(wrap: Callable[[Any], Any], shape: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: wrap(shape(value))


def _elements(values: Sequence[Any]) -> ColumnElement[Any]:
    """An array of JSON values, of which the statement's text tells no number."""
    text = json.dumps(list(values), ensure_ascii=False, allow_nan=False)
    value = sa.func.jsonb_array_elements(sa.cast(sa.literal(text, sa.Text()), postgresql.JSONB)).table_valued("value", name="wanted")
    chosen = sa.select(sa.type_coerce(value.c.value, postgresql.JSONB))
    return sa.func.array(chosen.scalar_subquery(), type_=postgresql.ARRAY(postgresql.JSONB))


def _jsonb(value: Any) -> ColumnElement[Any]:
    return sa.cast(sa.literal(value, sa.JSON(none_as_null=False)), postgresql.JSONB)
