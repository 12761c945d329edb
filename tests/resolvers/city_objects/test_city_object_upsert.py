"""What an upsert makes of drafts."""

from uuid import UUID

import pytest
import shapely
from pyproj import Geod

from graph.contracts import source_uuid
from graph.errors import BadUserInput, NotFound
from resolvers.city_objects import commands, queries
from resolvers.city_objects.records import CityObjectType, UpsertOutcome
from resolvers.stores.engine import Store
from tests.resolvers.city_objects.drafts import CITY, TENANT, draft, put

SQUARE = shapely.box(24.94, 60.17, 24.941, 60.171)


async def test_upsert_when_repeated_then_nothing_is_touched(city_store: Store) -> None:
    drafts = [draft("way/1", SQUARE, name="Mill"), draft("way/2")]
    uuids = await put(city_store, *drafts, now=1_000)

    again = await commands.upsert(city_store, tenant=TENANT, city=CITY, drafts=drafts, now=2_000)

    assert again == UpsertOutcome(created=0, updated=0, unchanged=2, uuids=tuple(uuids))
    found = await queries.by_keys(city_store, TENANT, [(CITY, uuid) for uuid in uuids])
    assert [(it.version, it.created_at, it.updated_at) for it in found.values()] == [(1, 1_000, 1_000)] * 2


async def test_upsert_when_a_name_changes_then_the_version_increases_by_one(city_store: Store) -> None:
    [uuid] = await put(city_store, draft("way/1", SQUARE, name="Mill"), now=1_000)

    outcome = await commands.upsert(city_store, tenant=TENANT, city=CITY, drafts=[draft("way/1", SQUARE, name="New Mill")], now=2_000)

    assert (outcome.created, outcome.updated, outcome.unchanged) == (0, 1, 0)
    it = (await queries.by_keys(city_store, TENANT, [(CITY, uuid)]))[CITY, uuid]
    assert (it.name, it.version, it.created_at, it.updated_at) == ("New Mill", 2, 1_000, 2_000)


async def test_uuid_when_a_source_is_known_then_it_is_version_5_of_tenant_and_source(city_store: Store) -> None:
    [uuid] = await put(city_store, draft("way/1"))

    assert uuid == source_uuid(TENANT, "test", "way/1")
    assert uuid.version == 5


async def test_upsert_when_an_object_was_given_its_uuid_then_its_source_finds_it(city_store: Store) -> None:
    given = UUID("2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a")
    await put(city_store, draft("way/1", uuid=given))

    [found] = await put(city_store, draft("way/1", name="Mill"))

    assert found == given


async def test_area_when_a_building_is_stored_then_it_is_the_ellipsoids(city_store: Store) -> None:
    with_hole = shapely.Polygon(SQUARE.exterior.coords, [shapely.box(24.9402, 60.1702, 24.9404, 60.1704).exterior.coords])
    [uuid] = await put(city_store, draft("way/1", with_hole))

    it = (await queries.by_keys(city_store, TENANT, [(CITY, uuid)]))[CITY, uuid]

    geod = Geod(ellps="WGS84")
    outer, _ = geod.polygon_area_perimeter(*zip(*SQUARE.exterior.coords, strict=True))
    hole, _ = geod.polygon_area_perimeter([24.9402, 24.9404, 24.9404, 24.9402], [60.1702, 60.1702, 60.1704, 60.1704])
    assert it.footprint_area == pytest.approx(abs(outer) - abs(hole), rel=1e-9)
    assert it.length is None


async def test_length_when_a_road_is_stored_then_it_is_the_ellipsoids(city_store: Store) -> None:
    road = draft("way/1", shapely.LineString([(24.94, 60.17), (24.95, 60.17)]), type=CityObjectType.ROAD)
    [uuid] = await put(city_store, road)

    it = (await queries.by_keys(city_store, TENANT, [(CITY, uuid)]))[CITY, uuid]

    assert it.length == pytest.approx(Geod(ellps="WGS84").inv(24.94, 60.17, 24.95, 60.17)[2], rel=1e-12)


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        (shapely.Point(), "is empty"),
        (shapely.Point(200, 60), "off the globe: longitude 200.0 to 200.0"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "invalid: Self-intersection"),
    ],
)
async def test_upsert_when_a_geometry_is_wrong_then_it_is_named_and_nothing_is_stored(
    city_store: Store, geometry: shapely.Geometry, message: str
) -> None:
    with pytest.raises(BadUserInput, match=message):
        await put(city_store, draft("way/1"), draft("way/2", geometry))

    assert await queries.by_keys(city_store, TENANT, [(CITY, source_uuid(TENANT, "test", "way/1"))]) == {}


async def test_upsert_when_the_city_is_unknown_then_not_found(city_store: Store) -> None:
    with pytest.raises(NotFound, match="no city 'XX'"):
        await put(city_store, draft("way/1"), city="XX")


async def test_delete_when_an_object_has_children_then_they_stay_without_a_parent(city_store: Store) -> None:
    [parent] = await put(city_store, draft("house"))
    [child] = await put(city_store, draft("room", parent=parent))

    await commands.delete(city_store, (), tenant=TENANT, city=CITY, uuid=parent, now=2_000)

    found = await queries.by_keys(city_store, TENANT, [(CITY, parent), (CITY, child)])
    assert list(found) == [(CITY, child)]
    assert (found[CITY, child].parent, found[CITY, child].version) == (None, 2)
    with pytest.raises(NotFound):
        await commands.delete(city_store, (), tenant=TENANT, city=CITY, uuid=parent, now=3_000)
