"""Conditions on a value inside a JSON column, named by an RFC 6901 pointer.

A pointer's step may be a member's name or an array's index, which only the document tells; so SQLite walks the document
step by step with `json_each`, whose keys are compared as text, and no name needs quoting. PostgreSQL's `#>` does the same.
"""

import re
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
_BAD_TILDE = re.compile(r"~(?![01])")


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
            _scalar(op, value)
        case _:
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                raise BadUserInput(f"{op} takes a number or a string, not {value!r}")
            _scalar(op, value)
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
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise BadUserInput(f"{op} compares with a string, number, boolean or null, not {str(value)[:64]!r}")


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
    # A whole number beyond 64 bits has no place in a parameter; both stores compare it as a float then.
    return sa.literal(value, sa.BigInteger()) if _fits(value) else sa.literal(float(value), sa.Double())


def _fits(value: float) -> bool:
    return isinstance(value, int) and abs(value) < 2**63


def _on_postgresql(column: ColumnElement[Any], condition: PointerCondition) -> ColumnElement[bool]:
    path = sa.literal(list(condition.steps), postgresql.ARRAY(sa.Text()))
    found = sa.type_coerce(column, postgresql.JSONB).op("#>", return_type=postgresql.JSONB())(path)
    value = condition.value
    match condition.op:
        case Comparison.EXISTS:
            return found.is_(sa.null()) if value is False else found.is_not(sa.null())
        case Comparison.EQ:
            return found == _jsonb(value)
        case Comparison.NE:
            return found != _jsonb(value)
        case Comparison.IN:
            return sa.or_(sa.false(), *[found == _jsonb(item) for item in value])
    text = found.op("#>>", return_type=sa.Text())(sa.literal([], postgresql.ARRAY(sa.Text())))
    right_type = sa.func.jsonb_typeof(found) == ("string" if isinstance(value, str) else "number")
    # CASE, because PostgreSQL may evaluate the two sides of AND in any order, and the cast fails on a string.
    operand = sa.collate(text, "C") if isinstance(value, str) else sa.cast(text, sa.Numeric)
    return sa.case((right_type, _ORDERINGS[condition.op](operand, _bound(value))), else_=sa.false())


def _jsonb(value: Any) -> ColumnElement[Any]:
    return sa.cast(sa.literal(value, sa.JSON(none_as_null=False)), postgresql.JSONB)
