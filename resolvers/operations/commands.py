"""What administrators have done, and what the schedule does for them: backups made and verified, and what is too old let go."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from graph.contracts import AuditSink
from graph.errors import NotFound
from resolvers.operations import queries
from resolvers.operations.backups import Backups
from resolvers.operations.records import SYSTEM, Backup, BackupPolicy, BackupStatus
from resolvers.operations.retention import Rule, enforce
from resolvers.operations.schedule import Cron, Job
from resolvers.stores.engine import Store

__all__ = ["Operations", "backup_job", "backup_status", "retention_job", "run_backup", "verify_backup"]

WAIT_SECONDS = 20.0
"""How long a caller waits for the end of a backup, which goes on without him: less than an operation may take."""

RETRY = 3_600_000
"""After so many milliseconds a scheduled backup that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Operations:
    """What the administrators of one city have at hand; `cron` is None where no backup is scheduled."""

    store: Store
    backups: Backups
    policy: BackupPolicy
    cron: Cron | None
    wait_seconds: float = WAIT_SECONDS


async def backup_status(operations: Operations, tenant: str, now: int) -> BackupStatus:
    recent, success, verified = await queries.backup_history(operations.store, tenant, operations.backups.city)
    upcoming = None if operations.cron is None else operations.cron.next(now)
    return BackupStatus(success, verified, upcoming, operations.policy, tuple(recent))


async def run_backup(operations: Operations, tenant: str) -> Backup:
    """The backup as it ended, or RUNNING where that takes long. Raises `Conflict` while another is being made."""
    uuid, task = await operations.backups.begin(tenant)
    return await _awaited(operations, tenant, uuid, task)


async def verify_backup(operations: Operations, tenant: str, uuid: UUID) -> Backup:
    """The backup, with a new `verified_at` unless that takes long. Raises `NotFound`, and `Conflict` where it is no good."""
    return await _awaited(operations, tenant, uuid, await operations.backups.verify(tenant, uuid))


async def _awaited(operations: Operations, tenant: str, uuid: UUID, task: "asyncio.Task[Backup]") -> Backup:
    done, _ = await asyncio.wait({task}, timeout=operations.wait_seconds)
    if done:
        return task.result()
    found = await queries.backup_by_id(operations.store, tenant, operations.backups.city, uuid)
    if found is None:
        raise NotFound(f"The backup {uuid} is no more")
    return found


def backup_job(operations: Operations, cron: Cron) -> Job:
    """A tick is due until a backup that was begun at it or later is good; one that failed is due again each hour."""

    async def due(now: int) -> int | None:
        tick = cron.latest(now)
        if tick is None:
            return None
        begun = await queries.last_success_begun(operations.store, operations.backups.city)
        if begun is not None and begun >= tick:
            return None
        return tick + (now - tick) // RETRY * RETRY

    async def run() -> None:
        _, task = await operations.backups.begin(SYSTEM)
        await task

    return Job(f"backup.{operations.backups.city}", due, run)


def retention_job(store: Store, rules: Sequence[Rule], audit: AuditSink, cron: Cron, now: Callable[[], int]) -> Job:
    async def due(moment: int) -> int | None:
        return cron.latest(moment)

    async def run() -> None:
        await enforce(rules, store, audit, now())

    return Job("retention", due, run)
