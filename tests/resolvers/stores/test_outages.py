"""Which errors mean that the store is out of reach, and which that a statement is wrong."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import Unavailable
from resolvers.stores.engine import Store
from resolvers.stores.outages import sqlstate
from tests.fakes.postgresql import PostgreSQL


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


async def ask(connection: AsyncConnection) -> None:
    await connection.exec_driver_sql("SELECT 1")


async def copy(connection: AsyncConnection) -> None:
    async def rows() -> AsyncIterator[bytes]:
        yield b"FI-HELSINKI\n"

    await (await connection.get_raw_connection()).driver_connection.copy_to_table("city", source=rows(), columns=["tenant"])


@pytest.mark.parametrize("operation", [ask, copy])
async def test_postgresql_when_it_has_said_that_it_goes_but_not_gone_then_it_is_unavailable(
    postgresql: PostgreSQL, postgresql_url: str, operation: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    async with leaving_connections_open(postgresql.port) as (port, gone):
        store = Store(postgresql_url.replace(f":{postgresql.port}/", f":{port}/"))
        with pytest.raises(Unavailable, match="The store cannot be reached: try again later"):
            async with store.write() as connection:
                pid = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
                await asyncio.to_thread(postgresql.sql, f"SELECT pg_terminate_backend({pid})")
                await gone.wait()
                await operation(connection)
        await store.close()


@asynccontextmanager
async def leaving_connections_open(server_port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that leads to a server. What the server says last is passed on, and the event is set; that it hangs up is not."""
    gone = asyncio.Event()
    connections: list[asyncio.Task[None]] = []

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.create_task(served(reader, writer)))

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", server_port)
        asking = asyncio.create_task(passed_on(reader, to_server))
        await passed_on(from_server, writer)
        await asyncio.sleep(0.05)
        gone.set()
        await asyncio.wait({asking}, timeout=1)
        for one in (to_server, writer):
            one.close()
        await asyncio.gather(to_server.wait_closed(), writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], gone
        await asyncio.gather(*connections)


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
