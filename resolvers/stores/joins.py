"""A join that keeps its order: the left side's rows one by one, each looked up on the right by index.

SQLite has no statistics of a JSON text or a spatial index, and without them may well walk the whole table for each row of
a small list. `CROSS JOIN` is its documented way to say which side comes first (sqlite.org/optoverview.html, section 7.4).
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import FromLinter, SQLCompiler
from sqlalchemy.sql.elements import ColumnElement


class _LookupJoin(sa.Join):
    inherit_cache = True


def look_up(left: sa.FromClause, right: sa.FromClause, on: ColumnElement[bool]) -> sa.Join:
    """`left JOIN right ON …`, `left` first."""
    return _LookupJoin(left, right, on)


@compiles(_LookupJoin)
def _anywhere(join: _LookupJoin, compiler: SQLCompiler, **kw: Any) -> str:
    text: str = compiler.visit_join(join, **kw)  # type: ignore[no-untyped-call]
    return text


@compiles(_LookupJoin, "sqlite")
def _on_sqlite(join: _LookupJoin, compiler: SQLCompiler, asfrom: bool = False, from_linter: FromLinter | None = None, **kw: Any) -> str:
    compiler_kw = {"from_linter": from_linter, **kw}
    if from_linter is not None:
        from_linter.edges.update((one, other) for one in join.left._from_objects for other in join.right._from_objects)
    left = compiler.process(join.left, asfrom=True, **compiler_kw)
    right = compiler.process(join.right, asfrom=True, **compiler_kw)
    on = compiler.process(join.onclause, **compiler_kw) if join.onclause is not None else "1"
    return f"{left} CROSS JOIN {right} ON {on}"
