"""What can be asked of backups and of the audit log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from graph.contracts import AuditOutcome
from resolvers.operations import store as sql
from resolvers.operations.records import AuditFilter, Backup, BackupState, LoggedEntry
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

RECENT = 30

Key = tuple[str, UUID]
"""City and UUID."""

NEWEST_FIRST: tuple[type[str | int | float | UUID], ...] = (int, str, UUID)
"""The types of a position in the audit log."""


def position_of(entry: LoggedEntry) -> Position:
    return (entry.at, entry.city, entry.uuid)


async def backup_history(store: Store, tenant: str, city: str) -> tuple[list[Backup], int | None, int | None]:
    """The newest backups, when the last success ended, and when a backup was verified last."""
    async with store.read() as connection:
        rows = (await connection.execute(sql.recent_backups(tenant, city, RECENT))).all()
        success, verified = (await connection.execute(sql.last_times(tenant, city))).one()
    return [_backup(row) for row in rows], success, verified


async def backups_by_keys(store: Store, tenant: str, keys: Sequence[Key]) -> dict[Key, Backup]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.backups_by_keys(tenant), {"keys": rows_parameter(keys)})
        return {(row.city, row.uuid): _backup(row) for row in rows}


async def backup_by_id(store: Store, tenant: str, city: str, uuid: UUID) -> Backup | None:
    return (await backups_by_keys(store, tenant, [(city, uuid)])).get((city, uuid))


async def running_backup(store: Store, tenant: str, city: str) -> Backup | None:
    """The one that is being made, where the tenant may see it."""
    recent, _, _ = await backup_history(store, tenant, city)
    return next((backup for backup in recent if backup.state is BackupState.RUNNING), None)


async def last_success_begun(store: Store, city: str) -> int | None:
    """When the newest good backup was begun, whoever asked for it."""
    async with store.read() as connection:
        begun: int | None = (await connection.execute(sql.last_success_begun(city))).scalar_one()
        return begun


async def audit_log(store: Store, tenant: str, wanted: AuditFilter, window: Window) -> Page[LoggedEntry]:
    async with store.read() as connection:
        rows = (await connection.execute(sql.audit_page(tenant, wanted, window))).all()
    return page_of([_entry(row) for row in rows], window)


async def count_entries(store: Store, tenant: str, wanted: AuditFilter) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sql.audit_count(tenant, wanted))).scalar_one())


async def entries_by_keys(store: Store, tenant: str, keys: Sequence[Key]) -> dict[Key, LoggedEntry]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.entries_by_keys(tenant), {"keys": rows_parameter(keys)})
        return {(row.city, row.uuid): _entry(row) for row in rows}


def _backup(row: Any) -> Backup:
    city, uuid, state, *rest = row
    return Backup(city, uuid, BackupState(state), *rest)


def _entry(row: Any) -> LoggedEntry:
    city, uuid, at, subject, operation, target, outcome, request_id, trace_id = row
    return LoggedEntry(city, uuid, at, subject, operation, target, AuditOutcome(outcome), request_id, trace_id)
