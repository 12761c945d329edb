"""A carrier of events over `broadcaster`: whatever happens to what is between the processes, each hears every event once, or is told.

`broadcaster` takes texts to all processes; it may lose them, repeat them, or stop without a word. So every process numbers its events,
keeps each until it has come back to itself, and sends again what has not. Who hears a number twice drops it; who misses one knows
that something is lost. A process that reaches nobody goes on alone: what it could not send is heard by its own listeners.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

import broadcaster

from graph.contracts import Event
from graph.json_codec import InvalidJSON
from graph.subscriptions.bus import Heard
from graph.subscriptions.messages import Assembly, NoMessage, Part, encoded, messages, read_events, read_part
from graph.subscriptions.outbox import Outbox

JOIN_SECONDS = 5.0
"""How long a start waits for the carrier; without it, it is tried for further."""
SEND_SECONDS = 5.0
PROBE_SECONDS = 4.0
"""After so long a silence a process says that it lives, and must hear itself."""
SILENCE_SECONDS = 10.0
"""After so long a silence a carrier that does not recover by itself is opened anew."""
RESEND_SECONDS = 1.0
DOUBT_SECONDS = 5.0
RETRY_SECONDS = (0.05, 0.5)
FLUSH_SECONDS = 2.0
"""What a closing process takes to send what is left."""
MAX_PUBLISHERS = 10_000

logger = logging.getLogger(__name__)


class Carried(Protocol):
    """What comes out of `broadcaster`; ours has the place in the stream besides."""

    channel: str
    message: str


class Subscriber(Protocol):
    """What `Broadcast.subscribe` gives."""

    async def get(self) -> Carried: ...


class Stream(Protocol):
    """What a line that remembers can say of what it has carried. `on_loss` is called where that is gone."""

    on_loss: Callable[[], None]

    def since(self, place: str) -> AsyncIterator[tuple[str, str]]:
        """Places and texts from a place on, with what is there first; nothing where it is not known any more."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A way between processes. `open` makes a `Broadcast` that is not connected yet.

    `stream` is what has been carried, where the line remembers: such a line recovers by itself, and goes on where it was interrupted.
    Another is opened anew when it fails, and what was said meanwhile is lost.
    """

    open: Callable[[], broadcaster.Broadcast]
    channel: str
    part_bytes: int
    stream: Stream | None = None


@dataclass(slots=True)
class Publishers:
    """How far each publisher was heard, by its own numbers."""

    known: dict[str, int] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)

    def missing(self, part: Part) -> bool:
        known = self.known.get(part.publisher)
        return known is not None and part.first > known + 1

    def new_of(self, part: Part) -> int:
        """How many of the message's first events were heard before; it is heard now."""
        known = self.known.pop(part.publisher, part.first - 1)
        self.known[part.publisher] = max(known, part.first + part.count - 1)
        if len(self.known) > MAX_PUBLISHERS:
            oldest = next(iter(self.known))
            del self.known[oldest]
            self.heard_at.pop(oldest, None)
        return min(part.count, max(0, known + 1 - part.first))


class BroadcastCarrier:
    """Implements `graph.subscriptions.bus.Carrier`."""

    def __init__(self, line: Line, *, now: Callable[[], float] = time.monotonic) -> None:
        self._line, self._now = line, now
        if line.stream is not None:
            line.stream.on_loss = self._doubt
        self._me = uuid4().hex[:16]
        self._outbox = Outbox()
        self._publishers = Publishers()
        self._assembly = Assembly()
        self._doubted: set[str] = set()
        self._doubted_at = 0.0
        self._heard_at = self._tried_at = now()
        self._open: broadcaster.Broadcast | None = None
        self._joined = asyncio.Event()
        self._to_send = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._reopen = asyncio.Event()
        self._probing = False
        self._failing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, heard: Heard, lost: Callable[[], None]) -> None:
        self._heard, self._lost = heard, lost
        self._tasks = [asyncio.create_task(work()) for work in (self._receive, self._send, self._watch)]
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await self._joined.wait()
        if not self._joined.is_set():
            logger.error("the event bus cannot be reached: it is tried for further")

    async def publish(self, events: Sequence[Event]) -> None:
        """Returns at once: what cannot be sent now is sent later."""
        for event in events:
            try:
                self._outbox.add(event, encoded(event), self._now())
            except InvalidJSON:
                logger.exception("an event of channel %s cannot be written as JSON", event.channel)
        self._give_up()
        self._all_sent.clear()
        self._to_send.set()

    async def since(self, position: str) -> Sequence[Event] | None:
        place, _, index = position.rpartition(".")
        if self._line.stream is None or not index.isdecimal():
            return None
        publishers, assembly = Publishers(), Assembly()
        found: list[Event] | None = None
        async for at, text in self._line.stream.since(place):
            with suppress(NoMessage):
                piece = read_part(text)
                part = assembly.whole(piece)
                if found is None:
                    # The place itself: its events up to the index were heard. A message in several parts has a single one.
                    publishers.new_of(piece)
                    found = [] if part is None else _placed(read_events(part), at, int(index) + 1)
                elif part is not None:
                    found += _placed(read_events(part), at, publishers.new_of(part))
        return found

    async def close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._all_sent.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard; a line that works is never silent for long."""
        return self._now() - self._heard_at

    def _doubt(self) -> None:
        """What the line remembered is gone. Those who publish say that they live; who does not may have said what nobody has heard."""
        now = self._now()
        self._doubted = {name for name, at in self._publishers.heard_at.items() if at > now - 60} - {self._me}
        self._doubted_at = now
        if not self._publishers.heard_at:
            self._lost()
        self._outbox.send_again()
        self._probing = True
        self._to_send.set()

    # Hearing

    async def _receive(self) -> None:
        pause, first = RETRY_SECONDS[0], True
        while True:
            try:
                async with _connected(self._line) as opened, opened.subscribe(self._line.channel) as subscriber:
                    self._open = opened
                    self._reopen.clear()
                    if not first:
                        self._lost()
                    self._heard_at, first, pause = self._now(), False, RETRY_SECONDS[0]
                    self._outbox.send_again()
                    self._probing = True
                    self._joined.set()
                    self._to_send.set()
                    await self._follow(subscriber)
            except Exception as error:
                logger.warning("the event bus cannot be reached: %s", _said(error))
                first = False
            self._open = None
            self._joined.clear()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, RETRY_SECONDS[1])

    async def _follow(self, subscriber: Subscriber) -> None:
        """Until the line is to be opened anew."""

        async def take() -> None:
            while True:
                self._take(await subscriber.get())

        works: list[asyncio.Task[object]] = [asyncio.create_task(take()), asyncio.create_task(self._reopen.wait())]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            if works[0].done():
                await works[0]
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    def _take(self, carried: Carried) -> None:
        self._heard_at = self._now()
        try:
            part = self._assembly.whole(read_part(carried.message))
        except NoMessage as error:
            logger.warning("%s", error)
            return
        if part is None:
            return
        self._publishers.heard_at[part.publisher] = self._heard_at
        self._doubted.discard(part.publisher)
        if self._publishers.missing(part):
            logger.warning("events of another process were lost on the event bus")
            self._lost()
        known = self._publishers.new_of(part)
        if part.publisher == self._me:
            self._outbox.confirm(part.first + part.count - 1)
        if known == part.count:
            return
        try:
            events = read_events(part)
        except NoMessage as error:
            logger.warning("%s", error)
            self._lost()
            return
        place: str | None = getattr(carried, "place", None)
        self._heard(_numbered(events, part, known) if place is None else _placed(events, place, known))

    # Sending

    async def _send(self) -> None:
        pause = RETRY_SECONDS[0]
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            await self._joined.wait()
            while self._outbox.waits or self._probing:
                if await self._sent_one():
                    pause = RETRY_SECONDS[0]
                else:
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                    pause = min(2 * pause, RETRY_SECONDS[1])
            self._all_sent.set()

    async def _sent_one(self) -> bool:
        """Sends one message, which may say only that this process lives. False where that failed."""
        lot = self._outbox.lot(self._line.part_bytes // 2) if self._outbox.waits else []
        first = lot[0].number if lot else self._outbox.last + 1
        opened = self._open
        if opened is None:
            return False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                for text in messages(self._me, first, [kept.text for kept in lot], self._line.part_bytes):
                    await opened.publish(self._line.channel, text)
        except Exception as error:
            if not self._failing:
                logger.warning("events cannot be sent, and are tried again: %s", _said(error))
            self._failing = True
            # What was sent before may have gone with what has failed now.
            self._outbox.send_again()
            if self._line.stream is None:
                self._reopen.set()
            return False
        if self._failing:
            logger.info("events are sent again")
        self._failing = self._probing = False
        self._tried_at = self._now()
        self._outbox.sent(lot)
        return True

    # Watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = self._now()
            self._give_up()
            since = self._outbox.unconfirmed_since
            if since is not None and min(now - since, now - self._tried_at, self.silent_for) > RESEND_SECONDS:
                self._outbox.send_again()
                self._to_send.set()
            elif self.silent_for > PROBE_SECONDS and now - self._tried_at > PROBE_SECONDS / 2:
                self._probing = True
                self._to_send.set()
            if self._doubted and now - self._doubted_at > DOUBT_SECONDS:
                logger.warning("the event bus was emptied, and %d processes have not been heard since", len(self._doubted))
                self._doubted = set()
                self._lost()
            if self._line.stream is None and self._joined.is_set() and self.silent_for > SILENCE_SECONDS:
                self._reopen.set()

    def _give_up(self) -> None:
        """Events that could not be sent for too long are heard here alone; others will find that their numbers are missing."""
        dropped = self._outbox.given_up(self._now())
        if not dropped:
            return
        logger.error("%d events could not be sent to other processes: their listeners must read anew", len(dropped))
        self._probing = True
        part = Part(self._me, dropped[0].number, len(dropped), 1, 1, "")
        known = self._publishers.new_of(part)
        self._heard(_numbered([kept.event for kept in dropped], part, known))


@asynccontextmanager
async def _connected(line: Line) -> AsyncIterator[broadcaster.Broadcast]:
    """`Broadcast` as a context, whose end may fail as much as the connection that it ends."""
    opened = line.open()
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            await opened.connect()
        yield opened
    finally:
        with suppress(Exception):
            async with asyncio.timeout(1):
                await opened.disconnect()


def _placed(events: Sequence[Event], place: str, start: int) -> list[Event]:
    """From index `start` on, with their positions in a stream."""
    return [replace(event, position=f"{place}.{index}") for index, event in enumerate(events) if index >= start]


def _numbered(events: Sequence[Event], part: Part, start: int) -> list[Event]:
    """From index `start` on, with positions that are the same in every process where the carrier gives none."""
    return [replace(event, position=f"{part.publisher}-{part.first + index}") for index, event in enumerate(events) if index >= start]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
