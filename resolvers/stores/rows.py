"""Rows as a parameter: one JSON text that a statement reads as a table, so that any number of questions is one statement.

A JSON text is one parameter, whatever it holds; the statement's own text stays the same, and with it its compiled form.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["json_rows", "rows_parameter"]

Cell = str | int | float | bool | UUID | None


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
    cells = [
        sa.cast(elements.c.value.op("->>")(sa.literal_column(str(place))), type_).label(column)
        for place, (column, type_) in enumerate(columns.items())
    ]
    return sa.select(*cells).select_from(elements).cte(name)


def rows_parameter(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as JSON text. NaN and infinities raise ValueError; a UUID is its 32 digits, as SQLite keeps it."""
    return json.dumps([list(row) for row in rows], default=_hex, allow_nan=False, separators=(",", ":"))


def _hex(value: object) -> str:
    if isinstance(value, UUID):
        return value.hex
    raise TypeError(f"{value!r} has no place in a row")
