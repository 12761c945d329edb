"""Backups of a store of either engine, into a folder, by a clock that the test sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.engine import make_url

from graph.contracts import AuditEntry
from resolvers.operations import queries
from resolvers.operations.archive import Archives
from resolvers.operations.backups import Backups, DumpedStore
from resolvers.operations.postgresql import PostgreSQLStore
from resolvers.operations.records import Backup
from resolvers.operations.sqlite import SQLiteStore
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore, key_segment

CITY = "FI-HELSINKI"
TENANT = "helsinki"
NOW = 1_764_000_000_000
DAY = 86_400_000


@dataclass
class Noted:
    """An audit sink that keeps what it is told."""

    entries: list[AuditEntry] = field(default_factory=list)

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        self.entries += entries

    def note(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@dataclass
class Site:
    """A store, the folder of its backups, and the clock."""

    store: Store
    dumped: DumpedStore
    folder: Path
    scratch: Path
    audit: Noted = field(default_factory=Noted)
    at: int = NOW

    @property
    def archives(self) -> Archives:
        return Archives(ObjectStore.open(str(self.folder)), CITY)

    def backups(self, *, lease_seconds: float = 30.0) -> Backups:
        return Backups(
            self.store,
            self.dumped,
            self.archives,
            self.audit,
            retention_days=30,
            scratch=self.scratch,
            now=lambda: self.at,
            lease_seconds=lease_seconds,
        )

    async def make(self, tenant: str = TENANT) -> Backup:
        """A backup as it ended."""
        _, task = await self.backups().begin(tenant)
        return await task

    async def verify(self, uuid: UUID, tenant: str = TENANT) -> Backup:
        return await (await self.backups().verify(tenant, uuid))

    async def row(self, uuid: UUID) -> Backup:
        found = await queries.backup_by_id(self.store, TENANT, CITY, uuid)
        assert found is not None
        return found

    def archive(self, uuid: UUID) -> Path:
        return self.folder / key_segment(CITY) / str(uuid) / "archive"


def dumped_of(url: str, scratch: Path) -> DumpedStore:
    address = make_url(url)
    return SQLiteStore(address, scratch) if address.get_backend_name() == "sqlite" else PostgreSQLStore(address)


@pytest.fixture
def site(store: Store, store_url: str, tmp_path: Path) -> Site:
    return Site(store, dumped_of(store_url, tmp_path / "scratch"), tmp_path / "backups", tmp_path / "scratch")
