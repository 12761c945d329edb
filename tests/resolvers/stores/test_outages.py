"""Which errors mean that the store is out of reach, and which that a statement is wrong."""

import sqlite3

import pytest
import sqlalchemy as sa

from graph.errors import Unavailable
from resolvers.stores.engine import Store
from resolvers.stores.outages import sqlstate


@pytest.mark.parametrize("statement", ["SELECT FROM nowhere", "INSERT INTO city (tenant) VALUES ('t')", "SELECT 1 / (SELECT 0) + abs('x')"])
async def test_statement_when_it_is_wrong_then_the_store_is_not_said_to_be_out_of_reach(store: Store, statement: str) -> None:
    if store.dialect == "sqlite" and "abs" in statement:
        pytest.skip("SQLite divides by zero, and takes a text for a number")

    with pytest.raises(sa.exc.DBAPIError):
        async with store.write() as connection:
            await connection.exec_driver_sql(statement)


async def test_argument_when_it_has_a_wrong_type_then_the_store_is_not_said_to_be_out_of_reach(postgresql_store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="expected str"):
        async with postgresql_store.read() as connection:
            await connection.exec_driver_sql("SELECT $1::text", (5,))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:5432"])
async def test_postgresql_when_nobody_answers_there_then_it_is_unavailable(address: str) -> None:
    store = Store(f"postgresql://nobody@{address}/city")

    with pytest.raises(Unavailable, match="The store cannot be reached: try again later"):
        async with store.read():
            pass
    await store.close()


async def test_sqlite_when_another_process_holds_it_then_it_is_unavailable(sqlite_store: Store) -> None:
    @sa.event.listens_for(sqlite_store.engine.sync_engine, "connect")
    def hurry(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        connection.cursor().execute("PRAGMA busy_timeout = 10")

    other = sqlite3.connect(str(sqlite_store.engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable, match="The store is locked by another writer"):
            async with sqlite_store.write():
                pass
    finally:
        other.close()


async def test_code_when_an_error_is_wrapped_then_it_is_found(postgresql_store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError) as raised:
        async with postgresql_store.read() as connection:
            await connection.exec_driver_sql("SELECT 1 / 0")

    assert sqlstate(raised.value) == "22012"
    assert sqlstate(ValueError()) is None
