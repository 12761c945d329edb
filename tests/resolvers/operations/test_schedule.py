"""The schedule in several processes on one store: each tick once, missed ones caught up, failed ones tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from graph.errors import Unavailable
from resolvers.operations import queries
from resolvers.operations.commands import RETRY, Operations, backup_job, retention_job
from resolvers.operations.leases import Lease
from resolvers.operations.records import SYSTEM, Backup, BackupPolicy, BackupState
from resolvers.operations.retention import Rule
from resolvers.operations.schedule import Cron, Job, Scheduler
from resolvers.operations.store import add_backup
from resolvers.stores.engine import Store
from tests.resolvers.operations.conftest import CITY, DAY, NOW, Noted, Site

TWO = int(datetime.fromtimestamp(NOW / 1000, UTC).replace(hour=2, minute=0, second=0, microsecond=0).timestamp() * 1000)
"""02:00 of the day of `NOW`."""


def job_of(site: Site) -> Job:
    cron = Cron.parse("0 2 * * *")
    assert cron is not None
    return backup_job(Operations(site.store, site.backups(), BackupPolicy("0 2 * * *", 30, "backups"), cron), cron)


async def states(site: Site) -> list[BackupState]:
    recent, _, _ = await queries.backup_history(site.store, SYSTEM, CITY)
    return [backup.state for backup in recent]


async def wait_until(met: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await met():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_schedule_when_two_processes_follow_it_then_one_backup_a_tick(site: Site, store_url: str) -> None:
    """FC-08"""
    site.at = TWO + 5_000
    other = Store(store_url)
    # The other process's clock is three seconds behind.
    there = replace(site, store=other)
    schedulers = [
        Scheduler(site.store, [job_of(site)], now=lambda: site.at, poll=0.05),
        Scheduler(other, [job_of(there)], now=lambda: site.at - 3_000, poll=0.05),
    ]
    for scheduler in schedulers:
        scheduler.start()
    try:
        await wait_until(lambda: _are(site, [BackupState.SUCCEEDED]))
        await asyncio.sleep(0.5)
        first = await states(site)
        site.at = there.at = TWO + DAY + 4_000
        await wait_until(lambda: _are(site, [BackupState.SUCCEEDED] * 2))
        await asyncio.sleep(0.5)
    finally:
        for scheduler in schedulers:
            await scheduler.stop()
        await other.close()

    assert first == [BackupState.SUCCEEDED]
    assert await states(site) == [BackupState.SUCCEEDED] * 2


async def _are(site: Site, wanted: list[BackupState]) -> bool:
    return await states(site) == wanted


@pytest.mark.parametrize(
    ("begun", "now", "due"),
    [
        (None, TWO + 1, TWO),
        (TWO - DAY, TWO - 1, None),
        (TWO - DAY - 1, TWO - DAY + 9, TWO - DAY),
        (TWO - DAY - 1, TWO - 1, TWO - RETRY),  # down at the tick, and for long after it
        (TWO - DAY, TWO, TWO),
        (TWO + 60_000, TWO + 120_000, None),
        (TWO - DAY, TWO + RETRY - 1, TWO),
        (TWO - DAY, TWO + RETRY, TWO + RETRY),
        (TWO - DAY, TWO + 5 * RETRY + 1, TWO + 5 * RETRY),
    ],
)
async def test_backup_when_the_last_good_one_is_older_than_the_tick_then_due(
    site: Site, begun: int | None, now: int, due: int | None
) -> None:
    if begun is not None:
        async with site.store.write() as connection:
            await connection.execute(add_backup(SYSTEM, Backup(CITY, uuid4(), BackupState.SUCCEEDED, begun, begun)))

    assert await job_of(site).due(now) == due


async def test_scheduler_when_a_job_fails_then_it_and_the_others_go_on(sqlite_store: Store) -> None:
    ran: list[str] = []

    def job(name: str, error: Exception | None) -> Job:
        async def due(now: int) -> int:
            return now

        async def run() -> None:
            ran.append(name)
            if error is not None:
                raise error

        return Job(name, due, run)

    clock = iter(range(1, 1_000_000))
    jobs = [job("a", Unavailable("the archive is away")), job("b", ZeroDivisionError()), job("c", None)]
    scheduler = Scheduler(sqlite_store, jobs, now=lambda: next(clock), poll=0.01)

    scheduler.start()

    async def thrice() -> bool:
        return all(ran.count(name) >= 3 for name in "abc")

    await wait_until(thrice)
    await scheduler.stop()


async def test_retention_when_two_processes_look_then_enforced_once_a_tick(store: Store) -> None:
    """ICD §6.3: purged daily."""
    purged: list[int] = []

    async def purge(_store: Store, before: int) -> int:
        purged.append(before)
        return 1

    cron = Cron.parse("0 2 * * *")
    assert cron is not None
    clock = [TWO + 1]
    job = retention_job(store, [Rule("keys", purge, days=1)], Noted(), cron, lambda: clock[0])
    schedulers = [(Scheduler(store, [job], now=lambda: clock[0]), Lease(store, job.name)) for _ in range(2)]

    for moment in (TWO + 1, TWO + DAY - 1, TWO + DAY):
        clock[0] = moment
        for scheduler, lease in schedulers:
            await scheduler.look(job, lease)

    assert purged == [TWO + 1 - DAY, TWO]
