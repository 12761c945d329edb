"""Metres on the WGS 84 ellipsoid: margins, distances, lengths and areas. Degrees are never taken for metres.

Edges between two vertices are straight in longitude and latitude, as RFC 7946 has them.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

Floats: TypeAlias = NDArray[np.float64]
Shapes: TypeAlias = NDArray[np.object_]

_WGS_84 = Geod(ellps="WGS84")
WGS_84_A, WGS_84_E2 = _WGS_84.a, _WGS_84.es

# The shortest degree of latitude (at the equator) and the length of a degree of longitude there; both on WGS 84.
METRES_PER_DEGREE_OF_LATITUDE = 110_574.0
METRES_PER_DEGREE_OF_LONGITUDE = 111_319.0
# At the poles.
LONGEST_DEGREE_OF_LATITUDE = 111_700.0

# One plane for a whole neighbourhood puts the nearest points of two shapes wrong by less than 1e-6 of their distance up to
# here. Where edges run parallel for hundreds of metres, which of their points are nearest is a matter of digits: then by 1e-5.
# Beyond, each pair gets a plane of its own. What is farther than the last is nobody's neighbour and stays as it is.
ONE_PLANE_METRES = 2_000.0
FARTHEST_METRES = 200_000.0
# Half a kilometre; an edge so long departs from a straight line on the plane by a centimetre.
STRAIGHT_DEGREES = 0.005
MICROMETRES = 6


def latitude_margin(metres: float) -> float:
    """Degrees of latitude that are at least so many metres, anywhere."""
    return metres / METRES_PER_DEGREE_OF_LATITUDE


def longitude_margin(south: float, north: float, metres: float) -> float:
    """Degrees of longitude that are at least so many metres at every latitude within so many metres of the band."""
    widest = max(abs(south), abs(north)) + latitude_margin(metres)
    if widest >= 89.9:
        return 360.0
    return metres / (METRES_PER_DEGREE_OF_LONGITUDE * math.cos(math.radians(widest)))


def diagonal(west: float, south: float, east: float, north: float) -> float:
    """Metres that no two points of the box are farther apart than."""
    if east - west >= 180.0:
        return math.pi * WGS_84_A
    lowest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    width = (east - west) * METRES_PER_DEGREE_OF_LONGITUDE * math.cos(math.radians(lowest)) * 1.01
    return math.hypot(width, (north - south) * LONGEST_DEGREE_OF_LATITUDE)


def distances(shape: BaseGeometry, others: Shapes) -> Floats:
    """Metres from `shape` to each of `others`, nearest point to nearest point, to the micrometre; 0 where they touch.

    The nearest points are sought on a plane, and the geodesic between them is what counts. One plane serves the
    neighbourhood; a pair that is farther apart gets its own, around the middle between the points that were found first.
    """
    if len(others) == 0:
        return np.empty(0)
    west, south, east, north = shape.bounds
    centre = np.array([[(west + east) / 2, (south + north) / 2]])
    here = _moved(np.array([shapely.force_2d(shape)], dtype=object), centre[0, 0])
    there = _moved(shapely.force_2d(others), centre[0, 0])

    metres, middles = _nearest(_FLAT, here, there, centre)
    tall = latitude_margin(ONE_PLANE_METRES) < north - south
    far = np.flatnonzero((metres < FARTHEST_METRES) & ((metres > ONE_PLANE_METRES) | tall))
    if len(far):
        here = np.repeat(shapely.segmentize(here, STRAIGHT_DEGREES), len(far))
        there = shapely.segmentize(there[far], STRAIGHT_DEGREES)
        metres[far], middles[far] = _nearest(_BENT, here, there, middles[far])
        metres[far], middles[far] = _nearest(_BENT, here, there, middles[far])
    return np.round(metres, MICROMETRES)


def _moved(shapes: Shapes, longitude: float) -> Shapes:
    """The shapes shifted by whole turns, to the side of the antimeridian where `longitude` is."""
    bounds = shapely.bounds(shapes)
    turns = 360.0 * np.round((longitude - (bounds[:, 0] + bounds[:, 2]) / 2) / 360.0)
    if not turns.any():
        return shapes
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    coordinates[:, 0] += turns[owner]
    return _with_coordinates(shapes, coordinates)


@dataclass(frozen=True, slots=True)
class _Plane:
    """A map of places (longitude, latitude) to metres east and north of centres, and back; both take (places, centres)."""

    onto: Callable[[Floats, Floats], Floats]
    back: Callable[[Floats, Floats], Floats]


def _nearest(plane: _Plane, here: Shapes, there: Shapes, centres: Floats) -> tuple[Floats, Floats]:
    """Metres between the nearest points of each pair, and the place half-way. One centre goes for all."""
    lines = shapely.shortest_line(_mapped(here, plane, centres), _mapped(there, plane, centres))
    ends = shapely.get_coordinates(lines)
    places = plane.back(ends, centres if len(centres) == 1 else np.repeat(centres, 2, axis=0)).reshape(-1, 2, 2)
    start, end = places[:, 0], places[:, 1]
    _, _, metres = _WGS_84.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.asarray(metres), (start + end) / 2


def _mapped(shapes: Shapes, plane: _Plane, centres: Floats) -> Shapes:
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    return _with_coordinates(shapes, plane.onto(coordinates, centres if len(centres) == 1 else centres[owner]))


def _onto_flat(places: Floats, centres: Floats) -> Floats:
    return np.radians(places - centres) * _metres_per_radian(centres)


def _back_from_flat(places: Floats, centres: Floats) -> Floats:
    return centres + np.degrees(places / _metres_per_radian(centres))


def _metres_per_radian(centres: Floats) -> Floats:
    latitude = np.radians(centres[:, 1])
    across, along = _radii(latitude)
    return np.column_stack([across * np.cos(latitude), along])


def _onto_bent(places: Floats, centres: Floats) -> Floats:
    latitude = np.radians(places[:, 1])
    across, along = _radii(latitude)[0], _radii(np.radians(centres[:, 1]))[1]
    east = np.radians(places[:, 0] - centres[:, 0]) * across * np.cos(latitude)
    north = np.radians(places[:, 1] - centres[:, 1]) * along + east**2 * np.tan(latitude) / (2 * across)
    return np.column_stack([east, north])


def _back_from_bent(places: Floats, centres: Floats) -> Floats:
    east, north = places[:, 0], places[:, 1]
    middle = np.radians(centres[:, 1])
    along = _radii(middle)[1]
    latitude = middle + north / along
    for _ in range(4):
        # Each turn brings it nearer by five digits.
        latitude = middle + (north - east**2 * np.tan(latitude) / (2 * _radii(latitude)[0])) / along
    longitude = centres[:, 0] + np.degrees(east / (_radii(latitude)[0] * np.cos(latitude)))
    return np.column_stack([longitude, np.degrees(latitude)])


_FLAT = _Plane(_onto_flat, _back_from_flat)
"""Degrees stretched, so that straight edges stay straight; right near its centre."""
_BENT = _Plane(_onto_bent, _back_from_bent)
"""Parallels bent as meridians converge, to the second order; right for tens of kilometres, where edges are short."""


def _radii(latitude: Floats) -> tuple[Floats, Floats]:
    """The ellipsoid's radii of curvature at a latitude in radians: across the meridian and along it."""
    root = np.sqrt(1 - WGS_84_E2 * np.sin(latitude) ** 2)
    return WGS_84_A / root, WGS_84_A * (1 - WGS_84_E2) / root**3


def _with_coordinates(shapes: Shapes, coordinates: Floats) -> Shapes:
    # set_coordinates replaces the array's elements; the shapes of the caller stay as they are.
    copies: Shapes = shapely.set_coordinates(shapes.copy(), coordinates)
    return copies


def areas(shapes: Iterable[BaseGeometry]) -> list[float | None]:
    """Square metres of each shape's footprint; None where it has no area."""
    return [_area(shape) for shape in shapes]


def _area(shape: BaseGeometry) -> float | None:
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        return None
    flat = shapely.force_2d(shape)
    if shape.has_z and shape.geom_type == "MultiPolygon":
        # The faces of a solid lie above one another; its footprint is what they cover together.
        flat = shapely.union_all([part for part in shapely.get_parts(flat) if part.area > 0])
    area, _ = _WGS_84.geometry_area_perimeter(shapely.orient_polygons(flat))
    return abs(float(area))


def lengths(shapes: Iterable[BaseGeometry]) -> list[float | None]:
    """Metres along each line; None where a shape is none."""
    return [float(_WGS_84.geometry_length(shape)) if shape.geom_type in ("LineString", "MultiLineString") else None for shape in shapes]


def box_area(west: float, south: float, east: float, north: float) -> float:
    """Square metres between two meridians and two parallels."""
    return WGS_84_A**2 * (1 - WGS_84_E2) / 2 * math.radians(east - west) * (_zone(north) - _zone(south))


def _zone(latitude: float) -> float:
    """The ellipsoid's area from the equator to a parallel, as a share (Snyder, Map Projections, equation 3-12)."""
    eccentricity, sine = math.sqrt(WGS_84_E2), math.sin(math.radians(latitude))
    return sine / (1 - WGS_84_E2 * sine**2) + math.atanh(eccentricity * sine) / eccentricity
