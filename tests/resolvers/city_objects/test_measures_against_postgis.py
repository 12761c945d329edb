"""Lengths, areas and distances as they are stored and told, against PostGIS's own on `geography`."""

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from pyproj import Geod

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder, CityObjectType, Near
from resolvers.stores.engine import Store
from resolvers.stores.paging import Window
from tests.resolvers.city_objects.drafts import CITY, TENANT, draft, put

STATION = shapely.Point(24.9414, 60.1719)


async def test_lengths_and_areas_when_stored_then_both_stores_have_postgis_own(sqlite_store: Store, postgresql_store: Store) -> None:
    random = np.random.default_rng(7)
    places = random.random((30, 2)) * [300, 150] - [150, 75]
    roads = [shapely.LineString(place + random.random((6, 2)) * 0.02) for place in places]
    houses = [shapely.Polygon(place + random.random((6, 2)) * 0.002).convex_hull for place in places]
    drafts = [draft(f"road/{n}", road, type=CityObjectType.ROAD) for n, road in enumerate(roads)]
    drafts += [draft(f"house/{n}", house) for n, house in enumerate(houses)]
    told = []
    for store in (sqlite_store, postgresql_store):
        await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki")
        await put(store, *drafts)
        page = await queries.city_objects(store, TENANT, CityObjectFilter(), CityObjectOrder.ID_ASC, Window(100))
        told.append([it.object.length or it.object.footprint_area for it in page.items])

    measured = sa.text(
        "SELECT CASE type WHEN 'ROAD' THEN ST_Length(geometry::geography) ELSE ST_Area(geometry::geography) END"
        " FROM city_object ORDER BY city, uuid"
    )
    async with postgresql_store.read() as connection:
        by_postgis = list((await connection.execute(measured)).scalars())

    assert told[0] == told[1]
    assert told[0] == pytest.approx(by_postgis, rel=1e-9)


async def test_distances_when_far_then_they_are_postgis_own_but_for_its_error(city_store: Store) -> None:
    random = np.random.default_rng(8)
    shapes = [shapely.Point(24.9414 + east, 60.1719 + north) for east, north in (random.random((40, 2)) - 0.5) * [1.0, 0.5]]
    shapes += [shapely.LineString([point, (point.x + step, point.y - step)]) for point, step in zip(shapes, random.random(40), strict=True)]
    await put(city_store, *(draft(f"thing/{n}", shape) for n, shape in enumerate(shapes)))
    near = Near(STATION.x, STATION.y, 50_000.0, shapely.to_wkb(STATION))

    page = await queries.city_objects(city_store, TENANT, CityObjectFilter(near=near), CityObjectOrder.DISTANCE_ASC, Window(100))

    # The expected are those of the ellipsoid, along edges straight in longitude and latitude, by an independent search.
    expected = sorted(metres for shape in shapes if (metres := brute_force(shape)) <= 50_000)
    assert [it.distance for it in page.items] == pytest.approx(expected, rel=1e-5)


def brute_force(shape: shapely.Geometry) -> float:
    places = shapely.get_coordinates(shapely.segmentize(shape, max(shape.length / 20_000, 1e-9)))
    count = len(places)
    return float(min(Geod(ellps="WGS84").inv([STATION.x] * count, [STATION.y] * count, places[:, 0], places[:, 1])[2]))
