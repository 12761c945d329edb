"""City objects as GraphQL types. Each wraps its record; what needs another look-up goes through a batching loader."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry

from graph.contracts import GlobalId, is_city_id
from graph.errors import BadUserInput
from graph.rights import Scope, any_of
from resolvers.city_objects import loaders, queries, records
from resolvers.stores.engine import Store
from resolvers.stores.geodesy import box_area
from resolvers.stores.geometry import Box
from resolvers.stores.paging import Page
from subgraphs.arguments import given
from subgraphs.city_objects.inputs import BoundingBoxInput, listed, object_key, read_box, read_radius
from subgraphs.connections import Cursors, PageInfo, in_turns, page_info, page_size, window
from subgraphs.context import SliceContext
from subgraphs.directives import semantic
from subgraphs.node import Node
from subgraphs.scalars import GeoJSON, JSONObject, Timestamp

Value = TypeVar("Value")
Info: TypeAlias = strawberry.Info[SliceContext, None]

READ = any_of(Scope.OBJECTS_READ)
VISIBLE = any_of(Scope.OBJECTS_READ, Scope.OBJECTS_WRITE)
"""Who may only write still sees what it has written."""
_LARGEST_INT = 2**31
_FOOTPRINT, _MOST_DETAILED = 0, 3


@strawberry.federation.type(requires_scopes=READ)
class CityObjectCount:
    type: records.CityObjectType
    count: int


async def _city_object_counts(root: "City", info: Info) -> list[CityObjectCount] | None:
    loader = _loader(info, "city_counts", loaders.CityCountLoader)
    return [CityObjectCount(type=kind, count=number) for kind, number in await loader.load(root.id)]


async def _extent(root: "City", info: Info) -> GeoJSON | None:
    box = await _loader(info, "city_extents", loaders.CityExtentLoader).load(root.id)
    return None if box is None else _as_polygon(box)


@strawberry.federation.type(keys=["id"])
class City:
    """What city objects tell of their city; the rest is another subgraph's."""

    id: strawberry.ID
    extent: GeoJSON | None = strawberry.federation.field(
        resolver=_extent, requires_scopes=any_of(Scope.CITIES_READ), description="Everything the city holds lies inside."
    )
    city_object_counts: list[CityObjectCount] | None = strawberry.federation.field(resolver=_city_object_counts, requires_scopes=READ)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "City | None":
        return cls(id=id) if is_city_id(id) else None


async def _geometry(
    root: "CityObject", info: Info, lod: int | None = strawberry.UNSET, view: BoundingBoxInput | None = strawberry.UNSET
) -> GeoJSON | None:
    level = _level_of_detail(given(lod), given(view))
    # One geometry is stored, the most detailed; of the levels below it only the footprint can be derived.
    if level == _FOOTPRINT:
        loader = info.context.loader("city_objects.footprint", loaders.footprints)
    else:
        loader = info.context.loader("city_objects.geometry", loaders.detailed_geometries)
    return GeoJSON(await loader.load(root.record.geometry))


def _level_of_detail(lod: int | None, view: BoundingBoxInput | None) -> int:
    if lod is not None and not _FOOTPRINT <= lod <= _MOST_DETAILED:
        raise BadUserInput(f"`lod` is {lod}: expected 0 (footprint) to 3 (detailed)")
    level = _MOST_DETAILED if lod is None else lod
    if view is None:
        return level
    square_kilometres = sum(box_area(part.west, part.south, part.east, part.north) for part in read_box(view)) / 1e6
    thresholds = (100, 10, 1)
    return min(level, next((lod for lod, area in enumerate(thresholds) if square_kilometres > area), _MOST_DETAILED))


async def _centroid(root: "CityObject", info: Info) -> GeoJSON | None:
    loader = info.context.loader("city_objects.centroid", loaders.centroids)
    return GeoJSON(await loader.load(root.record.geometry))


async def _parent(root: "CityObject", info: Info) -> "CityObject | None":
    if root.record.parent is None:
        return None
    return await load_city_object(info.context, (root.record.city, root.record.parent))


async def _children(
    root: "CityObject",
    info: Info,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
) -> "CityObjectConnection":
    order = records.CityObjectOrder.ID_ASC
    cursors = Cursors.under("children", order, queries.POSITIONS[order], root.key)
    wanted = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    context, key = info.context, root.key
    loader = context.loader(f"city_objects.children:{wanted!r}", lambda: loaders.ChildrenLoader(context.store, context.tenant, wanted))
    counter = _loader(info, "child_counts", loaders.ChildCountLoader)
    return CityObjectConnection(page=await loader.load(key), order=order, cursors=cursors, count=lambda: counter.load(key))


async def _nearby(
    root: "CityObject",
    info: Info,
    radius_metres: float,
    types: list[records.CityObjectType] | None = strawberry.UNSET,
    first: int | None = strawberry.UNSET,
) -> "list[NearbyCityObject]":
    radius, kinds, limit = read_radius(radius_metres), listed("types", given(types)), page_size("first", given(first))
    context = info.context
    loader = context.loader(
        f"city_objects.nearby:{radius!r}:{kinds!r}:{limit}",
        lambda: loaders.NeighbourLoader(context.store, context.tenant, radius, kinds, limit),
    )
    return [
        NearbyCityObject(distance_metres=found.distance or 0.0, node=city_object(found.object)) for found in await loader.load(root.key)
    ]


@strawberry.federation.interface(
    keys=["id"],
    description="A thing in the city with a place: a building, a road, a sensor. `id` is the ICD's `entityId`.",
)
class CityObject(Node):
    record: strawberry.Private[records.CityObject]

    id: strawberry.ID = strawberry.federation.field(directives=[semantic("dt:entityId")])
    uuid: UUID
    city: City | None
    type: records.CityObjectType
    name: str | None
    source_id: str | None = strawberry.field(
        description="The identifier in the source system, unique together with `source`; e.g. `way/26984373`."
    )
    source: str | None = strawberry.field(description="The system it came from; e.g. `openstreetmap`, `arcgis`, `cityjson`.")
    geometry: GeoJSON | None = strawberry.field(
        resolver=_geometry,
        description="`lod` caps the level of detail (0 footprint, 1 block, 2 roof, 3 detailed); `view` picks one by its "
        "area: over 100 km² 0, over 10 1, over 1 2, else 3. Neither: the most detailed.",
    )
    centroid: GeoJSON | None = strawberry.field(resolver=_centroid)
    attributes: JSONObject = strawberry.field(description="Every attribute of the source, typed fields included.")
    created_at: Timestamp
    updated_at: Timestamp
    version: int = strawberry.field(description="Increases by one with each change.")
    parent: "CityObject | None" = strawberry.field(resolver=_parent)
    children: "CityObjectConnection" = strawberry.field(resolver=_children)
    nearby: "list[NearbyCityObject]" = strawberry.field(
        resolver=_nearby,
        description="Nearest first, shape to shape on the ellipsoid; the object itself is left out.",
    )

    @property
    def key(self) -> records.ObjectKey:
        return self.record.city, self.record.uuid

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "CityObject | None":
        """Null where nothing is visible under the identifier, and where it is of another type than was said."""
        found = await load_city_object(info.context, object_key(id, info.context.home_city))
        return found if isinstance(found, cls) else None


@strawberry.federation.type(requires_scopes=VISIBLE)
class Address:
    street: str | None
    house_number: str | None
    postcode: str | None
    locality: str | None


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Building(CityObject):
    building_type: str | None
    address: Address | None
    height_metres: float | None
    storeys_above_ground: int | None
    storeys_below_ground: int | None
    year_built: int | None
    footprint_area_square_metres: float | None


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Road(CityObject):
    road_type: str | None
    lanes: int | None
    max_speed_kmh: float | None
    surface: str | None
    oneway: bool | None
    length_metres: float | None


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Sensor(CityObject):
    sensor_type: str | None
    manufacturer: str | None
    model_name: str | None


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class GenericCityObject(CityObject):
    class_name: str | None = strawberry.field(description="The source's own class, where it is none of the types above.")


@strawberry.federation.type(requires_scopes=READ)
class NearbyCityObject:
    distance_metres: float
    node: CityObject


@strawberry.federation.type(requires_scopes=READ)
class CityObjectEdge:
    cursor: str
    node: CityObject
    distance_metres: float | None = strawberry.field(description="With `filter.near`.")


def _edges(root: "CityObjectConnection") -> Any:
    def edge(found: records.Found) -> CityObjectEdge:
        return CityObjectEdge(cursor=root.cursor(found), node=city_object(found.object), distance_metres=found.distance)

    return in_turns(root.page.items, edge)


def _nodes(root: "CityObjectConnection") -> Any:
    return in_turns(root.page.items, lambda found: city_object(found.object))


def _page_info(root: "CityObjectConnection") -> PageInfo:
    ends = root.page.items[:1] + root.page.items[-1:]
    return page_info(root.page, [root.cursor(found) for found in ends])


async def _total_count(root: "CityObjectConnection") -> int | None:
    return await root.count()


@strawberry.federation.type(requires_scopes=READ)
class CityObjectConnection:
    """Made of one page; cursors, nodes and the count are worked out where they are selected."""

    page: strawberry.Private[Page[records.Found]]
    order: strawberry.Private[records.CityObjectOrder]
    cursors: strawberry.Private[Cursors]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    edges: list[CityObjectEdge] = strawberry.field(resolver=_edges)
    nodes: list[CityObject] = strawberry.field(resolver=_nodes)
    page_info: PageInfo = strawberry.field(resolver=_page_info)
    total_count: int | None = strawberry.field(resolver=_total_count, description="Counted only where it is selected.")

    def cursor(self, found: records.Found) -> str:
        return self.cursors.write(queries.position_of(found, self.order))


def city_object(record: records.CityObject) -> CityObject:
    """The record as the GraphQL type that its type has."""
    common: dict[str, Any] = {
        "id": strawberry.ID(str(GlobalId(record.city, "object", record.uuid))),
        "record": record,
        "uuid": record.uuid,
        "city": City(id=strawberry.ID(record.city)),
        "type": record.type,
        "name": record.name,
        "source_id": record.source_id,
        "source": record.source,
        "attributes": record.attributes,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "version": record.version,
    }
    match record.type:
        case records.CityObjectType.BUILDING | records.CityObjectType.BUILDING_PART:
            return _building(record, common)
        case records.CityObjectType.ROAD:
            return _road(record, common)
        case records.CityObjectType.SENSOR:
            return _sensor(record, common)
    return GenericCityObject(class_name=_typed(record, "className", str), **common)


def _building(record: records.CityObject, common: dict[str, Any]) -> Building:
    return Building(
        building_type=_typed(record, "buildingType", str),
        address=_address(record.attributes.get("address")),
        height_metres=_number(record, "heightMetres"),
        storeys_above_ground=_typed(record, "storeysAboveGround", int),
        storeys_below_ground=_typed(record, "storeysBelowGround", int),
        year_built=_typed(record, "yearBuilt", int),
        footprint_area_square_metres=record.footprint_area,
        **common,
    )


def _road(record: records.CityObject, common: dict[str, Any]) -> Road:
    return Road(
        road_type=_typed(record, "roadType", str),
        lanes=_typed(record, "lanes", int),
        max_speed_kmh=_number(record, "maxSpeedKmh"),
        surface=_typed(record, "surface", str),
        oneway=_typed(record, "oneway", bool),
        length_metres=record.length,
        **common,
    )


def _sensor(record: records.CityObject, common: dict[str, Any]) -> Sensor:
    return Sensor(
        sensor_type=_typed(record, "sensorType", str),
        manufacturer=_typed(record, "manufacturer", str),
        model_name=_typed(record, "modelName", str),
        **common,
    )


def _address(value: Any) -> Address | None:
    if not isinstance(value, dict):
        return None
    parts = [value.get(name) for name in ("street", "houseNumber", "postcode", "locality")]
    street, house_number, postcode, locality = (part if isinstance(part, str) else None for part in parts)
    return Address(street=street, house_number=house_number, postcode=postcode, locality=locality)


def _typed(record: records.CityObject, name: str, kind: type[Value]) -> Value | None:
    """The attribute where it is of that type: a source may call something else by a field's name."""
    value = record.attributes.get(name)
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= _LARGEST_INT):
        return None
    typed: Value = value
    return typed


def _number(record: records.CityObject, name: str) -> float | None:
    whole = _typed(record, name, int)
    return _typed(record, name, float) if whole is None else float(whole)


def _as_polygon(box: Box) -> GeoJSON:
    west, south, east, north = box.west, box.south, box.east, box.north
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return GeoJSON({"type": "Polygon", "coordinates": [ring]})


async def load_city_object(context: SliceContext, key: records.ObjectKey) -> CityObject | None:
    loader = context.loader("city_objects.by_key", lambda: loaders.CityObjectLoader(context.store, context.tenant))
    record = await loader.load(key)
    return None if record is None else city_object(record)


def _loader(info: Info, name: str, make: Callable[[Store, str], Value]) -> Value:
    context = info.context
    return context.loader(f"city_objects.{name}", lambda: make(context.store, context.tenant))
