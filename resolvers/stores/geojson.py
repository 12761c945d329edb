"""GeoJSON geometries (RFC 7946) in and out. Reading is strict; writing takes many at a time and is for a thread."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from reprlib import Repr
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from graph.errors import BadUserInput

MAX_POSITIONS = 100_000
# How deep the positions lie in each type's `coordinates`.
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxdict, _BRIEF.maxlist, _BRIEF.maxstring = 2, 2, 4, 64
_MAKE: dict[str, Callable[[Any], BaseGeometry]] = {
    "Point": lambda c: shapely.Point(c),
    "MultiPoint": lambda c: shapely.MultiPoint(c),
    "LineString": lambda c: shapely.LineString(c),
    "MultiLineString": lambda c: shapely.MultiLineString(c),
    "Polygon": lambda c: shapely.Polygon(c[0], c[1:]),
    "MultiPolygon": lambda c: shapely.MultiPolygon([(rings[0], rings[1:]) for rings in c]),
}


def read_geometry(value: Mapping[str, Any], types: Sequence[str] = tuple(_DEPTH)) -> BaseGeometry:
    """The shape that a client sent, of one of these types; raises `BadUserInput` with what is wrong where."""
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in types:
        raise BadUserInput(f"A GeoJSON geometry of type {_shown(kind)} is not taken here: expected {', '.join(types)}")
    budget = [MAX_POSITIONS]
    coordinates = _read(value.get("coordinates"), _DEPTH[kind], "coordinates", budget)
    for ring in _rings(kind, coordinates):
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise BadUserInput("A ring of a polygon has at least 4 positions, of which the last equals the first")
    try:
        shape = _MAKE[kind](coordinates)
    except (ValueError, TypeError, shapely.errors.ShapelyError) as error:
        raise BadUserInput(f"The {kind}'s coordinates make no geometry: {error}") from None
    if (reason := invalid_reason(shape)) is not None:
        raise BadUserInput(f"The {kind} is invalid: {reason}")
    return shape


def invalid_reason(shape: BaseGeometry) -> str | None:
    """What makes the shape none, e.g. an edge that crosses another; None where it is one."""
    if shape.has_z and shape.geom_type == "MultiPolygon":
        # The faces of a solid lie above one another, which looks invalid from above.
        return None
    return None if shapely.is_valid(shape) else str(shapely.is_valid_reason(shape))


def check_cut(name: str, shape: BaseGeometry) -> None:
    """Raises `BadUserInput` where an edge runs half around the globe or farther.

    Such a shape crosses the antimeridian the short way and was not cut there, as RFC 7946, section 3.1.9, asks for.
    """
    west, _, east, _ = shape.bounds
    if east - west < 180:
        return
    for part in shapely.get_parts(shape):
        for line in shapely.get_parts(shapely.get_rings(part)) if part.geom_type == "Polygon" else [part]:
            places = shapely.get_coordinates(line)[:, 0]
            if np.abs(np.diff(places)).max(initial=0.0) >= 180:
                raise BadUserInput(f"{name} crosses the antimeridian: cut it there, into parts on either side (RFC 7946, section 3.1.9)")


def _read(value: Any, depth: int, where: str, budget: list[int]) -> Any:
    if not isinstance(value, (list, tuple)) or not value:
        raise BadUserInput(f"{where} is {_shown(value)}: expected a list that is not empty")
    if depth == 0:
        return _position(value, where, budget)
    return [_read(item, depth - 1, f"{where}[{place}]", budget) for place, item in enumerate(value)]


def _position(value: Sequence[Any], where: str, budget: list[int]) -> tuple[float, ...]:
    budget[0] -= 1
    if budget[0] < 0:
        raise BadUserInput(f"A geometry has at most {MAX_POSITIONS:,} positions")
    numbers = [isinstance(number, (int, float)) and not isinstance(number, bool) for number in value]
    if not 2 <= len(value) <= 3 or not all(numbers) or not all(map(math.isfinite, value)):
        raise BadUserInput(f"{where} is {_shown(value)}: expected [longitude, latitude] or [longitude, latitude, height]")
    if not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise BadUserInput(f"{where} is {list(value)}, off the globe: longitude is -180 to 180, latitude -90 to 90")
    return tuple(float(number) for number in value)


def _shown(value: Any) -> str:
    """The beginning of any JSON, however long and deep it is."""
    return _BRIEF.repr(value)


def _rings(kind: str, coordinates: Any) -> list[Any]:
    if kind == "Polygon":
        return list(coordinates)
    return [ring for polygon in coordinates for ring in polygon] if kind == "MultiPolygon" else []


def write_geometries(shapes: Sequence[bytes], *, flat: bool = False) -> list[dict[str, Any]]:
    """Each WKB shape as GeoJSON; `flat` leaves the heights out."""
    geometries = _decoded(shapes)
    return _written(shapely.force_2d(geometries) if flat else geometries)


def write_centroids(shapes: Sequence[bytes]) -> list[dict[str, Any]]:
    return _written(shapely.centroid(_decoded(shapes)))


def _decoded(shapes: Sequence[bytes]) -> Any:
    return shapely.from_wkb(np.array(shapes, dtype=object))


def _written(geometries: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in shapely.to_geojson(geometries)]
