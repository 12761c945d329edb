"""Every migration up and down on either engine, over rows that have to come through."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
import sqlalchemy as sa

from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store
from resolvers.stores.migrate import downgrade, migrate
from resolvers.stores.revision import newest_revision
from resolvers.telemetry import queries
from resolvers.telemetry.records import SeriesFilter
from tests.fakes.postgresql import PostgreSQL
from tests.resolvers.city_objects import drafts
from tests.resolvers.telemetry.series import SENSOR, ask, columns, measured, simulated, store_points, window

REVISIONS = [f"{number:04}" for number in range(1, int(newest_revision()) + 1)]
THIS_YEAR = datetime.now(UTC).year
TIMES = [-(2**53), -5, 0, *(int(datetime(year, 7, 31, tzinfo=UTC).timestamp() * 1000) for year in (2001, THIS_YEAR, 2099, 2150))]
_KEPT = {
    "telemetry_series": "SELECT id, tenant, entity, key, unit, source, scenario FROM telemetry_series ORDER BY id",
    "telemetry_point": "SELECT series, ts, num, CAST(json AS TEXT), quality, CAST(attributes AS TEXT) FROM telemetry_point ORDER BY 1, 2",
    "city": "SELECT tenant, id, name FROM city ORDER BY 1, 2",
    "city_object": "SELECT tenant, uuid, name, source_id, CAST(attributes AS TEXT), west, north FROM city_object ORDER BY source_id",
}


@pytest.fixture
def sqlite_empty(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def postgresql_empty(postgresql: PostgreSQL) -> Iterator[str]:
    name = postgresql.create()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a database without any table."""
    found: str = request.getfixturevalue(f"{request.param}_empty")
    return found


def test_migrations_when_taken_down_and_up_over_rows_then_the_rows_come_through(url: str) -> None:
    migrate(url)
    asyncio.run(_fill(url))
    rows, schema = asyncio.run(_rows(url)), asyncio.run(_schema(url))

    for revision in reversed(REVISIONS[1:-1]):
        downgrade(url, revision)
        there = asyncio.run(_rows(url))
        assert there == {table: found for table, found in rows.items() if table in there}
        assert set(rows) - set(there) == ({"telemetry_series", "telemetry_point"} if revision < "0002" else set())
    downgrade(url, "0001")
    for revision in REVISIONS[1:]:
        migrate(url, revision)

    assert [len(rows[table]) for table in _KEPT] == [3, len(TIMES) + 6, 1, 9]
    assert asyncio.run(_rows(url)) == {**rows, "telemetry_series": [], "telemetry_point": []}
    assert asyncio.run(_schema(url)) == schema


def test_migrations_when_taken_down_to_nothing_then_no_table_is_left_and_they_can_go_up_again(url: str) -> None:
    migrate(url)
    schema = asyncio.run(_schema(url))

    downgrade(url, "base")
    left = asyncio.run(_schema(url))
    migrate(url)

    assert [line for line in left if "citygraph" in line or "telemetry" in line or "city" in line] == []
    assert asyncio.run(_schema(url)) == schema


def test_partitions_when_migrated_over_points_then_points_and_newest_ones_are_as_before(url: str) -> None:
    migrate(url)
    asyncio.run(_fill(url))
    before = asyncio.run(_answers(url))

    downgrade(url, "0009")
    migrate(url)

    assert asyncio.run(_answers(url)) == before
    # And it goes on being written to, at old times and new ones.
    asyncio.run(_fill(url))
    assert asyncio.run(_answers(url)) == before


async def _fill(url: str) -> None:
    store = Store(url)
    try:
        await ensure_city(store, tenant=drafts.TENANT, id=drafts.CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
        roof = shapely.Polygon([(24.9, 60.1, 12.5), (24.91, 60.1, 12.5), (24.9, 60.11, 13)])
        await drafts.put(store, *drafts.scattered(8), drafts.draft("roof", roof, attributes={"levels": 3, "ä": [1, None]}))
        await store_points(
            store,
            measured(TIMES, range(len(TIMES))),
            simulated([1, 2, TIMES[4]], ["on", {"open": True}, 1.5]),
            measured([3, 4, 5], [1e-300, 2.5, 1.7e308], key="flow", unit="m3/h"),
        )
    finally:
        await store.close()


async def _answers(url: str) -> object:
    store = Store(url)
    try:
        newest = queries.latest(None, SeriesFilter())
        return [
            columns(await ask(store, window(-(2**53), 2**53, keys=["temperature", "flow"]))),
            await queries.latest_points(store, drafts.TENANT, [(SENSOR, newest)]),
            await queries.key_ranges(store, drafts.TENANT, [SENSOR]),
        ]
    finally:
        await store.close()


async def _rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """The rows of those tables that are there."""
    store = Store(url)
    try:
        async with store.read() as connection:
            there = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
            return {
                table: [tuple(row) for row in await connection.exec_driver_sql(question)]
                for table, question in _KEPT.items()
                if table in there
            }
    finally:
        await store.close()


async def _schema(url: str) -> list[str]:
    """Tables, columns, constraints and indexes as text; partitions made for the rows there are left out."""
    on_sqlite = (
        "SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' AND name != 'sqlite_sequence'"
    )
    foreign = "relname ~ '^(alembic|telemetry_point_|spatial_ref_sys)'"
    of_class = f"pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace AND nspname = current_schema() AND NOT {foreign}"
    on_postgresql = (
        f"SELECT relname || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull FROM {of_class}"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND attnum > 0 AND NOT attisdropped WHERE relkind IN ('r', 'p')",
        f"SELECT relname || conname || ' ' || pg_get_constraintdef(c.oid) FROM {of_class} JOIN pg_constraint c ON c.conrelid = t.oid",
        f"SELECT relname || ' ' || pg_get_indexdef(i.indexrelid) FROM {of_class} JOIN pg_index i ON i.indrelid = t.oid",
        f"SELECT 'sequence ' || relname FROM {of_class} WHERE relkind = 'S'",
    )
    store = Store(url)
    try:
        async with store.read() as connection:
            questions = on_postgresql if store.dialect == "postgresql" else (on_sqlite,)
            return sorted([line for question in questions for line in (await connection.exec_driver_sql(question)).scalars()])
    finally:
        await store.close()
