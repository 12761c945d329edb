"""Making backups, verifying them, restoring them, and letting them go.

One is made or verified at a time, whatever processes share the store: who works holds the lease `backup`, so a row that says RUNNING
while nobody holds it is that of a process that died.
"""

import asyncio
import logging
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa

from graph.contracts import AuditOutcome, AuditSink, GlobalId
from graph.errors import CityGraphError, Conflict, NotFound
from resolvers.operations import queries
from resolvers.operations import store as sql
from resolvers.operations.archive import ArchiveDamagedError, Archives, Progress, difference, nobody_watches
from resolvers.operations.audit import AuditLog, system_entry
from resolvers.operations.leases import Lease, LeaseLostError
from resolvers.operations.records import SYSTEM, Backup, BackupState, Content, Manifest
from resolvers.stores.engine import Store

__all__ = ["Backups", "DumpedStore", "note_restored", "restore_archive", "verify_archive"]

DAY = 86_400_000
LEASE = "backup"
_LONGEST_FAILURE = 1_000
_DIED = "the process that made it ended before it was done"

logger = logging.getLogger(__name__)


class DumpedStore(Protocol):
    """A store that can be copied while it is in use, and made again of the copy."""

    @property
    def engine(self) -> str: ...

    def snapshot(self, progress: Progress) -> AbstractAsyncContextManager[tuple[Content, AsyncIterator[bytes]]]: ...

    async def check(self, archive: Path, progress: Progress) -> Content: ...

    async def restore(self, archive: Path, progress: Progress, *, force: bool) -> Content: ...


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class Backups:
    """The backups of one city's store. They are kept for `retention_days`, and the newest good one until there is a newer.

    `scratch` is a folder with room for an archive.
    """

    def __init__(
        self,
        store: Store,
        dumped: DumpedStore,
        archives: Archives,
        audit: AuditSink,
        *,
        retention_days: int,
        scratch: Path,
        now: Callable[[], int] = epoch_ms,
        lease_seconds: float = 30.0,
    ) -> None:
        self._store, self._dumped, self._archives, self._audit = store, dumped, archives, audit
        self._retention, self._scratch, self._now = retention_days * DAY, scratch, now
        self._lease = Lease(store, LEASE, lease_seconds)
        self._working: set[asyncio.Task[Backup]] = set()

    @property
    def city(self) -> str:
        return self._archives.city

    async def begin(self, tenant: str, progress: Progress = nobody_watches) -> tuple[UUID, "asyncio.Task[Backup]"]:
        """A backup that is made in the background; the task gives it as it ended. Raises `Conflict` while another is being made."""
        await self._take_turn(tenant)
        try:
            begun = Backup(self.city, uuid4(), BackupState.RUNNING, self._now())
            async with self._store.write() as connection:
                await self._lease.confirm(connection)
                await connection.execute(sql.fail_running(self.city, begun.started_at, _DIED))
                await connection.execute(sql.add_backup(tenant, begun))
        except BaseException:
            await self._lease.release()
            raise
        return begun.uuid, self._in_background(self._make(tenant, begun, progress))

    async def verify(self, tenant: str, uuid: UUID, progress: Progress = nobody_watches) -> "asyncio.Task[Backup]":
        """A trial restore in the background; the task gives the backup, or raises `Conflict` where it is damaged.

        Raises `NotFound`, and `Conflict` where it never was complete or another backup is being made.
        """
        found = await queries.backup_by_id(self._store, tenant, self.city, uuid)
        if found is None:
            raise NotFound(f"There is no backup {_id(self.city, uuid)!r}")
        if found.sha256 is None:
            raise Conflict(f"The backup is {found.state}: only one that SUCCEEDED can be verified", extensions={"state": found.state.value})
        await self._take_turn(tenant)
        return self._in_background(self._verify(tenant, found, progress))

    async def settle(self) -> None:
        """Marks as FAILED what a process that died has left behind; does nothing while a backup is being made."""
        if not await self._lease.acquire():
            return
        try:
            async with self._store.write() as connection:
                await self._lease.confirm(connection)
                await connection.execute(sql.fail_running(self.city, self._now(), _DIED))
        finally:
            await self._lease.release()

    async def close(self) -> None:
        """Ends what is being made; it is FAILED then."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _take_turn(self, tenant: str) -> None:
        if self._working or not await self._lease.acquire():
            running = await queries.running_backup(self._store, tenant, self.city)
            extensions = {} if running is None else {"backup": _id(self.city, running.uuid), "startedAt": running.started_at}
            raise Conflict("A backup is being made or verified: one at a time", extensions=extensions)

    def _in_background(self, work: Coroutine[Any, Any, Backup]) -> "asyncio.Task[Backup]":
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Backup]") -> None:
        """Its caller may have gone, so its error is looked at here."""
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Conflict):
            logger.error("a backup could not be verified: %s", failure_text(error))

    async def _make(self, tenant: str, begun: Backup, progress: Progress) -> Backup:
        async with self._lease.kept():
            try:
                manifest = await self._archive(begun, progress)
                ended = replace(
                    begun,
                    state=BackupState.SUCCEEDED,
                    finished_at=self._now(),
                    size=manifest.archive_size,
                    sha256=manifest.archive_sha256,
                )
                await self._record(tenant, ended)
            except (Exception, asyncio.CancelledError) as error:
                ended = replace(begun, state=BackupState.FAILED, finished_at=self._now(), failure=failure_text(error))
                logger.error("the backup %s failed: %s", begun.uuid, ended.failure)  # noqa: TRY400 (the text is the reason)
                await self._clear_away(tenant, ended)
                if isinstance(error, asyncio.CancelledError):
                    raise
            await self._note(tenant, "backup.run", ended.uuid, ended.state is BackupState.SUCCEEDED)
            if ended.state is BackupState.SUCCEEDED:
                await self._expire(ended)
        return ended

    async def _archive(self, begun: Backup, progress: Progress) -> Manifest:
        async with self._dumped.snapshot(progress) as (content, stream):
            stored = await self._archives.keep(begun.uuid, stream)
        manifest = Manifest(
            city=self.city,
            uuid=begun.uuid,
            taken_at=begun.started_at,
            engine=self._dumped.engine,
            revision=content.revision,
            store_size=content.size,
            archive_size=stored.size,
            archive_sha256=stored.sha256,
            tables=content.tables,
        )
        await self._archives.seal(manifest)
        return manifest

    async def _record(self, tenant: str, ended: Backup) -> None:
        """Raises `LeaseLostError` where another process may have given the backup up already."""
        async with self._store.write() as connection:
            await self._lease.confirm(connection)
            await connection.execute(sql.change_backup(tenant, ended))

    async def _clear_away(self, tenant: str, failed: Backup) -> None:
        """Nothing of a backup that failed may look like one. What cannot be done now is done by `settle` and `_expire`."""
        try:
            await self._archives.remove(failed.uuid)
            await self._record(tenant, failed)
        except (CityGraphError, sa.exc.SQLAlchemyError, OSError, LeaseLostError) as error:
            logger.warning("the backup %s could not be cleared away: %s", failed.uuid, failure_text(error))

    async def _verify(self, tenant: str, found: Backup, progress: Progress) -> Backup:
        async with self._lease.kept():
            try:
                manifest = await self._manifest(found)
                await verify_archive(self._archives, manifest, self._dumped, self._scratch, progress)
            except (ArchiveDamagedError, NotFound) as error:
                reason = f"damaged: {error if isinstance(error, ArchiveDamagedError) else 'the manifest is missing'}"
                await self._record(tenant, replace(found, state=BackupState.FAILED, failure=reason[:_LONGEST_FAILURE]))
                await self._note(tenant, "backup.verify", found.uuid, False)
                raise Conflict(f"The backup is {reason}", extensions={"backup": _id(self.city, found.uuid)}) from None
            verified = replace(found, state=BackupState.SUCCEEDED, failure=None, verified_at=self._now())
            await self._record(tenant, verified)
            await self._note(tenant, "backup.verify", found.uuid, True)
        return verified

    async def _manifest(self, found: Backup) -> Manifest:
        manifest = await self._archives.manifest(found.uuid)
        if manifest.archive_sha256 != found.sha256:
            raise ArchiveDamagedError("the manifest is not the one that was made with the archive")
        return manifest

    async def _expire(self, newest: Backup) -> None:
        """What is older than it is kept goes, once there is a newer one that is good."""
        before = self._now() - self._retention
        try:
            async with self._store.read() as connection:
                old = (await connection.execute(sql.expired_backups(self.city, before))).all()
            orphans = [manifest.uuid for manifest in await self._archives.manifests() if manifest.taken_at < before]
            for uuid in sorted({uuid for _, uuid in old} | set(orphans)):
                if uuid == newest.uuid:
                    continue
                async with self._store.write() as connection:
                    await self._lease.confirm(connection)
                await self._archives.remove(uuid)
                async with self._store.write() as connection:
                    await connection.execute(sql.forget_backup(self.city, uuid))
                await self._note(SYSTEM, "backup.expire", uuid, True)
            await self._archives.remove_abandoned(self._now())
        except (CityGraphError, sa.exc.SQLAlchemyError, OSError, LeaseLostError) as error:
            logger.warning("expired backups could not be removed: %s", failure_text(error))

    async def _note(self, tenant: str, operation: str, uuid: UUID, done: bool) -> None:
        """What a caller asked for is in the log by that name already."""
        if tenant == SYSTEM:
            outcome = AuditOutcome.ALLOWED if done else AuditOutcome.FAILED
            self._audit.note(system_entry(self._now(), operation, _id(self.city, uuid), outcome))


async def verify_archive(archives: Archives, manifest: Manifest, dumped: DumpedStore, scratch: Path, progress: Progress) -> None:
    """Restores the archive into a store that is thrown away. Raises `ArchiveDamagedError` where it is not what was backed up."""
    check_engine(manifest, dumped)
    with archive_folder(scratch) as folder:
        await archives.fetch(manifest, folder / "archive", progress)
        restored = await dumped.check(folder / "archive", progress)
    if differs := difference(manifest, restored):
        raise ArchiveDamagedError(differs)


async def restore_archive(
    archives: Archives, manifest: Manifest, dumped: DumpedStore, scratch: Path, progress: Progress, *, force: bool
) -> None:
    """Puts what the archive holds into a store, and compares. Raises `ArchiveDamagedError`, and `Conflict` where the store has tables."""
    check_engine(manifest, dumped)
    with archive_folder(scratch) as folder:
        await archives.fetch(manifest, folder / "archive", progress)
        restored = await dumped.restore(folder / "archive", progress, force=force)
    if differs := difference(manifest, restored):
        raise ArchiveDamagedError(differs)


async def note_restored(store: Store, manifest: Manifest, now: int) -> None:
    """What a restored store does not know: that its last backup ended well, and that it comes from it."""
    made = {
        "state": BackupState.SUCCEEDED.value,
        "finished_at": now,
        "size": manifest.archive_size,
        "sha256": manifest.archive_sha256,
        "verified_at": now,
    }
    audit = AuditLog(store, manifest.city)
    async with store.write() as connection:
        await connection.execute(sql.settle_backup(manifest.city, manifest.uuid, made))
        await connection.execute(sql.fail_running(manifest.city, now, _DIED))
        await connection.execute(sql.end_leases())
    await audit.write([system_entry(now, "backup.restore", _id(manifest.city, manifest.uuid), AuditOutcome.ALLOWED)])
    await audit.close()


def check_engine(manifest: Manifest, dumped: DumpedStore) -> None:
    if manifest.engine != dumped.engine:
        raise Conflict(f"the backup is of a {manifest.engine} store and cannot become one of {dumped.engine}")


@contextmanager
def archive_folder(scratch: Path) -> Iterator[Path]:
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="archive-", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def failure_text(error: BaseException) -> str:
    """For an administrator: no statement, no parameter, no address with a password."""
    match error:
        case asyncio.CancelledError():
            text = "it was ended with its process"
        case CityGraphError():
            text = error.detail
        case sa.exc.SQLAlchemyError():
            text = f"the store failed: {type(error).__name__}"
        case OSError():
            text = error.strerror or type(error).__name__
        case sqlite3.Error() | ArchiveDamagedError() | LeaseLostError():
            text = str(error)
        case _:
            logger.error("a backup failed for a reason of its own", exc_info=error)
            text = type(error).__name__
    return f"the disk is full: {text}"[:_LONGEST_FAILURE] if _disk_is_full(error) else text[:_LONGEST_FAILURE]


def _disk_is_full(error: BaseException | None) -> bool:
    """Each layer says it in its own words, and not every one tells outwards what it heard."""
    while error is not None:
        if any(sign in str(error).lower() for sign in ("no space left", "disk is full", "disk full", "quota exceeded")):
            return True
        error = error.__cause__ or error.__context__
    return False


def _id(city: str, uuid: UUID) -> str:
    return str(GlobalId(city, "backup", uuid))
