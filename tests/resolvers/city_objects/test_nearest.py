"""Distances and what is nearest, against an independent computation over every object."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from pyproj import Geod

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder, CityObjectType, Found, Near
from resolvers.stores.engine import Store
from resolvers.stores.geodesy import distances
from resolvers.stores.paging import Window
from tests.fakes.statements import count_statements, record_statements
from tests.resolvers.city_objects.drafts import CITY, STATION, TENANT, draft, put, scattered

GEOD = Geod(ellps="WGS84")
DISTANCE = CityObjectOrder.DISTANCE_ASC


def near(radius: float, point: shapely.Point = STATION) -> Near:
    return Near(point.x, point.y, radius, shapely.to_wkb(point))


def brute_force(point: shapely.Point, shape: shapely.Geometry) -> float:
    """Metres to the nearest of many points along the shape's edge; 0 inside."""
    if shapely.intersects(point, shape):
        return 0.0
    places = shapely.get_coordinates(shapely.segmentize(shape, shape.length / 20_000 if shape.length else 1.0))
    count = len(places)
    return float(min(GEOD.inv([point.x] * count, [point.y] * count, places[:, 0], places[:, 1])[2]))


@pytest.mark.parametrize("radius", [300.0, 3_000.0, 50_000.0])
async def test_nearest_when_many_are_near_then_the_first_ones_are_the_nearest_of_all(city_store: Store, radius: float) -> None:
    drafts = scattered(400)
    uuids = await put(city_store, *drafts)
    exact = distances(STATION, np.array([it.geometry for it in drafts]))
    expected = sorted((metres, uuid.hex) for metres, uuid in zip(exact, uuids, strict=True) if metres <= radius)[:25]

    page = await queries.city_objects(city_store, TENANT, CityObjectFilter(near=near(radius)), DISTANCE, Window(25))

    assert [(found.distance, found.object.uuid.hex) for found in page.items] == expected


async def test_nearest_when_only_far_objects_meet_the_filter_then_they_are_found(city_store: Store) -> None:
    await put(city_store, *scattered(60))
    [far] = await put(city_store, draft("far", shapely.Point(25.5, 60.4), type=CityObjectType.VEHICLE))

    only = CityObjectFilter(near=near(50_000.0), types=(CityObjectType.VEHICLE,))
    page = await queries.city_objects(city_store, TENANT, only, DISTANCE, Window(1))

    assert [found.object.uuid for found in page.items] == [far]
    assert page.items[0].distance == pytest.approx(GEOD.inv(24.9414, 60.1719, 25.5, 60.4)[2], abs=1e-6)


def test_distance_when_shapes_are_near_and_far_then_it_is_the_ellipsoids() -> None:
    shapes = [
        shapely.LineString([(24.9, 60.1), (24.95, 60.16), (25.1, 60.2)]),
        shapely.box(24.6, 60.3, 24.7, 60.5),
        shapely.LineString([(24.0, 60.0), (24.0, 60.4)]),
        shapely.box(24.94, 60.17, 24.95, 60.18),
    ]

    found = distances(STATION, np.array(shapes))

    assert found.tolist() == pytest.approx([brute_force(STATION, shape) for shape in shapes], rel=1e-5)
    assert found[3] == 0.0


def test_distance_when_the_antimeridian_lies_between_then_it_is_the_short_way() -> None:
    fiji = shapely.Point(179.9999, -17.0)

    found = distances(fiji, np.array([shapely.Point(-179.9999, -17.0)]))

    assert found.tolist() == pytest.approx([GEOD.inv(179.9999, -17.0, -179.9999, -17.0)[2]], abs=1e-6)
    assert found[0] < 22


async def test_nearby_when_the_antimeridian_lies_between_then_the_neighbour_is_found(city_store: Store) -> None:
    west, east = await put(city_store, draft("west", shapely.Point(179.9999, -17.0)), draft("east", shapely.Point(-179.9999, -17.0)))

    near_west, near_east = await queries.neighbours(city_store, TENANT, [(CITY, west), (CITY, east)], 100.0, None, 5)

    assert [found.object.uuid for found in near_west] == [east]
    assert [found.object.uuid for found in near_east] == [west]


async def test_nearby_when_shapes_are_large_then_they_are_measured_shape_to_shape(city_store: Store) -> None:
    house, road = await put(
        city_store,
        draft("house", shapely.box(24.9400, 60.1700, 24.9410, 60.1705)),
        draft("road", shapely.LineString([(24.9300, 60.1710), (24.9500, 60.1710)]), type=CityObjectType.ROAD),
    )

    [found] = await queries.neighbours(city_store, TENANT, [(CITY, house)], 100.0, None, 5)

    across = GEOD.inv(24.9405, 60.1705, 24.9405, 60.1710)[2]
    assert [(it.object.uuid, it.distance) for it in found] == [(road, pytest.approx(across, abs=1e-3))]


async def test_nearby_when_many_objects_ask_then_each_gets_its_own_nearest(city_store: Store) -> None:
    drafts = scattered(150)
    uuids = await put(city_store, *drafts)
    shapes = np.array([it.geometry for it in drafts])

    with count_statements(city_store) as statements:
        found = await queries.neighbours(city_store, TENANT, [(CITY, uuid) for uuid in uuids], 2_000.0, None, 3)

    assert len(statements) == 1
    for place, mine in enumerate(found):
        exact = distances(drafts[place].geometry, shapes)
        exact[place] = np.inf
        nearest = sorted(metres for metres in exact if metres <= 2_000.0)[:3]
        assert [it.distance for it in mine] == pytest.approx(nearest, rel=1e-7, abs=2e-6)
        assert uuids[place] not in [it.object.uuid for it in mine]


async def test_pages_when_ordered_by_distance_then_both_directions_show_each_object_once(city_store: Store) -> None:
    # Ten lie at the same place: equal distances are told apart by the identifier.
    await put(city_store, *scattered(80), *[draft(f"same/{number}") for number in range(10)])
    wanted = CityObjectFilter(near=near(50_000.0))
    everything = (await queries.city_objects(city_store, TENANT, wanted, DISTANCE, Window(1_000))).items

    forward, backward = await _walk(city_store, wanted, backward=False), await _walk(city_store, wanted, backward=True)

    assert len(everything) == 90
    assert forward == list(everything)
    assert backward == list(everything)


async def _walk(store: Store, wanted: CityObjectFilter, *, backward: bool) -> list[Found]:
    found: list[Found] = []
    window = Window(7, backward=backward)
    while True:
        page = await queries.city_objects(store, TENANT, wanted, DISTANCE, window)
        found = [*page.items, *found] if backward else [*found, *page.items]
        if not (page.has_previous if backward else page.has_next):
            return found
        end = queries.position_of(page.items[0] if backward else page.items[-1], DISTANCE)
        window = Window(7, before=end, backward=True) if backward else Window(7, after=end)


@pytest.mark.parametrize("order", [DISTANCE, CityObjectOrder.ID_ASC])
async def test_plan_when_near_is_asked_then_the_spatial_index_answers(sqlite_store: Store, order: CityObjectOrder) -> None:
    await ensure_city(sqlite_store, tenant=TENANT, id=CITY, name="Helsinki")
    await put(sqlite_store, *scattered(30))

    plan = await _plan(sqlite_store, CityObjectFilter(near=near(500.0)), order)

    assert any("city_object_geometry_rt VIRTUAL TABLE INDEX 2:" in step for step in plan)
    assert not any(step.startswith("SCAN city_object") and "VIRTUAL" not in step for step in plan)


async def _plan(store: Store, wanted: CityObjectFilter, order: CityObjectOrder) -> list[str]:
    with record_statements(store) as sent:
        await queries.city_objects(store, TENANT, wanted, order, Window(5))
    [(sql, parameters)] = sent
    async with store.read() as connection:
        return [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]


async def test_plan_when_nearby_is_asked_then_the_spatial_index_answers(sqlite_store: Store) -> None:
    await ensure_city(sqlite_store, tenant=TENANT, id=CITY, name="Helsinki")
    uuids = await put(sqlite_store, *scattered(30))

    with record_statements(sqlite_store) as sent:
        await queries.neighbours(sqlite_store, TENANT, [(CITY, uuid) for uuid in uuids], 500.0, (CityObjectType.SENSOR,), 5)
    [(sql, parameters)] = sent
    async with sqlite_store.read() as connection:
        plan = [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    assert sum("city_object_geometry_rt VIRTUAL TABLE INDEX 2:" in step for step in plan) >= 2
    assert not any(step.startswith("SCAN city_object") and "VIRTUAL" not in step for step in plan)


def test_order_when_distances_are_equal_then_ties_are_stable() -> None:
    shapes = np.array([shapely.Point(24.95, 60.17)] * 9)

    found = distances(STATION, shapes)

    assert all(one == other for one, other in pairwise(found))
