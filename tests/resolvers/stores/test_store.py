"""Transactions of a store, and its migrations."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from resolvers.stores.engine import Store, async_url
from resolvers.stores.migrate import downgrade, migrate


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'city.db'}"


async def test_writers_when_many_read_before_they_write_then_none_is_lost(url: str) -> None:
    stores = [Store(url), Store(url)]
    async with stores[0].write() as connection:
        await connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO counter VALUES (0)"))

    async def increase(store: Store) -> None:
        async with store.write() as connection:
            n = (await connection.execute(sa.text("SELECT n FROM counter"))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

    await asyncio.gather(*[increase(stores[turn % 2]) for turn in range(40)])

    async with stores[1].read() as connection:
        assert (await connection.execute(sa.text("SELECT n FROM counter"))).scalar_one() == 40
    await asyncio.gather(*[store.close() for store in stores])


async def test_write_when_the_block_raises_then_nothing_is_kept(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))

    with pytest.raises(ZeroDivisionError):
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO counter VALUES (0)"))
            raise ZeroDivisionError

    async with store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM counter"))).scalar_one() == 0


async def test_read_when_another_writes_meanwhile_then_it_sees_one_state(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
    count = sa.text("SELECT count(*) FROM counter")

    async with store.read() as reading:
        before = (await reading.execute(count)).scalar_one()
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO counter VALUES (1)"))
        after = (await reading.execute(count)).scalar_one()

    assert (before, after) == (0, 0)


async def test_connection_when_opened_then_it_has_the_settings(url: str) -> None:
    store = Store(url)
    async with store.read() as connection:
        found = [
            (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar_one() for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    await store.close()

    assert found == ["wal", 1, 30_000]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:////var/city.db", "sqlite+aiosqlite:////var/city.db"),
        ("postgresql://u@h/city", "postgresql+asyncpg://u@h/city"),
        ("postgresql+asyncpg://u@h/city", "postgresql+asyncpg://u@h/city"),
    ],
)
def test_address_when_the_driver_is_left_out_then_the_asynchronous_one_is_taken(given: str, expected: str) -> None:
    assert async_url(given).render_as_string() == expected


def test_migrations_when_run_up_and_down_and_up_then_the_schema_is_the_same(url: str, tmp_path: Path) -> None:
    def schema() -> set[str]:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name != 'alembic_version'"))
            found = set(rows.scalars())
        engine.dispose()
        return found

    migrate(url)
    first = schema()
    downgrade(url, "base")
    emptied = schema()
    migrate(url)

    assert any("CREATE VIRTUAL TABLE city_object_geometry_rt USING rtree" in statement for statement in first)
    assert emptied == {"CREATE TABLE sqlite_sequence(name,seq)"} or emptied == set()
    assert schema() == first
