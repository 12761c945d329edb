"""A store: one database, and the two ways into it, a read and a write transaction.

The statements are the slices'; what differs between SQLite and PostgreSQL is kept inside this package. A store that is out of
reach or out of space is `Unavailable`, in whatever driver's words it was told.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from graph.contracts import Event, Publish
from graph.errors import Unavailable
from resolvers.stores.outages import outage
from resolvers.stores.sqlite import QuickUuid, SpatialConnection

__all__ = ["Store", "announce", "async_url"]

_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_WRITES = "citygraph_writes"
_EVENTS = "citygraph_events"

_CONNECT_TIMEOUT_S = 10
_POOL_TIMEOUT_S = 10
_COMMAND_TIMEOUT_S = 60
_POSTGRESQL_SESSION = {
    # Compiling pays for statements of seconds; here it is started by wrong guesses of how many rows a JSON text has.
    "jit": "off",
    # What is looked up by index lies on an SSD or in memory.
    "random_page_cost": "1.1",
    "application_name": "citygraph",
}


def async_url(url: str) -> URL:
    """The address with its asyncio driver named: `sqlite:///city.db` is `sqlite+aiosqlite:///city.db`."""
    parsed = make_url(url)
    return parsed.set(drivername=_ASYNC_DRIVERS.get(parsed.drivername, parsed.drivername))


async def _nobody_listens(_events: Sequence[Event]) -> None:
    """What a command line's store publishes to."""


def announce(connection: AsyncConnection, *events: Event) -> None:
    """Has the events published once this write transaction is committed; where it is rolled back, they never happened."""
    pending: list[Event] = connection.sync_connection.get_execution_options()[_EVENTS]  # type: ignore[union-attr]
    pending.extend(events)


class Store:
    """One database. `read` and `write` give a connection inside a transaction that ends with the block.

    `publish` is told what was announced in a write transaction, after its commit. On PostgreSQL a statement may take
    `command_timeout` seconds; None is for migrations, which take what they take.
    """

    def __init__(self, url: str, *, publish: Publish = _nobody_listens, command_timeout: float | None = _COMMAND_TIMEOUT_S) -> None:
        address = async_url(url)
        self._publish = publish
        self.engine: AsyncEngine = _sqlite_engine(address) if _is_sqlite(address) else _postgresql_engine(address, command_timeout)
        # SQLite has one writer. Those of this process queue here, in order, rather than poll for the file's lock.
        self._writers: AbstractAsyncContextManager[object] = asyncio.Lock() if _is_sqlite(address) else nullcontext()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees one state of the store throughout."""
        async with self._connected() as connection:
            if self.dialect == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that is committed at the block's end and rolled back where the block raises."""
        events: list[Event] = []
        async with self._writers, self._connected() as connection:
            await connection.execution_options(**{_WRITES: True, _EVENTS: events})
            async with connection.begin():
                yield connection
        if events:
            await self._publish(events)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        connected = False
        try:
            async with self.engine.connect() as connection:
                connected = True
                yield connection
        except Exception as error:
            said = outage(error)
            if said is None and isinstance(error, OSError) and not connected:
                said = "the store cannot be reached"  # a name that is not found, a network that is down
            if said is None:
                raise
            raise Unavailable(f"{said[0].upper()}{said[1:]}: try again later") from error

    async def close(self) -> None:
        await self.engine.dispose()


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _sqlite_engine(address: URL) -> AsyncEngine:
    engine = create_async_engine(
        address,
        # Transactions are begun below, not by the driver, which would begin deferred ones, and only before a write.
        connect_args={"factory": SpatialConnection, "isolation_level": None},
        json_serializer=_dump_json,
    )
    engine.dialect.colspecs = {**engine.dialect.colspecs, sa.Uuid: QuickUuid}

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads before it writes fails with "database is locked" at once, whatever
        # the time-out, where another has written meanwhile.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(address: URL, command_timeout: float | None) -> AsyncEngine:
    return create_async_engine(
        address,
        connect_args={"timeout": _CONNECT_TIMEOUT_S, "command_timeout": command_timeout, "server_settings": _POSTGRESQL_SESSION},
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        pool_timeout=_POOL_TIMEOUT_S,
        json_serializer=_dump_json,
    )


def _dump_json(value: Any) -> str:
    """NaN and infinities, which no JSON has, raise ValueError rather than reach the store."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
