"""Rows as a parameter: one JSON text that a statement reads as a table, so that any number of questions is one statement.

A JSON text is one parameter, whatever it holds; the statement's own text stays the same, and with it its compiled form.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["json_rows", "rows_parameter"]

Cell = str | int | bool | UUID | None


class _Elements(FunctionElement[Any]):
    """The elements of a JSON array, in a column `value`."""

    name = "json_elements"
    inherit_cache = True


@compiles(_Elements, "sqlite")
def _on_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Elements, "postgresql")
def _on_postgresql(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSONB))"


def json_rows(name: str, parameter: str, **columns: type[sa.types.TypeEngine[Any]]) -> sa.CTE:
    """A table expression `name` of the rows in `parameter` (as `rows_parameter` prints them), with these columns in order."""
    elements = _Elements(sa.bindparam(parameter, type_=sa.Text)).table_valued("value", name=f"{name}_elements")
    cells = [_cell(elements.c.value, place, type_).label(column) for place, (column, type_) in enumerate(columns.items())]
    return sa.select(*cells).select_from(elements).cte(name)


def _cell(row: sa.ColumnElement[Any], place: int, type_: type[sa.types.TypeEngine[Any]]) -> sa.Cast[Any]:
    text: sa.ColumnElement[Any] = row.op("->>")(sa.literal_column(str(place)))
    if type_ is sa.Uuid:
        # Written with hyphens, which is quickest, and kept without by SQLite.
        text = sa.func.replace(text, sa.literal_column("'-'"), sa.literal_column("''"))
    return sa.cast(text, type_)


def rows_parameter(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as JSON text. They hold no floating-point numbers, some of which JSON has not: orjson would make them null unsaid."""
    every = list(rows)
    try:
        return orjson.dumps(every, default=_plain).decode()
    except orjson.JSONEncodeError:  # half a surrogate pair, an integer of more than 64 bits
        return json.dumps(every, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    """What is in a row, or a row, in a class of its own: the drivers' UUIDs, named tuples."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{value!r} has no place in a row")
