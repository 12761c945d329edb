"""Shared execution: subscriptions that cannot differ are run once, and each of their events is encoded once.

What can make two subscriptions differ is in their `ShareKey`. A subscriber is a `Sink`: it takes what it is given at once and never
waits, so that one that does not read delays nobody; what becomes of its own backlog is its own matter.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from graph.errors import CityGraphError, InternalError, RateLimited

__all__ = ["Attachment", "Payload", "SharedExecutions", "Sink"]

DELIVERIES_AT_A_TIME = 250
"""So many before the event loop has its turn: a few milliseconds."""

MANY_SINKS = 20
MAX_LOT = 16
MAX_LOT_CHARACTERS = 8_000
"""Events that come at once are delivered together to sinks that are many: so many at most, and none after so much text. More of it
would stand in a connection's write buffer for want of a turn, as if its client did not read."""
TURNS = 4
"""Of the event loop: so many does an event take to come that is there already."""

LOOK_SECONDS = 0.02

logger = logging.getLogger(__name__)


class Payload:
    """One event's answer as JSON text. `frames` keeps what protocols make of it, by what else is in the frame."""

    __slots__ = ("frames", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.frames: dict[Hashable, object] = {}


class Sink(Protocol):
    """Who gets the events of one subscription. Neither method may wait or raise."""

    @property
    def behind(self) -> bool:
        """Whether it has more before it than it should: a stream that is its alone then waits for it."""
        ...

    def deliver(self, payload: Payload) -> None: ...

    def end(self, error: CityGraphError | None) -> None:
        """The last thing that a sink hears: without an `error` the stream is complete."""
        ...


Start = Callable[[], AsyncGenerator[Payload, None]]


@dataclass(slots=True, eq=False)
class _Share:
    """One execution and its sinks, in the order in which they came. `closed` to newcomers once it has delivered, where it must be."""

    key: Hashable
    task: asyncio.Task[None] | None = None
    sinks: dict[Sink, None] = field(default_factory=dict)
    delivered: bool = False


@dataclass(slots=True)
class Attachment:
    """A sink's place at an execution; the last one that leaves ends it."""

    _executions: "SharedExecutions"
    _share: _Share
    _sink: Sink

    def detach(self) -> None:
        """The sink hears nothing any more, not even an end."""
        self._executions._leave(self._share, self._sink)


class SharedExecutions:
    """The running subscriptions of this process; `most` is how many different ones there may be."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._shares: dict[Hashable, _Share] = {}
        self._running: set[_Share] = set()

    @property
    def running(self) -> int:
        """How many executions there are, however many listen to each."""
        return len(self._running)

    def attach(self, key: Hashable, start: Start, sink: Sink, *, from_the_beginning: bool = False) -> Attachment:
        """Has the sink hear the execution of that key, started where there is none.

        `from_the_beginning`: the stream begins with what was missed, so that nobody can join it once it has delivered.
        Raises `RateLimited` where there are too many.
        """
        share = self._shares.get(key)
        if share is None or (from_the_beginning and share.delivered):
            if len(self._running) >= self._most:
                raise RateLimited(f"{self._most:,} different subscriptions run already: try again later")
            share = self._shares[key] = _Share(key)
            self._running.add(share)
            share.task = asyncio.create_task(self._run(share, start))
        share.sinks[sink] = None
        return Attachment(self, share, sink)

    async def close(self) -> None:
        """Ends every execution without a word to its sinks."""
        tasks = [share.task for share in self._running if share.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, share: _Share, start: Start) -> None:
        error: CityGraphError | None = None
        try:
            async with aclosing(start()) as payloads, aclosing(_lots(share, payloads)) as lots:
                async for lot in lots:
                    await _deliver(share, lot)
                    await _pace(share)
        except CityGraphError as failed:
            error = failed
        except Exception:
            logger.exception("a subscription failed")
            error = InternalError(InternalError.title)
        finally:
            self._forget(share)
        for sink in list(share.sinks):
            sink.end(error)
        share.sinks.clear()

    def _leave(self, share: _Share, sink: Sink) -> None:
        share.sinks.pop(sink, None)
        if not share.sinks and share.task is not None:
            self._forget(share)
            share.task.cancel()

    def _forget(self, share: _Share) -> None:
        self._running.discard(share)
        if self._shares.get(share.key) is share:
            del self._shares[share.key]


async def _lots(share: _Share, payloads: AsyncGenerator[Payload, None]) -> AsyncGenerator[Sequence[Payload], None]:
    """Payloads as they come; those that come at once in one lot, where many sinks share them.

    What a connection is given in one turn of the event loop goes by one system call, and that is most of what a delivery costs.
    """
    upcoming: asyncio.Future[Payload] | None = None
    try:
        while True:
            lot = [await (upcoming or anext(payloads))]
            upcoming = None
            share.delivered = True
            while _has_room(share, lot):
                upcoming = asyncio.ensure_future(anext(payloads))
                if not await _is_there(upcoming):
                    break
                lot.append(upcoming.result())
                upcoming = None
            yield lot
    except StopAsyncIteration:
        return
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)


def _has_room(share: _Share, lot: Sequence[Payload]) -> bool:
    return len(share.sinks) >= MANY_SINKS and len(lot) < MAX_LOT and sum(len(payload.text) for payload in lot) < MAX_LOT_CHARACTERS


async def _is_there(upcoming: asyncio.Future[Payload]) -> bool:
    """Whether a payload comes at once. The stream's end is none: it is found when the next one is asked for."""
    for _ in range(TURNS):
        if upcoming.done():
            break
        await asyncio.sleep(0)
    return upcoming.done() and upcoming.exception() is None


async def _deliver(share: _Share, lot: Sequence[Payload]) -> None:
    sinks = list(share.sinks)
    at_a_time = DELIVERIES_AT_A_TIME // len(lot)
    for start in range(0, len(sinks), at_a_time):
        if start:
            await asyncio.sleep(0)
        for sink in sinks[start : start + at_a_time]:
            for payload in lot:
                if sink in share.sinks:
                    sink.deliver(payload)


async def _pace(share: _Share) -> None:
    """Lets what was delivered be sent. Where nobody else would be delayed, a long past is read no faster than its one sink takes it."""
    await asyncio.sleep(0)
    while len(share.sinks) == 1 and next(iter(share.sinks)).behind:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
