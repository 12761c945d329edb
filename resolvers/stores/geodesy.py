"""Metres on the WGS 84 ellipsoid: margins, distances, lengths and areas. Degrees are never taken for metres.

Edges between two vertices are straight in longitude and latitude, as RFC 7946 has them.
"""

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

Floats: TypeAlias = NDArray[np.float64]
Shapes: TypeAlias = NDArray[np.object_]

_WGS_84 = Geod(ellps="WGS84")
_A, _E2 = _WGS_84.a, _WGS_84.es

# The shortest degree of latitude (at the equator) and the length of a degree of longitude there; both on WGS 84.
_METRES_PER_DEGREE_OF_LATITUDE = 110_574.0
_METRES_PER_DEGREE_OF_LONGITUDE = 111_319.0

# One scale for a whole neighbourhood puts the nearest points of two shapes wrong by no more than 1e-6 of their distance
# up to here; beyond, each pair gets the scale of its own latitude.
_ONE_SCALE_METRES = 2_000.0
_MICROMETRES = 6


def latitude_margin(metres: float) -> float:
    """Degrees of latitude that are at least so many metres, anywhere."""
    return metres / _METRES_PER_DEGREE_OF_LATITUDE


def longitude_margin(south: float, north: float, metres: float) -> float:
    """Degrees of longitude that are at least so many metres at every latitude within so many metres of the band."""
    widest = max(abs(south), abs(north)) + latitude_margin(metres)
    if widest >= 89.9:
        return 360.0
    return metres / (_METRES_PER_DEGREE_OF_LONGITUDE * math.cos(math.radians(widest)))


def diagonal(west: float, south: float, east: float, north: float) -> float:
    """Metres that no two points of the box are farther apart than."""
    if east - west >= 180.0:
        return math.pi * _A
    lowest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    width = (east - west) * _METRES_PER_DEGREE_OF_LONGITUDE * math.cos(math.radians(lowest)) * 1.01
    # A degree of latitude is longest at the poles.
    return math.hypot(width, (north - south) * 111_700.0)


def distances(shape: BaseGeometry, others: Shapes) -> Floats:
    """Metres from `shape` to each of `others`, nearest point to nearest point, to the micrometre; 0 where they touch."""
    if len(others) == 0:
        return np.empty(0)
    west, south, east, north = shape.bounds
    centre = np.array([(west + east) / 2, (south + north) / 2])
    here = _moved(np.array([shapely.force_2d(shape)], dtype=object), centre[0])
    there = _moved(shapely.force_2d(others), centre[0])

    latitudes = np.full(len(others), centre[1])
    metres, middles = _nearest(_scaled(here, latitudes[:1], centre), _scaled(there, latitudes[:1], centre), centre, latitudes)

    tall = latitude_margin(_ONE_SCALE_METRES) < north - south
    far = np.flatnonzero((metres > _ONE_SCALE_METRES) | tall)
    for _ in range(2 if len(far) else 0):
        latitudes[far] = middles[far]
        copies = np.repeat(here, len(far))
        near_ends = _scaled(copies, latitudes[far], centre)
        metres[far], middles[far] = _nearest(near_ends, _scaled(there[far], latitudes[far], centre), centre, latitudes[far])
    return np.round(metres, _MICROMETRES)


def _moved(shapes: Shapes, longitude: float) -> Shapes:
    """The shapes shifted by whole turns, to the side of the antimeridian where `longitude` is."""
    bounds = shapely.bounds(shapes)
    turns = 360.0 * np.round((longitude - (bounds[:, 0] + bounds[:, 2]) / 2) / 360.0)
    if not turns.any():
        return shapes
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    coordinates[:, 0] += turns[owner]
    return _with_coordinates(shapes, coordinates)


def _scaled(shapes: Shapes, latitudes: Floats, centre: Floats) -> Shapes:
    """The shapes in metres around `centre`, each by the scale of its latitude (or all by the one that is given)."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    scales = _scales(latitudes)
    coordinates = (coordinates - centre) * (scales if len(latitudes) == 1 else scales[owner])
    return _with_coordinates(shapes, coordinates)


def _with_coordinates(shapes: Shapes, coordinates: Floats) -> Shapes:
    # set_coordinates replaces the array's elements; the shapes of the caller stay as they are.
    copies: Shapes = shapely.set_coordinates(shapes.copy(), coordinates)
    return copies


def _scales(latitudes: Floats) -> Floats:
    """Metres per degree of longitude and latitude: the ellipsoid's radii of curvature (prime vertical, meridional)."""
    sine, cosine = np.sin(np.radians(latitudes)), np.cos(np.radians(latitudes))
    root = np.sqrt(1 - _E2 * sine**2)
    return np.radians(np.column_stack([_A / root * cosine, _A * (1 - _E2) / root**3]))


def _nearest(here: Shapes, there: Shapes, centre: Floats, latitudes: Floats) -> tuple[Floats, Floats]:
    """Geodesic metres between the nearest points of each pair of scaled shapes, and the latitude half-way."""
    ends = shapely.get_coordinates(shapely.shortest_line(here, there)).reshape(-1, 2, 2)
    degrees = ends / _scales(latitudes)[:, None, :] + centre
    start, end = degrees[:, 0], degrees[:, 1]
    _, _, metres = _WGS_84.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.asarray(metres), (start[:, 1] + end[:, 1]) / 2


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
    return _A**2 * (1 - _E2) / 2 * math.radians(east - west) * (_zone(north) - _zone(south))


def _zone(latitude: float) -> float:
    """The ellipsoid's area from the equator to a parallel, as a share (Snyder, Map Projections, equation 3-12)."""
    eccentricity, sine = math.sqrt(_E2), math.sin(math.radians(latitude))
    return sine / (1 - _E2 * sine**2) + math.atanh(eccentricity * sine) / eccentricity
