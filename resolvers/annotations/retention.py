"""Annotations and notes that have outlived their time (ICD §6.3), some at a time, each with its mentions."""

import sqlalchemy as sa

from resolvers.annotations import store as sql
from resolvers.stores.engine import Store

_LOT = 500


async def purge(store: Store, before: int) -> int:
    """Deletes what was not changed since that time, of every tenant. Returns how many annotations and notes are gone."""
    return await _purge(store, sql.annotation, before) + await _purge(store, sql.note, before)


async def _purge(store: Store, table: sa.Table, before: int) -> int:
    key = tuple(table.primary_key.columns)
    oldest = sa.select(*key).where(table.c.updated_at < before).order_by(table.c.updated_at).limit(_LOT)
    gone = 0
    while True:
        async with store.write() as connection:
            # The time is asked twice: one that was changed meanwhile is no longer old.
            deleted = sa.delete(table).where(sa.tuple_(*key).in_(oldest), table.c.updated_at < before)
            lot = (await connection.execute(deleted)).rowcount
        gone += lot
        if lot < _LOT:
            return gone
