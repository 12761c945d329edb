"""Shapes in a table: the column's type, the tests that use its index, and what SQLite needs to have an index at all.

A shape travels as WKB; who needs coordinates decodes it, off the event loop where there are many. Each table with a shape
has the columns `pk`, `geometry`, and its bounds `west`, `south`, `east`, `north`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import UserDefinedType

SRID = 4326


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees, WGS 84; `west` is never east of `east`."""

    west: float
    south: float
    east: float
    north: float


class Geom(UserDefinedType[bytes]):
    """A shape as WKB: a blob on SQLite, `geometry` on PostGIS, in two dimensions or three."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "geometry"

    def bind_expression(self, bindvalue: sa.BindParameter[bytes]) -> ColumnElement[bytes]:
        return _FromWkb(bindvalue)

    def column_expression(self, column: ColumnElement[bytes]) -> ColumnElement[bytes]:
        return _AsWkb(column)


@compiles(Geom, "sqlite")
def _geom_on_sqlite(_type: Geom, _compiler: object, **_: Any) -> str:
    return "BLOB"


class _Conversion(ColumnElement[bytes]):
    inherit_cache = True
    _traverse_internals = [("inner", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (the name and type are SQLAlchemy's)

    def __init__(self, inner: ColumnElement[bytes]) -> None:
        self.inner = inner
        self.type = sa.LargeBinary()


class _FromWkb(_Conversion):
    inherit_cache = True


class _AsWkb(_Conversion):
    inherit_cache = True


@compiles(_FromWkb)
def _from_wkb(element: _FromWkb, compiler: SQLCompiler, **kw: Any) -> str:
    return f"ST_GeomFromWKB({compiler.process(element.inner, **kw)}, {SRID})"


@compiles(_AsWkb)
def _as_wkb(element: _AsWkb, compiler: SQLCompiler, **kw: Any) -> str:
    return f"ST_AsBinary({compiler.process(element.inner, **kw)})"


@compiles(_FromWkb, "sqlite")
@compiles(_AsWkb, "sqlite")
def _plain(element: _Conversion, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.inner, **kw)


class BBoxHit(ColumnElement[bool]):
    """Whether a shape's bounds touch a box, answered by the spatial index; exact tests come after it."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 (the name and type are SQLAlchemy's)
        ("column", InternalTraversal.dp_clauseelement),
        ("edges", InternalTraversal.dp_clauseelement_list),
    ]

    def __init__(self, column: sa.Column[bytes], box: Box) -> None:
        self.column = column
        self.edges = [sa.literal(edge, sa.Float()) for edge in (box.west, box.south, box.east, box.north)]
        self.type = sa.Boolean()

    def self_group(self, against: object = None) -> "BBoxHit":
        # Else SQLAlchemy renders "… = 1" on SQLite, which defeats the index.
        return self


@compiles(BBoxHit)
def _bbox_hit(element: BBoxHit, compiler: SQLCompiler, **kw: Any) -> str:
    edges = ", ".join(compiler.process(edge, **kw) for edge in element.edges)
    return f"{compiler.process(element.column, **kw)} && ST_MakeEnvelope({edges}, {SRID})"


@compiles(BBoxHit, "sqlite")
def _bbox_hit_on_sqlite(element: BBoxHit, compiler: SQLCompiler, **kw: Any) -> str:
    table = element.column.table
    west, south, east, north = (compiler.process(edge, **kw) for edge in element.edges)
    return (
        f"{compiler.process(table.c.pk, **kw)} IN (SELECT id FROM {rtree_name(table.name)}"
        f" WHERE x1 >= {west} AND y1 >= {south} AND x0 <= {east} AND y0 <= {north})"
    )


class Touches(ColumnElement[bool]):
    """Whether a shape touches a constant one, exactly."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 (the name and type are SQLAlchemy's)
        ("column", InternalTraversal.dp_clauseelement),
        ("shape", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: sa.Column[bytes], wkb: bytes) -> None:
        self.column = column
        self.shape = sa.literal(wkb, sa.LargeBinary())
        self.type = sa.Boolean()


@compiles(Touches)
def _touches(element: Touches, compiler: SQLCompiler, **kw: Any) -> str:
    column, shape = compiler.process(element.column, **kw), compiler.process(element.shape, **kw)
    return f"ST_Intersects({column}, ST_GeomFromWKB({shape}, {SRID}))"


@compiles(Touches, "sqlite")
def _touches_on_sqlite(element: Touches, compiler: SQLCompiler, **kw: Any) -> str:
    return f"geo_intersects({compiler.process(element.column, **kw)}, {compiler.process(element.shape, **kw)})"


def by_index(table: sa.Table, box: Box) -> ColumnElement[bool]:
    """Whether a shape's bounds touch the box, as the spatial index has it."""
    return BBoxHit(table.c.geometry, box)


def by_row(table: sa.Table, box: Box) -> ColumnElement[bool]:
    """The same as the row has it: where rows are few and known, an index over all of them would be in the way."""
    return sa.and_(table.c.west <= box.east, table.c.east >= box.west, table.c.south <= box.north, table.c.north >= box.south)


BoundsTouch = Callable[[sa.Table, Box], ColumnElement[bool]]


def inside(table: sa.Table, box: Box, wkb: bytes, bounds_touch: BoundsTouch = by_index) -> ColumnElement[bool]:
    """Whether a shape touches the box, whose outline is `wkb`: by its bounds, and exactly where these don't tell."""
    bounds_tell = sa.and_(table.c.west >= box.west, table.c.east <= box.east, table.c.south >= box.south, table.c.north <= box.north)
    return sa.and_(bounds_touch(table, box), sa.or_(bounds_tell, Touches(table.c.geometry, wkb)))


def rtree_name(table: str) -> str:
    """SQLite's spatial index of that table's shapes. It keeps 32-bit bounds, rounded outwards: never too small."""
    return f"{table}_geometry_rt"


def rtree_statements(table: str) -> Sequence[str]:
    """The index and the triggers that keep it in step, whoever writes to the table."""
    index, bounds = rtree_name(table), "new.pk, new.west, new.east, new.south, new.north"
    return (
        f"CREATE VIRTUAL TABLE {index} USING rtree(id, x0, x1, y0, y1)",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN INSERT INTO {index} VALUES ({bounds}); END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF pk, west, east, south, north ON {table} BEGIN"
        f" DELETE FROM {index} WHERE id = old.pk; INSERT INTO {index} VALUES ({bounds}); END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN DELETE FROM {index} WHERE id = old.pk; END",
    )
