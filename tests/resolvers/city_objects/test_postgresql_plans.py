"""PostgreSQL answers by its indexes, on enough rows for that to matter: spatial ones, JSON's, and those that have an order."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import shapely
import sqlalchemy as sa

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder, Near
from resolvers.stores.engine import Store
from resolvers.stores.geometry import Box
from resolvers.stores.json_pointer import Comparison, PointerCondition
from resolvers.stores.paging import Window
from tests.fakes.statements import record_statements
from tests.resolvers.city_objects.drafts import CITY, TENANT, put, scattered

OBJECTS = 3_000
PAGE = Window(20)


@pytest.fixture
async def full(postgresql_store: Store) -> AsyncIterator[Store]:
    await ensure_city(postgresql_store, tenant=TENANT, id=CITY, name="Helsinki")
    await put(postgresql_store, *scattered(OBJECTS))
    async with postgresql_store.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("VACUUM ANALYZE city_object"))
    yield postgresql_store


async def plan(store: Store, ask: Callable[[], Awaitable[object]]) -> str:
    with record_statements(store) as sent:
        await ask()
    [(sql, parameters)] = sent
    async with store.read() as connection:
        return "\n".join(row[0] for row in await connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {sql}", parameters))


async def found(store: Store, wanted: CityObjectFilter, order: CityObjectOrder = CityObjectOrder.ID_ASC, window: Window = PAGE) -> str:
    return await plan(store, lambda: queries.city_objects(store, TENANT, wanted, order, window))


async def test_plan_when_space_is_asked_then_the_spatial_index_answers(full: Store) -> None:
    box, point = shapely.box(24.9, 60.15, 24.901, 60.151), shapely.Point(24.9, 60.15)
    in_box = CityObjectFilter(boxes=((Box(*box.bounds), shapely.to_wkb(box)),))
    touching = CityObjectFilter(touches=(Box(*box.bounds), shapely.to_wkb(box)))
    near = CityObjectFilter(near=Near(point.x, point.y, 300.0, shapely.to_wkb(point)))
    [anchor] = (await queries.city_objects(full, TENANT, CityObjectFilter(), CityObjectOrder.ID_ASC, Window(1))).items

    plans = {
        "box": await found(full, in_box),
        "touches": await found(full, touching),
        "near": await found(full, near),
        "nearest": await found(full, near, CityObjectOrder.DISTANCE_ASC),
        "nearby": await plan(full, lambda: queries.neighbours(full, TENANT, [(CITY, anchor.object.uuid)], 300.0, None, 5)),
    }

    for name, steps in plans.items():
        assert "ix_city_object_geometry" in steps, name
        assert "Seq Scan on city_object" not in steps, name


async def test_plan_when_a_value_is_sought_then_the_json_index_answers(full: Store) -> None:
    equal = PointerCondition(("number",), Comparison.EQ, 7)
    among = PointerCondition(("number",), Comparison.IN, (7, 8, 9))
    in_list = PointerCondition(("tags", "1"), Comparison.EQ, "b")

    plans = [await found(full, CityObjectFilter(attributes=(condition,))) for condition in (equal, among, in_list)]

    for steps in plans:
        assert "ix_city_object_attributes" in steps
        assert "Seq Scan on city_object" not in steps


async def test_plan_when_everything_is_listed_then_an_index_has_the_order(full: Store) -> None:
    for order in (CityObjectOrder.ID_ASC, CityObjectOrder.NAME_ASC, CityObjectOrder.UPDATED_AT_DESC):
        [*_, last] = (await queries.city_objects(full, TENANT, CityObjectFilter(), order, Window(5))).items
        steps = await found(full, CityObjectFilter(), order, Window(20, after=queries.position_of(last, order)))

        assert re.search(r"Index Scan using (uq|ix)_city_object_", steps), order
        assert "Sort" not in steps, order
