"""When the city does something by itself, and which of its processes does it.

Every process that serves has the whole schedule. For each job the holder of its lease looks whether a tick is due and claims it, which
succeeds once for each tick whatever the processes' clocks say. A tick that passed while no process ran is due when one starts.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

from graph.errors import CityGraphError
from resolvers.operations.leases import SECONDS, Lease, LeaseLostError
from resolvers.stores.engine import Store

__all__ = ["Cron", "Job", "Scheduler"]

NEVER = "none"

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=366), timedelta(days=8 * 366))
_POLL = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, in UTC. Where day of month and day of week are both restricted, either will do (POSIX)."""

    expression: str
    triggers: tuple[CronTrigger, ...]

    @classmethod
    def parse(cls, expression: str) -> "Cron | None":
        """None for `none` or nothing. Raises ValueError, which says what is expected."""
        fields = expression.split()
        if not fields or expression.strip() == NEVER:
            return None
        if len(fields) != 5:
            raise ValueError(f"{expression!r} has {len(fields)} fields: expected five: minute, hour, day of month, month, day of week")
        minute, hour, day, month, weekday = fields
        either = [(day, "*"), ("*", weekday)] if day != "*" and weekday != "*" else [(day, weekday)]
        try:
            triggers = tuple(
                CronTrigger(minute=minute, hour=hour, day=on, month=month, day_of_week=_weekdays(at), timezone=UTC) for on, at in either
            )
        except ValueError as error:
            raise ValueError(f"{expression!r} is no cron expression: {error}") from None
        cron = cls(" ".join(fields), triggers)
        if cron.next(0) is None:
            raise ValueError(f"{expression!r} names a day that no month has")
        return cron

    def next(self, after: int) -> int | None:
        """The first tick later than that time; epoch milliseconds."""
        start = datetime.fromtimestamp(after / 1000, UTC)
        found = [self._next(trigger, start) for trigger in self.triggers]
        return min((_ms(tick) for tick in found if tick is not None), default=None)

    def latest(self, now: int) -> int | None:
        """The newest tick that is not later than now; None where there was none in eight years."""
        for window in _WINDOWS:
            tick = self.next(max(0, now - int(window / timedelta(milliseconds=1))))
            if tick is not None and tick <= now:
                while (later := self.next(tick)) is not None and later <= now:
                    tick = later
                return tick
        return None

    @staticmethod
    def _next(trigger: CronTrigger, after: datetime) -> datetime | None:
        found: datetime | None = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _weekdays(field: str) -> str:
    """The field by names: cron counts days from Sunday, which 7 means too, and the trigger from Monday."""
    return ",".join(name for part in field.split(",") for name in _named(part))


def _named(part: str) -> Sequence[str]:
    found = re.fullmatch(r"([0-7])(?:-([0-7]))?(?:/([1-9]\d?))?|\*/([1-9]\d?)", part)
    if found is None:
        return [part]
    first, last, step, of_all = found.groups()
    if of_all:
        days = range(0, 7, int(of_all))
    elif last is None:
        days = range(int(first), 7 if step else int(first) + 1, int(step or 1))
    else:
        if int(last) < int(first):
            raise ValueError(f"{part!r} ends before it begins")
        days = range(int(first), int(last) + 1, int(step or 1))
    return [_DAYS[day % 7] for day in days]


@dataclass(frozen=True, slots=True)
class Job:
    """`due` gives the tick that is to be claimed now, None where nothing is due; `run` does it."""

    name: str
    due: Callable[[int], Awaitable[int | None]]
    run: Callable[[], Awaitable[None]]


class Scheduler:
    """Runs jobs in the background of a process that serves. `poll` and `lease_seconds` are seconds."""

    def __init__(
        self,
        store: Store,
        jobs: Sequence[Job],
        *,
        now: Callable[[], int],
        poll: float = _POLL,
        lease_seconds: float = SECONDS,
    ) -> None:
        self._jobs = [(job, Lease(store, f"schedule.{job.name}", lease_seconds)) for job in jobs]
        self._now, self._poll = now, poll
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._follow(job, lease), name=f"schedule.{job.name}") for job, lease in self._jobs]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, job: Job, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._poll)  # first, too: a process that starts has other things to do
            try:
                await self.look(job, lease)
            except (CityGraphError, sa.exc.SQLAlchemyError, OSError, LeaseLostError) as error:
                logger.warning("%s could not be done: %s", job.name, error if isinstance(error, CityGraphError) else type(error).__name__)
            except Exception:
                logger.exception("%s failed", job.name)

    async def look(self, job: Job, lease: Lease) -> bool:
        """Runs the job if it is due and this process's to do; whether it did."""
        if not await lease.acquire():
            return False
        tick = await job.due(self._now())
        if tick is None or not await lease.claim(tick):
            return False
        async with lease.kept():
            await job.run()
        return True
