"""Leases: which of several processes on one store does a thing, for as long as it says that it still does.

A lease is a row that its holder renews before it ends; all changes are single statements that compare before they set. Time is the
store's own, so processes' clocks do not matter. A holder that was paused past its end may not know that it lost the lease: right
before an effect, and in the effect's own transaction, it asks `confirm` or claims a tick.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from graph.errors import Unavailable
from resolvers.operations.records import SYSTEM
from resolvers.operations.store import lease as table
from resolvers.stores.engine import Store
from resolvers.stores.upsert import upsert_into

__all__ = ["Lease", "LeaseLostError"]

SECONDS = 30.0

_c = table.c

logger = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another process holds the lease now, or may."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One process's wish to hold the lease of that name. `seconds` is how long it lasts unless renewed."""

    store: Store
    name: str
    seconds: float = SECONDS
    holder: str = field(default_factory=lambda: uuid4().hex)

    async def acquire(self) -> bool:
        """Takes the lease where it is free or has ended, renews it where it is held already; False where another holds it."""
        now = _store_time(self.store.dialect)
        until = now + int(self.seconds * 1000)
        insert = upsert_into(table, self.store.dialect).values(tenant=SYSTEM, name=self.name, holder=self.holder, until=until, tick=0)
        take = insert.on_conflict_do_update(
            index_elements=["tenant", "name"],
            set_={"holder": self.holder, "until": until},
            where=sa.or_(_c.holder == self.holder, _c.until <= now),
        ).returning(_c.holder)
        async with self.store.write() as connection:
            return (await connection.execute(take)).first() is not None

    async def release(self) -> None:
        """Lets another take it at once; the row stays, for its tick."""
        async with self.store.write() as connection:
            await connection.execute(sa.update(table).where(*self._mine()).values(until=0))

    async def confirm(self, connection: AsyncConnection) -> None:
        """Raises `LeaseLostError` unless the lease is held, and keeps it from others until the transaction ends."""
        statement = sa.select(_c.holder).where(*self._mine(), _c.until > _store_time(self.store.dialect)).with_for_update()
        if (await connection.execute(statement)).first() is None:
            raise LeaseLostError(f"the lease {self.name!r} has passed to another process")

    async def claim(self, tick: int) -> bool:
        """True for one process, once, of all that ask for that tick or an earlier one; False where the lease is not held, too."""
        held = (*self._mine(), _c.until > _store_time(self.store.dialect), _c.tick < tick)
        async with self.store.write() as connection:
            return (await connection.execute(sa.update(table).where(*held).values(tick=tick))).rowcount == 1

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renews the lease, which must be held, until the block ends, and releases it then."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            await self.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.seconds / 3)
            try:
                if not await self.acquire():
                    logger.warning("the lease %s has passed to another process", self.name)
                    return
            except (Unavailable, sa.exc.SQLAlchemyError, OSError) as error:
                # The next try may do; if none does, `confirm` says so before anything is done.
                logger.warning("the lease %s could not be renewed: %s", self.name, type(error).__name__)

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (_c.tenant == SYSTEM, _c.name == self.name, _c.holder == self.holder)


def _store_time(dialect: str) -> ColumnElement[Any]:
    """Epoch milliseconds by the store's clock, at this moment and not at the transaction's begin."""
    text = (
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
        if dialect == "postgresql"
        else "CAST((julianday('now') - 2440587.5) * 86400000 AS integer)"
    )
    return sa.literal_column(text, sa.BigInteger)
