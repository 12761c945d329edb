"""The audit log's keeper: entries of many callers at once become one transaction, and none is lost without a word.

Whoever must know that an entry is kept awaits `write`; what is merely noted is written within a second. Both go through one bounded
queue, whose writer takes all that has gathered while the last commit ran. Nothing here, or anywhere else, changes an entry.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

import sqlalchemy as sa

from graph.contracts import AuditEntry, AuditOutcome
from graph.errors import Unavailable
from resolvers.operations.records import SYSTEM, SYSTEM_SUBJECT
from resolvers.operations.store import audit_log
from resolvers.stores.engine import Store

__all__ = ["AuditLog", "system_entry"]

CAPACITY = 10_000
MAX_TEXT = 512
"""Characters of a subject, an operation or a target; the rest of a longer one is cut off."""

_LOT = 1_000
_LINGER = 0.5
_TRIES = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Entries on their way, and whom to tell; nobody where they were only noted."""

    entries: Sequence[AuditEntry]
    told: "asyncio.Future[None] | None" = None


class AuditLog:
    """The log of one city; `graph.contracts.AuditSink`. Belongs to one event loop."""

    def __init__(self, store: Store, city: str, *, capacity: int = CAPACITY) -> None:
        self._store, self._city, self._capacity = store, city, capacity
        self._queue: deque[_Waiting] = deque()
        self._queued = 0
        self._room = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        """Returns once they are committed; waits for room first. Raises `Unavailable` where the store does not take them."""
        for start in range(0, len(entries), _LOT):
            lot = entries[start : start + _LOT]
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            async with self._room:
                await self._room.wait_for(lambda: self._queued < self._capacity)
                self._put(_Waiting(lot, told))
            self._wanted.set()
            # The writer commits the entries of others together with these, so a caller who goes away does not stop it.
            await asyncio.shield(told)

    def note(self, entry: AuditEntry) -> None:
        """Queues the entry; where the queue is full it goes to the process's log instead."""
        if self._queued >= self._capacity:
            _say("the queue is full", [entry])
        else:
            self._put(_Waiting([entry]))

    async def close(self) -> None:
        """Writes what is queued, and ends."""
        self._closing = True
        self._wanted.set()
        if self._writer is not None:
            await self._writer

    def _put(self, waiting: _Waiting) -> None:
        self._queue.append(waiting)
        self._queued += len(waiting.entries)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        """Ends where nothing is queued; `_put` begins it again."""
        while self._queue:
            if all(waiting.told is None for waiting in self._queue):
                await self._linger()
            await self._commit(await self._take())

    async def _linger(self) -> None:
        """Nobody waits for what is only noted, so more of it may gather."""
        if self._closing:
            return
        try:
            await asyncio.wait_for(self._wanted.wait(), _LINGER)
        except TimeoutError:
            return

    async def _take(self) -> list[_Waiting]:
        self._wanted.clear()
        lot: list[_Waiting] = []
        taken = 0
        async with self._room:
            while self._queue and taken + len(self._queue[0].entries) <= _LOT:
                waiting = self._queue.popleft()
                taken += len(waiting.entries)
                lot.append(waiting)
            self._queued -= taken
            self._room.notify_all()
        return lot

    async def _commit(self, lot: Sequence[_Waiting]) -> None:
        """Entries that somebody waits for are tried once, and he is told; the others as often as may help."""
        for pause in (0.0, *(0.2 * 2**n for n in range(_TRIES - 1))):
            await asyncio.sleep(0 if self._closing else pause)
            try:
                await self._insert([entry for waiting in lot for entry in waiting.entries])
            except (Unavailable, sa.exc.SQLAlchemyError, OSError) as error:
                logger.warning("%d audit entries could not be written: %s", sum(len(one.entries) for one in lot), type(error).__name__)
                _tell(lot, Unavailable("The audit log cannot be written"))
                lot = [waiting for waiting in lot if waiting.told is None]
            else:
                _tell(lot, None)
                return
            if not lot:
                return
        _say("the store does not take them", [entry for waiting in lot for entry in waiting.entries])

    async def _insert(self, entries: Sequence[AuditEntry]) -> None:
        rows = [
            {
                "tenant": entry.tenant,
                "city": self._city,
                "uuid": uuid4(),
                "at": entry.at,
                "subject": _storable(entry.subject),
                "operation": _storable(entry.operation),
                "target": None if entry.target is None else _storable(entry.target),
                "outcome": entry.outcome.value,
                "request_id": None if entry.request_id is None else _storable(entry.request_id),
                "trace_id": None if entry.trace_id is None else _storable(entry.trace_id),
            }
            for entry in entries
        ]
        async with self._store.write() as connection:
            await connection.execute(sa.insert(audit_log), rows)


def system_entry(at: int, operation: str, target: str | None, outcome: AuditOutcome) -> AuditEntry:
    """Something that the city did by itself."""
    return AuditEntry(SYSTEM, at, SYSTEM_SUBJECT, operation, target, outcome, None, None)


def _storable(text: str) -> str:
    """What a client wrote may hold what no store takes: NUL, and halves of characters."""
    return text[:MAX_TEXT].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _tell(lot: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in lot:
        if waiting.told is None or waiting.told.done():
            continue
        if error is None:
            waiting.told.set_result(None)
        else:
            waiting.told.set_exception(error)


def _say(reason: str, entries: Sequence[AuditEntry]) -> None:
    """The last resort, so that whoever collects the process's log still has the entry."""
    for entry in entries:
        logger.error("an audit entry is kept here alone, because %s: %s", reason, asdict(entry))
