"""The nearest shapes on PostGIS: measured on a plane around each probe where they are near, on `geography` where they are far.

Edges are straight in longitude and latitude (RFC 7946); `geography` bends them into geodesics, which puts a road that passes at
ten metres a decimetre wrong, and takes four times as long. How far to look is found as on SQLite, by a ring that grows until
enough shapes lie wholly inside it: the planner cannot know how many a box holds, and would sort them all by distance.
"""

import math
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import LateralFromClause
from sqlalchemy.types import UserDefinedType

from resolvers.stores.geodesy import (
    FARTHEST_METRES,
    LONGEST_DEGREE_OF_LATITUDE,
    METRES_PER_DEGREE_OF_LATITUDE,
    METRES_PER_DEGREE_OF_LONGITUDE,
    MICROMETRES,
    ONE_PLANE_METRES,
    STRAIGHT_DEGREES,
    WGS_84_A,
    WGS_84_E2,
    latitude_margin,
)
from resolvers.stores.geometry import SRID
from resolvers.stores.search import Candidates, Search

_FIRST_RING_METRES = 32.0


class _Geometry(UserDefinedType[Any]):
    """A shape as PostGIS has it, which no WKB is made of."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "geometry"


class _Geography(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        # Any kind of shape, with heights or without: a type that names its kind refuses heights.
        return "geography"


def nearest_on_postgis(probes: sa.CTE, candidates: Candidates, search: Search) -> sa.Subquery:
    """As `resolvers.stores.nearest.nearest`."""
    here = _here(probes)
    reach = _reach(here, candidates, search)
    around = _candidates(here, candidates, reach.c.metres, reach).lateral("around")
    measured = _measured(here, around).correlate(here, reach).subquery("measured")
    order: list[ColumnElement[Any]] = [measured.c.distance, measured.c.tie]
    found = sa.select(measured.c.pk, measured.c.distance).where(measured.c.distance <= search.radius)
    if search.after is not None:
        found = found.where(sa.tuple_(*order) > sa.tuple_(*search.after))
    if search.before is not None:
        found = found.where(sa.tuple_(*order) < sa.tuple_(*search.before))
    if search.limit is not None:
        found = found.order_by(*([key.desc() for key in order] if search.from_farthest else order)).limit(search.limit)
    lateral = found.lateral("found")
    joined = here.join(reach, reach.c.n == here.c.n).join(lateral, sa.true())
    return sa.select(here.c.n, lateral.c.pk, lateral.c.distance).select_from(joined).subquery("near")


def _here(probes: sa.CTE) -> sa.CTE:
    """The probes, each with its plane, itself on it, and what distances from far off are measured to."""
    geometry = sa.func.ST_Force2D(sa.type_coerce(probes.c.geometry, _Geometry), type_=_Geometry())
    longitude = (probes.c.west + probes.c.east) * 0.5
    latitude = (probes.c.south + probes.c.north) * 0.5
    plane = _Plane(longitude, latitude, *_metres_per_degree(latitude))
    return sa.select(
        probes.c.n,
        probes.c.pk,
        *[probes.c[edge] for edge in ("west", "south", "east", "north")],
        geometry.label("geometry"),
        longitude.label("longitude"),
        latitude.label("latitude"),
        plane.x.label("x"),
        plane.y.label("y"),
        plane.onto(geometry).label("flat"),
        _bent(geometry).label("bent"),
        (probes.c.north - probes.c.south > latitude_margin(ONE_PLANE_METRES)).label("tall"),
    ).cte("here")


@dataclass(frozen=True, slots=True)
class _Plane:
    """Degrees stretched to metres around a centre; `x` and `y` are the metres of a degree there."""

    longitude: ColumnElement[float]
    latitude: ColumnElement[float]
    x: ColumnElement[float]
    y: ColumnElement[float]

    def onto(self, shape: ColumnElement[Any], turn: ColumnElement[float] | float = 0.0) -> ColumnElement[Any]:
        """The shape on the plane, moved east by `turn` degrees before."""
        return _affine(shape, self.x, self.y, self.x * (turn - self.longitude), -self.y * self.latitude)

    def metres(self, line: ColumnElement[Any]) -> ColumnElement[float]:
        """The geodesic between the ends of a line on the plane."""
        back = _affine(line, 1.0 / self.x, 1.0 / self.y, self.longitude, self.latitude)
        return sa.func.ST_Length(sa.cast(back, _Geography), type_=sa.Double())


def _affine(shape: ColumnElement[Any], x: Any, y: Any, east: Any, north: Any) -> ColumnElement[Any]:
    return sa.func.ST_Affine(shape, x, 0.0, 0.0, y, east, north, type_=_Geometry())


def _metres_per_degree(latitude: ColumnElement[float]) -> tuple[ColumnElement[float], ColumnElement[float]]:
    """Of longitude and of latitude, by the ellipsoid's radii of curvature."""
    sine: ColumnElement[float] = sa.func.sin(sa.func.radians(latitude), type_=sa.Double())
    root: ColumnElement[float] = sa.func.sqrt(1.0 - WGS_84_E2 * sine * sine, type_=sa.Double())
    inverse: ColumnElement[float] = sa.func.power(root, -1.0, type_=sa.Double())
    cosine: ColumnElement[float] = sa.func.cos(sa.func.radians(latitude), type_=sa.Double())
    degree = math.radians(WGS_84_A)
    return degree * inverse * cosine, degree * (1.0 - WGS_84_E2) * inverse * inverse * inverse


def _bent(shape: ColumnElement[Any]) -> ColumnElement[Any]:
    """The shape on the ellipsoid, its edges in pieces so short that it does not matter how they bend."""
    return sa.cast(sa.func.ST_Segmentize(shape, STRAIGHT_DEGREES, type_=_Geometry()), _Geography)


def _candidates(here: sa.CTE, candidates: Candidates, metres: ColumnElement[float], *outer: sa.FromClause) -> sa.Select[Any]:
    """Those whose bounds are within so many metres of the probe's, or not much farther, but for the probe itself."""
    table = candidates.table
    geometry = sa.type_coerce(table.c.geometry, _Geometry)
    among = [] if candidates.among is None else [table.c.pk.in_(sa.select(candidates.among.c.pk))]
    # Worked out once for a probe, not once for each row.
    boxes = sa.select(*_boxes(here, metres)).correlate(here, *outer).offset(0).lateral("boxes")
    return (
        sa.select(
            table.c.pk,
            geometry.label("geometry"),
            ((table.c.west + table.c.east) * 0.5).label("longitude"),
            candidates.tie.label("tie"),
        )
        .select_from(boxes.join(table, sa.or_(*[geometry.op("&&", return_type=sa.Boolean())(box) for box in boxes.c])))
        .where(*candidates.conditions, *among, _not_itself(here, candidates))
        .correlate(here, *outer)
    )


def _boxes(here: sa.CTE, metres: ColumnElement[float]) -> list[ColumnElement[Any]]:
    """The probe's bounds with so many metres around, as they are and a turn to either side, for what lies behind the antimeridian."""
    west, south, east, north = _expanded(here, metres)
    return [_envelope(west + turn, south, east + turn, north).label(f"box{place}") for place, turn in enumerate((0.0, 360.0, -360.0))]


def _expanded(here: sa.CTE, metres: ColumnElement[float]) -> tuple[ColumnElement[float], ...]:
    """The probe's bounds with so many metres around, never too few; they may reach beyond 180 degrees."""
    north_south = metres / METRES_PER_DEGREE_OF_LATITUDE
    farthest: ColumnElement[float] = sa.func.greatest(sa.func.abs(here.c.south), sa.func.abs(here.c.north), type_=sa.Double())
    widest = farthest + north_south
    across: ColumnElement[float] = METRES_PER_DEGREE_OF_LONGITUDE * sa.func.cos(sa.func.radians(widest), type_=sa.Double())
    east_west: ColumnElement[float] = sa.case((widest >= 89.9, sa.literal(360.0, sa.Double())), else_=metres / across)
    return here.c.west - east_west, here.c.south - north_south, here.c.east + east_west, here.c.north + north_south


def _envelope(*edges: ColumnElement[float]) -> ColumnElement[Any]:
    return sa.func.ST_MakeEnvelope(*edges, SRID, type_=_Geometry())


def _measured(here: sa.CTE, around: LateralFromClause) -> sa.Select[Any]:
    """`pk`, `distance` and `tie` of what is around."""
    there = sa.func.ST_Force2D(around.c.geometry, type_=_Geometry())
    # To the side of the antimeridian where the probe is.
    turn: ColumnElement[float] = 360.0 * sa.func.round((here.c.longitude - around.c.longitude) / 360.0, type_=sa.Double())
    plane = _Plane(here.c.longitude, here.c.latitude, here.c.x, here.c.y)
    # `OFFSET 0` keeps a step from being worked out once for each use of it.
    first = sa.select(_shortest(plane.onto(there, turn), here.c.flat).label("line")).correlate(here, around).offset(0).lateral("first")
    ends = sa.func.ST_Y(sa.func.ST_StartPoint(first.c.line)) + sa.func.ST_Y(sa.func.ST_EndPoint(first.c.line))
    # A tall probe's plane is right in its middle only: the second one lies where the shapes are nearest.
    middle = here.c.latitude + sa.type_coerce(ends, sa.Double()) / (2.0 * here.c.y)
    second = _Plane(here.c.longitude, middle, *_metres_per_degree(middle))
    again = second.metres(_shortest(second.onto(there, turn), second.onto(here.c.geometry)))
    on_plane = sa.case((here.c.tall, again), else_=plane.metres(first.c.line))
    near = sa.select(on_plane.label("metres")).correlate(here, around, first).offset(0).lateral("close")
    far: ColumnElement[float] = sa.func.ST_Distance(_bent(there), here.c.bent, type_=sa.Double())
    metres = sa.case((near.c.metres.between(ONE_PLANE_METRES, FARTHEST_METRES), far), else_=near.c.metres)
    rounded = sa.cast(sa.func.round(sa.cast(metres, sa.Numeric), MICROMETRES), sa.Double)
    return sa.select(around.c.pk, rounded.label("distance"), around.c.tie).select_from(around.join(first, sa.true()).join(near, sa.true()))


def _shortest(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.func.ST_ShortestLine(one, other, type_=_Geometry())


def _reach(here: sa.CTE, candidates: Candidates, search: Search) -> sa.CTE:
    """For each probe `n`, the metres within which the answer certainly lies."""
    farthest = search.radius if search.before is None else min(search.radius, search.before[0])
    if search.limit is None or search.from_farthest:
        return sa.select(here.c.n, sa.literal(farthest, sa.Double()).label("metres")).cte("reach")
    radius: ColumnElement[float] = sa.literal(search.radius, sa.Double())
    wanted = _wanted(here, candidates, search.limit, search.after)
    rings = _rings(here, candidates, wanted, radius)
    last = sa.func.max(rings.c.metres, type_=sa.Double())
    west, south, east, north = _expanded(here, last)
    lowest = sa.case((sa.and_(south <= 0.0, north >= 0.0), 0.0), else_=sa.func.least(sa.func.abs(south), sa.func.abs(north)))
    cosine: ColumnElement[float] = sa.func.cos(sa.func.radians(lowest), type_=sa.Double())
    width, height = (east - west) * cosine * (METRES_PER_DEGREE_OF_LONGITUDE * 1.01), (north - south) * LONGEST_DEGREE_OF_LATITUDE
    diagonal: ColumnElement[float] = sa.func.sqrt(width * width + height * height, type_=sa.Double())
    # The last ring of all may hold too few, or reach around the globe; then the whole radius is searched.
    told = sa.and_(sa.func.max(rings.c.inside) >= wanted, east - west < 180.0)
    metres = sa.case((told, sa.func.least(diagonal, radius, type_=sa.Double())), else_=radius)
    edges = [here.c[edge] for edge in ("west", "south", "east", "north")]
    joined = rings.join(here, here.c.n == rings.c.n)
    return sa.select(here.c.n, metres.label("metres")).select_from(joined).group_by(here.c.n, *edges).cte("reach")


def _wanted(here: sa.CTE, candidates: Candidates, limit: int, after: tuple[float, str] | None) -> ColumnElement[int]:
    """How many are to be inside a ring: the answer's, and at least those that it leaves out. There is one probe where it does."""
    if after is None:
        return sa.literal(limit)
    passed = _candidates(here, candidates, sa.literal(after[0], sa.Double())).lateral("passed")
    counted = sa.select((sa.func.count(passed.c.pk) + limit).label("number")).select_from(here.join(passed, sa.true())).cte("wanted")
    return sa.select(counted.c.number).scalar_subquery()


def _rings(here: sa.CTE, candidates: Candidates, wanted: ColumnElement[int], radius: ColumnElement[float]) -> sa.CTE:
    """Around each probe `n` a ring of so many `metres` and the number of shapes `inside`, doubled until it holds enough."""
    first: ColumnElement[float] = sa.func.least(sa.literal(_FIRST_RING_METRES, sa.Double()), radius, type_=sa.Double())
    inside = _count_inside(here, candidates, first, wanted).label("inside")
    rings = sa.select(here.c.n, first.label("metres"), inside).cte("rings", recursive=True)
    grown: ColumnElement[float] = sa.func.least(rings.c.metres * 2.0, radius, type_=sa.Double())
    return rings.union_all(
        sa.select(here.c.n, grown, _count_inside(here, candidates, grown, wanted, rings))
        .select_from(rings.join(here, here.c.n == rings.c.n))
        .where(rings.c.inside < wanted, rings.c.metres < radius)
    )


def _count_inside(
    here: sa.CTE, candidates: Candidates, metres: ColumnElement[float], wanted: ColumnElement[int], *outer: sa.CTE
) -> ColumnElement[int]:
    """How many lie wholly within so many metres' box around the probe, counted no further than is wanted."""
    geometry = sa.type_coerce(candidates.table.c.geometry, _Geometry)
    box = sa.select(_envelope(*_expanded(here, metres)).label("box")).correlate(here, *outer).offset(0).lateral("ring")
    some = (
        sa.select(sa.literal(1).label("one"))
        .select_from(box.join(candidates.table, geometry.op("@", return_type=sa.Boolean())(box.c.box)))
        .where(*candidates.conditions, _not_itself(here, candidates))
        .limit(wanted)
        .correlate(here, *outer)
        .subquery("some")
    )
    return sa.select(sa.func.count()).select_from(some).correlate(here, *outer).scalar_subquery()


def _not_itself(here: sa.CTE, candidates: Candidates) -> ColumnElement[bool]:
    return sa.or_(here.c.pk.is_(None), candidates.table.c.pk != here.c.pk)
