"""One statement for any number of askers, and each of them by the index."""

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.loaders import TelemetryLoaders
from resolvers.telemetry.records import Aggregation, SeriesFilter, TelemetrySourceFilter
from resolvers.telemetry.store import point_table, series_table
from tests.fakes.statements import count_statements, record_statements
from tests.resolvers.telemetry.series import SENSOR, TENANT, measured, store_points, window

WINDOWS = [window(0, 100), window(0, 100, Aggregation.AVG, 10), window(0, 100, Aggregation.LTTB, limit=3)]
LATEST = [queries.latest(None, SeriesFilter(TelemetrySourceFilter.REAL)), queries.latest(["temperature"], SeriesFilter())]


async def _ask_everything(store: Store, entities: list[UUID]) -> None:
    await queries.windows(store, TENANT, [(entity, asked) for entity in entities for asked in WINDOWS])
    await queries.latest_points(store, TENANT, [(entity, asked) for entity in entities for asked in LATEST])
    await queries.key_ranges(store, TENANT, entities)
    await queries.last_seen(store, TENANT, entities)


@pytest.mark.parametrize("count", [5, 100])
async def test_statements_when_many_entities_are_asked_then_their_number_does_not_grow(store: Store, count: int) -> None:
    entities = [UUID(int=number) for number in range(count)]
    await store_points(store, *(measured(range(100), range(100), entity=entity) for entity in entities))

    with count_statements(store) as statements:
        await _ask_everything(store, entities)

    assert len(statements) == 4


@pytest.mark.parametrize("count", [5, 100])
async def test_loaders_when_many_resolvers_ask_at_once_then_each_kind_is_one_statement(store: Store, count: int) -> None:
    entities = [UUID(int=number) for number in range(count)]
    await store_points(store, *(measured([number], [number], entity=entity) for number, entity in enumerate(entities)))
    loaders = TelemetryLoaders.make(store, TENANT)

    with count_statements(store) as statements:
        seen, answers = await asyncio.gather(
            asyncio.gather(*(loaders.last_seen.load(entity) for entity in entities)),
            asyncio.gather(*(loaders.windows.load((entity, window(0, 1000))) for entity in entities)),
        )

    assert len(statements) == 2
    assert seen == list(range(count))
    assert [answer.columns[0].timestamps for answer in answers] == [[number] for number in range(count)]


async def test_plans_when_explained_on_sqlite_then_series_and_points_are_found_by_their_keys(sqlite_store: Store) -> None:
    await store_points(sqlite_store, measured([0], [1]))

    with record_statements(sqlite_store) as statements:
        await _ask_everything(sqlite_store, [SENSOR])

    async with sqlite_store.read() as connection:
        for statement, parameters in statements:
            plan = [row.detail for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            found = [step for step in plan if "telemetry_" in step or "later" in step or "points" in step]
            assert found, plan
            assert all(step.startswith("SEARCH") for step in found), plan
            assert all("entity=? AND tenant=?" in step for step in found if "telemetry_series" in step), plan


async def test_plans_when_explained_on_postgresql_then_points_are_never_read_from_end_to_end(postgresql_store: Store) -> None:
    """Analysed or not: the planner cannot know how few series a JSON text asks for."""
    entities = [UUID(int=number) for number in range(2_000)]
    await store_points(postgresql_store, *(measured(range(20), range(20), entity=entity) for entity in entities))
    with record_statements(postgresql_store) as statements:
        await _ask_everything(postgresql_store, entities[:5])

    plans = [await _plans(postgresql_store, statements)]
    async with postgresql_store.write() as connection:
        await connection.exec_driver_sql("ANALYZE")
    plans.append(await _plans(postgresql_store, statements))

    assert [len(found) for found in plans] == [4, 4]
    assert not [plan for found in plans for plan in found if re.search("Seq Scan on telemetry_(point_y1970|latest)", plan)]


async def _plans(store: Store, statements: list[tuple[str, Any]]) -> list[str]:
    async with store.read() as connection:
        found = [await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters) for statement, parameters in statements]
        return ["\n".join(rows.scalars()) for rows in found]


@pytest.mark.parametrize("table", [series_table, point_table])
async def test_migration_when_done_on_sqlite_then_the_table_is_the_one_of_the_code(
    sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory, table: sa.Table
) -> None:
    fresh = Store(f"sqlite:///{tmp_path_factory.mktemp('fresh') / 'city.db'}")
    async with fresh.write() as connection:
        await connection.run_sync(table.metadata.create_all, tables=[series_table, point_table])

    of_code, of_migration = await _schema(fresh, table.name), await _schema(sqlite_store, table.name)
    await fresh.close()

    assert of_migration == of_code


async def _schema(store: Store, table: str) -> list[list[tuple[object, ...]]]:
    """Columns with type, nullability and place in the key; unique columns; foreign keys; whether there are row identifiers."""
    questions = [
        f"SELECT * FROM pragma_table_info('{table}')",
        f"SELECT i.\"unique\", i.origin, c.name FROM pragma_index_list('{table}') i, pragma_index_info(i.name) c",
        f"SELECT * FROM pragma_foreign_key_list('{table}')",
        f"SELECT wr FROM pragma_table_list('{table}')",
    ]
    async with store.read() as connection:
        return [[tuple(row) for row in await connection.exec_driver_sql(question)] for question in questions]
