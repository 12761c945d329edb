"""What a draft becomes as a row: its texts, attributes and geometry are checked, measured once, and brought into the form that is stored.

Checking a thousand drafts takes tens of milliseconds: it is not for the event loop.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from graph.errors import BadUserInput, CityGraphError
from resolvers.city_objects.records import CityObjectDraft, CityObjectType, Refusal, fold
from resolvers.stores.geodesy import areas, lengths
from resolvers.stores.geojson import check_cut, invalid_reason
from resolvers.stores.json_bounds import check_json, check_text
from resolvers.stores.json_pointer import plain_number

# What is indexed must fit a page of PostgreSQL's, four bytes a character and tenant and city beside it.
MAX_NAME = 500
MAX_SOURCE = 100
MAX_SOURCE_ID = 400
MAX_ATTRIBUTES = 65_536
MAX_DEPTH = 16
_HAS_FOOTPRINT = (CityObjectType.BUILDING, CityObjectType.BUILDING_PART)


@dataclass(frozen=True, slots=True)
class Shape:
    """A draft's geometry as it is stored, and what is measured of it once."""

    wkb: bytes
    bounds: tuple[float, float, float, float]
    footprint_area: float | None
    length: float | None


def read_shapes(drafts: Sequence[CityObjectDraft]) -> list[Shape | Refusal]:
    """Of each draft its shape, or what is wrong with the draft."""
    bounds = shapely.bounds(np.array([draft.geometry for draft in drafts], dtype=object)).tolist()
    found: list[Shape | Refusal | None] = [
        _fault(place, draft, edges) for place, (draft, edges) in enumerate(zip(drafts, bounds, strict=True))
    ]
    good = [place for place, fault in enumerate(found) if fault is None]
    # RFC 7946, section 3.1.6: the exterior runs counterclockwise.
    shapes = shapely.orient_polygons(np.array([drafts[place].geometry for place in good], dtype=object))
    texts = shapely.to_wkb(shapes, output_dimension=3, flavor="iso")
    for place, wkb, area, length in zip(good, texts, areas(shapes), lengths(shapes), strict=True):
        kind = drafts[place].type
        found[place] = Shape(
            wkb, tuple(bounds[place]), area if kind in _HAS_FOOTPRINT else None, length if kind is CityObjectType.ROAD else None
        )
    return [one for one in found if one is not None]


def _fault(place: int, draft: CityObjectDraft, edges: list[float]) -> Refusal | None:
    member = ""
    try:
        for member, text, most in (
            ("name", draft.name, MAX_NAME),
            ("source", draft.source, MAX_SOURCE),
            ("sourceId", draft.source_id, MAX_SOURCE_ID),
        ):
            if text is not None:
                check_text(member, text, most)
        member = "attributes"
        check_json(member, dict(draft.attributes), MAX_ATTRIBUTES, depth=MAX_DEPTH)
        plain(draft.attributes)
        member = "geometry"
        _check_geometry(f"The geometry of {draft.source_id or draft.name or draft.uuid or draft.type}", draft.geometry, edges)
    except CityGraphError as error:
        return Refusal(place, member, error)
    return None


def _check_geometry(name: str, shape: BaseGeometry, edges: list[float]) -> None:
    if shape.is_empty or not np.isfinite(edges).all():
        raise BadUserInput(f"{name} is empty or has a coordinate that is no number")
    if shape.has_z and not np.isfinite(shapely.get_coordinates(shape, include_z=True)).all():
        raise BadUserInput(f"{name} has a height that is no number")
    west, south, east, north = edges
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise BadUserInput(f"{name} is off the globe: longitude {west} to {east}, latitude {south} to {north}")
    if (reason := invalid_reason(shape)) is not None:
        raise BadUserInput(f"{name} is invalid: {reason}")
    check_cut(name, shape)


def plain(value: Any) -> Any:
    """The JSON value with each number in its one form, so that both stores compare it alike."""
    match value:
        case bool():
            return value
        case int() | float():
            return plain_number(value)
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def row(draft: CityObjectDraft, shape: Shape) -> dict[str, Any]:
    """What is stored, without the columns that say whose and which it is, and since when."""
    west, south, east, north = shape.bounds
    attributes = plain(draft.attributes)
    return {
        "type": draft.type.value,
        "name": draft.name,
        "folded_name": None if draft.name is None else fold(draft.name),
        "source": draft.source,
        "source_id": draft.source_id,
        "geometry": shape.wkb,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "attributes": attributes,
        "footprint_area": shape.footprint_area,
        "length": shape.length,
        "parent": draft.parent,
        "fingerprint": _fingerprint(draft, attributes, shape.wkb),
    }


def _fingerprint(draft: CityObjectDraft, attributes: Any, wkb: bytes) -> bytes:
    """Two drafts that would be stored alike have the same."""
    parent = None if draft.parent is None else draft.parent.hex
    told = [draft.type.value, draft.name, draft.source, draft.source_id, attributes, parent]
    return blake2b(json.dumps(told, sort_keys=True).encode() + wkb, digest_size=16).digest()
