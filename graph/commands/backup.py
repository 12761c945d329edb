"""`citygraph backup …` and `citygraph retention run`: what a city does by schedule, done by hand, and the way back from a backup.

A city that has lost its database finds its backups where they lie, so all but `run` works without a store.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from graph.app import check_migrated
from graph.commands.progress import shown_progress
from graph.commands.terminal import fail, say
from graph.config import ConfigError, Settings, load_settings
from graph.contracts import GlobalId
from graph.errors import BadUserInput, CityGraphError, NotFound
from graph.operations import CityOperations, build_operations, dumped_store, open_archives, retention_rules, scratch_folder
from resolvers.operations import queries
from resolvers.operations.archive import ArchiveDamagedError
from resolvers.operations.backups import epoch_ms, note_restored, restore_archive, verify_archive
from resolvers.operations.records import SYSTEM, Backup, BackupState
from resolvers.operations.retention import enforce
from resolvers.stores.engine import Store
from resolvers.stores.revision import newest_revision, stored_revision

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Where:
    """The flags that say which city."""

    config: Path | None
    flags: Mapping[str, object]

    def settings(self) -> Settings:
        return load_settings(self.config, self.flags)


def run(where: Where) -> None:
    """Prints the backup's identifier once it is whole."""
    settings = where.settings()

    async def made() -> Backup:
        async with _city(settings) as (store, city):
            await check_migrated(store)
            with shown_progress() as progress:
                _, task = await city.operations.backups.begin(SYSTEM, progress)
                return await task

    backup = _run(made)
    if backup.state is not BackupState.SUCCEEDED:
        fail(f"the backup failed: {backup.failure}")
    print(GlobalId(settings.city_id, "backup", backup.uuid))


def show(where: Where) -> None:
    """One line each, newest first: identifier, state, when it was begun, bytes, when it was verified; separated by tabs."""
    settings = where.settings()

    async def listed() -> list[Backup]:
        found = {
            manifest.uuid: Backup(
                manifest.city,
                manifest.uuid,
                BackupState.SUCCEEDED,
                manifest.taken_at,
                size=manifest.archive_size,
                sha256=manifest.archive_sha256,
            )
            for manifest in await open_archives(settings).manifests()
        }
        async with _city(settings) as (store, _):
            if await _is_current(store):
                known, _, _ = await queries.backup_history(store, SYSTEM, settings.city_id)
                found |= {backup.uuid: backup for backup in known}
        return sorted(found.values(), key=lambda backup: backup.started_at, reverse=True)

    for backup in _run(listed):
        id = GlobalId(settings.city_id, "backup", backup.uuid)
        cells = (id, backup.state, _moment(backup.started_at), backup.size, _moment(backup.verified_at))
        sys.stdout.write("\t".join("-" if cell is None else str(cell) for cell in cells) + "\n")


def verify(id: str, where: Where) -> None:
    settings = where.settings()
    uuid = _uuid(id, settings)

    async def verified() -> None:
        async with _city(settings) as (store, city):
            with shown_progress() as progress:
                if await _is_current(store) and await queries.backup_by_id(store, SYSTEM, settings.city_id, uuid) is not None:
                    await (await city.operations.backups.verify(SYSTEM, uuid, progress))
                    return
                archives, scratch = open_archives(settings), scratch_folder(settings)
                manifest = await archives.manifest(uuid)
                await verify_archive(archives, manifest, dumped_store(settings.store_url, scratch), scratch, progress)

    _run(verified)
    say("the backup restores to what was backed up")


def restore(id: str, target: str, where: Where, *, force: bool) -> None:
    settings = where.settings()
    uuid = _uuid(id, settings)
    try:
        make_url(target)
    except sa.exc.ArgumentError:
        raise ConfigError("--to: expected a database's address, e.g. sqlite:////path/city.db or postgresql://user@host/city") from None

    async def restored() -> str:
        archives, scratch = open_archives(settings), scratch_folder(settings)
        manifest = await archives.manifest(uuid)
        with shown_progress() as progress:
            await restore_archive(archives, manifest, dumped_store(target, scratch), scratch, progress, force=force)
        store = Store(target)
        try:
            if await _is_current(store):
                await note_restored(store, manifest, epoch_ms())
        finally:
            await store.close()
        return manifest.revision

    revision = _run(restored)
    say(f"the store holds what was backed up; its tables are of revision {revision}")
    if revision != newest_revision():
        say("run `citygraph migrate` on it before it is served")


def retain(where: Where) -> None:
    """One line each: what was purged, and how many rows of it."""
    settings = where.settings()

    async def purged() -> dict[str, int | None]:
        async with _city(settings) as (store, city):
            await check_migrated(store)
            return await enforce(retention_rules(settings), store, city.audit, epoch_ms())

    gone = _run(purged)
    for name, rows in gone.items():
        sys.stdout.write(f"{name}\t{'failed' if rows is None else rows}\n")
    if None in gone.values():
        fail("not all could be purged: the log says why")


@asynccontextmanager
async def _city(settings: Settings) -> AsyncIterator[tuple[Store, CityOperations]]:
    """The store and its operations, without a schedule."""
    store = Store(settings.store_url)
    city = build_operations(settings, store)
    try:
        yield store, city
    finally:
        await city.close()
        await store.close()


async def _is_current(store: Store) -> bool:
    """Whether the store answers, and has this version's tables."""
    if _is_missing(store):
        return False
    try:
        return await stored_revision(store) == newest_revision()
    except (CityGraphError, sa.exc.SQLAlchemyError, OSError):
        return False


def _is_missing(store: Store) -> bool:
    """Of a file that is not there: to look into it would make it."""
    return store.dialect == "sqlite" and not Path(store.engine.url.database or "").exists()


def _run(work: Callable[[], Awaitable[Item]]) -> Item:
    async def main() -> Item:
        return await work()

    try:
        return asyncio.run(main())
    except ArchiveDamagedError as error:
        fail(f"the backup is damaged: {error}")
    except NotFound:
        fail("there is no such backup: `citygraph backup list` names them")
    except CityGraphError as error:
        fail(error.detail)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        fail(f"the store does not answer: {type(error).__name__}")
    except KeyboardInterrupt:
        fail("ended before it was done")


def _uuid(id: str, settings: Settings) -> UUID:
    try:
        found = GlobalId.parse(id, kind="backup", home_city=settings.city_id)
    except BadUserInput as error:
        raise ConfigError(error.detail) from None
    if found.city != settings.city_id:
        raise ConfigError(f"{id!r} is a backup of another city than {settings.city_id}: name it by --city")
    return found.uuid


def _moment(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
