"""How long backups are kept, and what a failed one leaves as it was; on both stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from graph.contracts import AuditOutcome
from resolvers.operations import queries
from resolvers.operations.archive import Progress
from resolvers.operations.records import SYSTEM, BackupState, Content
from tests.resolvers.operations.conftest import CITY, DAY, NOW, TENANT, Site


class Breaking:
    """A store whose dump ends in the middle."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    @asynccontextmanager
    async def snapshot(self, progress: Progress) -> AsyncIterator[tuple[Content, AsyncIterator[bytes]]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * 9_000_000
            raise OSError(28, "No space left on device")

        yield Content("0009", 1, {}), pieces()

    async def check(self, archive: Path, progress: Progress) -> Content:
        raise NotImplementedError

    async def restore(self, archive: Path, progress: Progress, *, force: bool) -> Content:
        raise NotImplementedError


async def kept(site: Site) -> set[UUID]:
    recent, _, _ = await queries.backup_history(site.store, TENANT, CITY)
    return {backup.uuid for backup in recent}


async def test_backups_when_older_than_they_are_kept_then_removed_after_a_newer_one(site: Site) -> None:
    """FC-08: kept 30 days."""
    old = await site.make()
    site.at = NOW + 2 * DAY
    younger = await site.make()
    site.at = NOW + 30 * DAY + 1

    newest = await site.make()

    assert await kept(site) == {younger.uuid, newest.uuid}
    assert [manifest.uuid for manifest in await site.archives.manifests()] == [newest.uuid, younger.uuid]
    assert not site.archive(old.uuid).parent.exists() or list(site.archive(old.uuid).parent.iterdir()) == []
    assert [(entry.operation, entry.target, entry.outcome) for entry in site.audit.entries] == [
        ("backup.expire", f"{CITY}/backup/{old.uuid}", AuditOutcome.ALLOWED)
    ]


async def test_backup_when_it_fails_then_old_ones_stay_and_nothing_of_it_does(site: Site) -> None:
    """FC-08"""
    good = await site.make()
    site.at = NOW + 100 * DAY

    failed = await replace(site, dumped=Breaking(site.store.dialect)).make()

    assert (failed.state, failed.failure) == (BackupState.FAILED, "the disk is full: No space left on device")
    assert await site.row(failed.uuid) == failed
    assert [manifest.uuid for manifest in await site.archives.manifests()] == [good.uuid]
    assert [path.name for path in site.folder.rglob("*") if path.is_file()].count("archive") == 1
    assert (await site.verify(good.uuid)).verified_at == site.at


async def test_archive_when_its_row_is_gone_then_it_expires_all_the_same(site: Site) -> None:
    """A restored store does not know of backups that were made after its own."""
    stray = uuid4()
    manifest = await site.archives.manifest((await site.make()).uuid)
    await site.archives.seal(replace(manifest, uuid=stray, taken_at=NOW - 31 * DAY))

    site.at = NOW + 1
    await site.make(SYSTEM)

    assert stray not in {found.uuid for found in await site.archives.manifests()}
