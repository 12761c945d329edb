"""Scenarios that have outlived their time, some at a time, each with its simulated points."""

import sqlalchemy as sa

from resolvers.scenarios import store as sql
from resolvers.scenarios.commands import Dependants, delete_rows
from resolvers.stores.engine import Store

_LOT = 200

_c = sql.scenario.c


async def purge(store: Store, dependants: Dependants, before: int) -> int:
    """Deletes what was not changed since that time, of every tenant. Returns how many."""
    oldest = sa.select(_c.tenant, _c.city, _c.uuid).where(_c.updated_at < before).order_by(_c.updated_at).limit(_LOT)
    gone = 0
    while True:
        async with store.write() as connection:
            keys = (await connection.execute(oldest)).all()
            for tenant, city, uuid in keys:
                await delete_rows(connection, dependants, tenant, [(city, uuid)])
        gone += len(keys)
        if len(keys) < _LOT:
            return gone
