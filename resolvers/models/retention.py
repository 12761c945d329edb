"""Models that nobody has changed for longer than they are kept (ICD §6.3: 36 months) go, with all that is theirs."""

import time

from resolvers.models import store as sql
from resolvers.models.commands import ModelDependants, delete_in
from resolvers.stores.engine import Store

__all__ = ["purge"]

_LOT = 100
"""Models deleted in one transaction, so that other writers get their turn."""


async def purge(store: Store, before: int, dependants: ModelDependants) -> int:
    """Deletes the models of every tenant last changed before that time. Returns how many; listeners are told of each."""
    gone = 0
    while True:
        now = time.time_ns() // 1_000_000
        async with store.write() as connection:
            rows = (await connection.execute(sql.untouched_since(before, _LOT))).all()
            for tenant, city, uuid in rows:
                await delete_in(connection, dependants, tenant, (city, uuid), now)
        gone += len(rows)
        if len(rows) < _LOT:
            return gone
