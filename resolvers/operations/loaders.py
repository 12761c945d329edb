"""Backups and audit entries by identifier, batched: all that a request asks at one time is one statement."""

from collections.abc import Sequence

from aiodataloader import DataLoader

from resolvers.operations import queries
from resolvers.operations.queries import Key
from resolvers.operations.records import Backup, LoggedEntry
from resolvers.stores.engine import Store

_MAX_BATCH = 10_000


class BackupLoader(DataLoader[Key, Backup | None]):
    """Backups by city and UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[Key]) -> list[Backup | None]:
        found = await queries.backups_by_keys(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]


class EntryLoader(DataLoader[Key, LoggedEntry | None]):
    """Audit entries by city and UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[Key]) -> list[LoggedEntry | None]:
        found = await queries.entries_by_keys(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]
