"""The nearest shapes on SQLite, which has an R*Tree of bounds and no order of distance.

Around each probe a ring grows until enough shapes lie wholly inside it. Each of those is nearer than the ring's diagonal, so
whatever is nearest lies within that; only then is anything measured.
"""

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.stores.geodesy import latitude_margin
from resolvers.stores.geometry import rtree_name
from resolvers.stores.joins import look_up
from resolvers.stores.search import Candidates, Search

_FIRST_RING_METRES = 32.0
_GROWTH = 2.0


def nearest_on_sqlite(probes: sa.CTE, candidates: Candidates, search: Search) -> sa.Subquery:
    """As `resolvers.stores.nearest.nearest`."""
    areas = _areas(probes, _reach(probes, candidates, search))
    table, index, among = candidates.table, _index(candidates.table), candidates.among
    touching = _touching(index, areas.c)
    # The index finds a row by its bounds, or, where it is known, by its number.
    found_by_index = (
        look_up(areas, index, touching)
        if among is None
        else look_up(look_up(areas, among, sa.true()), index, sa.and_(index.c.id == among.c.pk, touching))
    )
    hits = (
        sa.select(
            areas.c.n,
            sa.func.geo_nearest(
                json.dumps(asdict(search)), areas.c.geometry, table.c.pk, candidates.tie, sa.type_coerce(table.c.geometry, sa.LargeBinary)
            ).label("found"),
        )
        .select_from(look_up(found_by_index, table, table.c.pk == index.c.id))
        .where(*candidates.conditions, _not_itself(table, areas))
        .group_by(areas.c.n)
        .cte("hits")
    )
    found = sa.func.json_each(hits.c.found).table_valued("value", name="found")
    pair = [found.c.value.op("->>")(sa.literal_column(place)) for place in ("0", "1")]
    return (
        sa.select(hits.c.n, sa.type_coerce(pair[0], sa.Integer).label("pk"), sa.type_coerce(pair[1], sa.Float).label("distance"))
        .select_from(hits.join(found, sa.true()))
        .subquery("near")
    )


def _index(table: sa.Table) -> sa.TableClause:
    bounds = [sa.column(name, sa.Float()) for name in ("x0", "x1", "y0", "y1")]
    return sa.table(rtree_name(table.name), sa.column("id", sa.Integer()), *bounds)


def _touching(index: sa.TableClause, area: Any) -> ColumnElement[bool]:
    return sa.and_(index.c.x1 >= area.west, index.c.x0 <= area.east, index.c.y1 >= area.south, index.c.y0 <= area.north)


def _not_itself(table: sa.Table, probes: sa.CTE) -> ColumnElement[bool]:
    return sa.or_(probes.c.pk.is_(None), table.c.pk != probes.c.pk)


def _reach(probes: sa.CTE, candidates: Candidates, search: Search) -> sa.CTE:
    """For each probe `n`, the metres within which the answer certainly lies."""
    if search.limit is None or search.from_farthest:
        farthest = search.radius if search.before is None else min(search.radius, search.before[0])
        return sa.select(probes.c.n, sa.literal(farthest, sa.Float()).label("metres")).cte("reach")

    skipped = sa.literal(0) if search.after is None else _count_touching(probes, candidates, search.after[0])
    wanted = sa.select(probes, (skipped + search.limit).label("wanted")).cte("wanted")
    first = min(_FIRST_RING_METRES, search.radius)
    rings = sa.select(
        wanted.c.n,
        sa.literal(first, sa.Float()).label("metres"),
        _count_inside(wanted, candidates, sa.literal(first, sa.Float())).label("inside"),
    ).cte("rings", recursive=True)
    grown = sa.func.min(rings.c.metres * _GROWTH, search.radius, type_=sa.Float())
    rings = rings.union_all(
        sa.select(wanted.c.n, grown, _count_inside(wanted, candidates, grown, rings))
        .select_from(rings.join(wanted, wanted.c.n == rings.c.n))
        .where(rings.c.inside < wanted.c.wanted, rings.c.metres < search.radius)
    )
    last = sa.func.max(rings.c.metres)
    box = _expanded(wanted.c, last)
    metres = sa.func.min(sa.func.geo_diagonal(*box), search.radius, type_=sa.Float())
    # The last ring of all may hold too few; then the whole radius is searched.
    return (
        sa.select(
            wanted.c.n,
            sa.case((sa.func.max(rings.c.inside) < wanted.c.wanted, search.radius), else_=metres).label("metres"),
        )
        .select_from(rings.join(wanted, wanted.c.n == rings.c.n))
        .group_by(wanted.c.n)
        .cte("reach")
    )


def _expanded(box: Any, metres: ColumnElement[float]) -> tuple[ColumnElement[float], ...]:
    """The probe's bounds with so many metres around, never too few; they may reach beyond 180 degrees."""
    east_west = sa.func.geo_longitude_margin(box.south, box.north, metres, type_=sa.Float())
    north_south = metres * latitude_margin(1.0)
    return box.west - east_west, box.south - north_south, box.east + east_west, box.north + north_south


def _count_inside(wanted: sa.CTE, candidates: Candidates, metres: ColumnElement[float], *outer: sa.CTE) -> ColumnElement[int]:
    """How many candidates lie wholly within so many metres' box around the probe, counted no further than is wanted."""
    table, index = candidates.table, _index(candidates.table)
    west, south, east, north = _expanded(wanted.c, metres)
    some = (
        sa.select(sa.literal(1).label("one"))
        .select_from(look_up(index, table, table.c.pk == index.c.id))
        .where(index.c.x0 >= west, index.c.x1 <= east, index.c.y0 >= south, index.c.y1 <= north)
        .where(*candidates.conditions, _not_itself(table, wanted))
        # A limit may not name an outer column.
        .limit(sa.select(sa.func.max(wanted.c.wanted)).correlate(None).scalar_subquery())
        .correlate(wanted, *outer)
        .subquery("some")
    )
    return sa.select(sa.func.count()).select_from(some).correlate(wanted, *outer).scalar_subquery()


def _count_touching(probes: sa.CTE, candidates: Candidates, metres: float) -> ColumnElement[int]:
    """At least as many as there are within so many metres of the probe."""
    table, index = candidates.table, _index(candidates.table)
    west, south, east, north = _expanded(probes.c, sa.literal(metres, sa.Float()))
    return (
        sa.select(sa.func.count())
        .select_from(look_up(index, table, table.c.pk == index.c.id))
        .where(index.c.x1 >= west, index.c.x0 <= east, index.c.y1 >= south, index.c.y0 <= north, *candidates.conditions)
        .correlate(probes)
        .scalar_subquery()
    )


def _areas(probes: sa.CTE, reach: sa.CTE) -> sa.CTE:
    """The boxes to search for each probe: one, and another where that one crosses the antimeridian."""
    turn = sa.values(sa.column("degrees", sa.Float()), name="turn").data([(0.0,), (360.0,), (-360.0,)]).cte("turn")
    west, south, east, north = _expanded(probes.c, reach.c.metres)
    return (
        sa.select(
            probes.c.n,
            probes.c.pk,
            probes.c.geometry,
            (west + turn.c.degrees).label("west"),
            south.label("south"),
            (east + turn.c.degrees).label("east"),
            north.label("north"),
        )
        .select_from(probes.join(reach, reach.c.n == probes.c.n).join(turn, sa.true()))
        .where((turn.c.degrees == 0) | (west + turn.c.degrees <= 180) & (east + turn.c.degrees >= -180))
        .cte("areas")
    )
