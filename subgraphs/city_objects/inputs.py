"""What a client may send about city objects, and its reading into records; a value that cannot be is BAD_USER_INPUT."""

import asyncio
import math
from collections.abc import Sequence
from typing import TypeVar

import shapely
import strawberry

from graph.contracts import GlobalId, is_city_id
from graph.errors import BadUserInput
from resolvers.city_objects import records
from resolvers.city_objects.queries import MAX_RADIUS_METRES
from resolvers.stores.geojson import read_geometry
from resolvers.stores.geometry import Box
from resolvers.stores.json_pointer import Comparison, pointer_condition
from subgraphs.arguments import given
from subgraphs.scalars import JSON, GeoJSON, Timestamp

MAX_LIST = 1_000
MAX_CONDITIONS = 20
_LONGEST_TEXT = 1_000

Item = TypeVar("Item")

strawberry.enum(records.CityObjectType)
strawberry.enum(Comparison, name="ComparisonOperator")


@strawberry.input
class PointInput:
    longitude: float = strawberry.field(description="Degrees, -180 to 180.")
    latitude: float = strawberry.field(description="Degrees, -90 to 90.")


@strawberry.input(description="Degrees, WGS 84. `west` may exceed `east`: the box then crosses the antimeridian.")
class BoundingBoxInput:
    west: float
    south: float
    east: float
    north: float


@strawberry.input
class NearInput:
    point: PointInput
    radius_metres: float


@strawberry.input(description="`path` is an RFC 6901 pointer into `attributes`.")
class AttributeConditionInput:
    path: str
    op: Comparison = Comparison.EQ
    value: JSON | None = strawberry.UNSET


@strawberry.input(description="All conditions hold together.")
class CityObjectFilter:
    types: list[records.CityObjectType] | None = strawberry.UNSET
    bounding_box: BoundingBoxInput | None = strawberry.UNSET
    intersects: GeoJSON | None = strawberry.field(
        default=strawberry.UNSET, description="A Polygon or MultiPolygon; objects that touch it match."
    )
    near: NearInput | None = strawberry.UNSET
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Part of the name, case-insensitive.")
    source: str | None = strawberry.UNSET
    source_ids: list[str] | None = strawberry.UNSET
    attributes: list[AttributeConditionInput] | None = strawberry.UNSET
    updated_since: Timestamp | None = strawberry.UNSET
    parent_id: strawberry.ID | None = strawberry.UNSET


def read_filter(sent: CityObjectFilter | None, cities: Sequence[str] | None, home_city: str) -> records.CityObjectFilter:
    """Raises `BadUserInput`. Slow for a large outline: not for the event loop where `sent.intersects` is given."""
    named = listed("cities", cities)
    in_cities = None if named is None else tuple(city for city in named if is_city_id(city))
    if sent is None:
        return records.CityObjectFilter(cities=in_cities)
    box, outline, near, name = given(sent.bounding_box), given(sent.intersects), given(sent.near), given(sent.name)
    parent = given(sent.parent_id)
    return records.CityObjectFilter(
        cities=in_cities,
        types=listed("filter.types", given(sent.types)),
        boxes=() if box is None else tuple((part, shapely.to_wkb(_outline(part))) for part in read_box(box)),
        touches=None if outline is None else _read_outline(outline),
        near=None if near is None else _read_near(near),
        name=None if name is None else records.fold(_text("filter.name", name)),
        source=_optional_text("filter.source", given(sent.source)),
        source_ids=_texts("filter.sourceIds", given(sent.source_ids)),
        attributes=tuple(
            pointer_condition(condition.path, condition.op, given(condition.value))
            for condition in listed("filter.attributes", given(sent.attributes), MAX_CONDITIONS) or ()
        ),
        updated_since=given(sent.updated_since),
        parent=None if parent is None else object_key(parent, home_city),
    )


async def filter_of(sent: CityObjectFilter | None, cities: Sequence[str] | None, home_city: str) -> records.CityObjectFilter:
    """The same for the event loop."""
    if sent is not None and given(sent.intersects) is not None:
        return await asyncio.to_thread(read_filter, sent, cities, home_city)
    return read_filter(sent, cities, home_city)


def object_key(id: str, home_city: str) -> records.ObjectKey:
    """City and UUID of an object's identifier."""
    parsed = GlobalId.parse(id, kind="object", home_city=home_city)
    return parsed.city, parsed.uuid


def listed(name: str, items: Sequence[Item] | None, maximum: int = MAX_LIST) -> tuple[Item, ...] | None:
    """The list, if it is not too long."""
    if items is None:
        return None
    if len(items) > maximum:
        raise BadUserInput(f"`{name}` has {len(items):,} items: expected at most {maximum:,}")
    return tuple(items)


def read_box(box: BoundingBoxInput) -> tuple[Box, ...]:
    """The box, in two parts where it crosses the antimeridian."""
    for name, edge, limit in (("west", box.west, 180), ("east", box.east, 180), ("south", box.south, 90), ("north", box.north, 90)):
        if not abs(edge) <= limit:
            raise BadUserInput(f"The box is outside the globe: `{name}` is {edge}, expected -{limit} to {limit}")
    if box.south > box.north:
        raise BadUserInput(f"The box is upside down: `south` is {box.south}, above `north`, {box.north}")
    if box.west <= box.east:
        return (Box(box.west, box.south, box.east, box.north),)
    return Box(box.west, box.south, 180.0, box.north), Box(-180.0, box.south, box.east, box.north)


def _outline(box: Box) -> shapely.Polygon:
    return shapely.box(box.west, box.south, box.east, box.north)


def _read_outline(value: GeoJSON) -> tuple[Box, bytes]:
    shape = read_geometry(value, ("Polygon", "MultiPolygon"))
    flat = shapely.force_2d(shape)
    return Box(*flat.bounds), shapely.to_wkb(flat)


def _read_near(near: NearInput) -> records.Near:
    longitude, latitude = near.point.longitude, near.point.latitude
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise BadUserInput(f"The point is outside the globe: longitude {longitude}, latitude {latitude}")
    point = shapely.to_wkb(shapely.Point(longitude, latitude))
    return records.Near(longitude, latitude, read_radius(near.radius_metres), point)


def read_radius(metres: float) -> float:
    if not (math.isfinite(metres) and 0 <= metres <= MAX_RADIUS_METRES):
        raise BadUserInput(f"`radiusMetres` is {metres}: expected 0 to {MAX_RADIUS_METRES:,.0f}")
    return metres


def _texts(name: str, texts: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(_text(name, text) for text in listed(name, texts) or ())


def _optional_text(name: str, text: str | None) -> str | None:
    return None if text is None else _text(name, text)


def _text(name: str, text: str) -> str:
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise BadUserInput(f"`{name}` has {len(text):,} characters: expected at most {_LONGEST_TEXT:,}, none of them null")
    return text
