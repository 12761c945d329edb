"""The event bus of one process: what is published is handed to who listens, and kept for a while for who comes back.

Between processes a *carrier* takes the events; each process then hears its own, and everybody's, from the carrier, in one order. Without
one, the order is that of publishing. No listener can hold events up: one whose backlog is full has lost its place and is told so.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import uuid4

from graph.contracts import Event
from graph.errors import ResyncRequired

BACKLOG = 2_000
"""Events that one listener may be behind."""
AT_ONCE = 100
"""Events that are passed on before the event loop has its turn: some two milliseconds."""
HISTORY = 20_000
HISTORY_SECONDS = 300.0
HISTORY_BYTES = 64_000_000
"""How much is kept for who comes back with a position: so many events, none older, and by an estimate no more memory."""

logger = logging.getLogger(__name__)

Heard = Callable[[Sequence[Event]], None]


class Carrier(Protocol):
    """Takes events to every process, this one too, in one order that is the same everywhere."""

    async def start(self, heard: Heard, lost: Callable[[], None]) -> None:
        """From now on `heard` gets every event with its position; `lost` is called where some may have been missed for good."""
        ...

    async def publish(self, events: Sequence[Event]) -> None: ...

    async def since(self, position: str) -> Sequence[Event] | None:
        """All events after a position, oldest first; None where they are not known any more."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Listener:
    tenant: str
    channels: frozenset[str]
    backlog: deque[Event] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    fault: str | None = None

    def offer(self, event: Event) -> None:
        if self.fault is not None:
            return
        if len(self.backlog) >= BACKLOG:
            self.lose(f"the subscription fell {BACKLOG:,} events behind")
            return
        self.backlog.append(event)
        self.arrived.set()

    def lose(self, fault: str) -> None:
        """What is in the backlog is whole up to here, and still heard."""
        self.fault = fault
        self.arrived.set()

    async def events(self) -> AsyncIterator[Event]:
        while True:
            while self.backlog:
                yield self.backlog.popleft()
            if self.fault is not None:
                raise ResyncRequired(self.fault)
            self.arrived.clear()
            await self.arrived.wait()


class EventBus:
    """Implements `graph.contracts.Bus`; to be started before the first event."""

    def __init__(self, carrier: Carrier | None = None, *, now: Callable[[], float] = time.monotonic) -> None:
        self._carrier = carrier
        self._now = now
        # A restart forgets: a position of another life must not be taken for one of this.
        self._life = uuid4().hex[:12]
        self._count = 0
        self._coming: deque[Event] = deque()
        """What has been published and not been passed on yet; each publisher stays until his own has been."""
        self._history: deque[tuple[float, int, Event]] = deque()
        """When each was heard, and about how much it is."""
        self._history_bytes = 0
        self._dropped: str | None = None
        """The newest position that is not in the history any more."""
        self._listeners: dict[tuple[str, str], dict[_Listener, None]] = {}

    async def start(self) -> None:
        if self._carrier is not None:
            await self._carrier.start(self._hear, self._lose_all)

    async def close(self) -> None:
        if self._carrier is not None:
            await self._carrier.close()

    async def publish(self, events: Sequence[Event]) -> None:
        """What cannot be carried is logged: what the events tell of is done, and those who listen find a gap.

        The events of all publishers go on in one order, some at a time, so that a call with ten thousand does not hold others up.
        """
        self._coming.extend(events)
        try:
            while len(self._coming) > AT_ONCE:
                await self._pass_on([self._coming.popleft() for _ in range(AT_ONCE)])
                await asyncio.sleep(0)
        finally:
            # Also where the publisher is cancelled, as what the events tell of is done.
            if rest := list(self._coming):
                self._coming.clear()
                await self._pass_on(rest)

    async def _pass_on(self, events: Sequence[Event]) -> None:
        if self._carrier is None:
            self._hear([replace(event, position=self._next_position()) for event in events])
            return
        try:
            await self._carrier.publish(events)
        except Exception:
            logger.exception("%d events could not be published", len(events))

    @asynccontextmanager
    async def listen(self, tenant: str, channels: Collection[str], *, after: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
        listener = _Listener(tenant, frozenset(channels))
        for channel in listener.channels:
            self._listeners.setdefault((tenant, channel), {})[listener] = None
        try:
            if after is None:
                yield listener.events()
            else:
                yield _joined(await self._missed(listener, after), listener)
        finally:
            for channel in listener.channels:
                listeners = self._listeners[tenant, channel]
                del listeners[listener]
                if not listeners:
                    del self._listeners[tenant, channel]

    async def _missed(self, listener: _Listener, after: str) -> Sequence[Event]:
        """What the listener wants of the events after a position. Raises `ResyncRequired`."""
        found = self._remembered(after)
        if found is None and self._carrier is not None:
            found = await self._carrier.since(after)
        if found is None:
            raise ResyncRequired(f"what followed {after[:64]!r} is not known any more")
        return [event for event in found if event.tenant == listener.tenant and event.channel in listener.channels]

    def _remembered(self, after: str) -> Sequence[Event] | None:
        """What followed a position, where that is all in the history."""
        self._forget_old()
        if self._carrier is None and after == self._position(0):
            return None if self._dropped is not None else [event for _, _, event in self._history]
        followers: list[Event] = []
        for _, _, event in reversed(self._history):
            if event.position == after:
                return followers[::-1]
            followers.append(event)
        return followers[::-1] if after == self._dropped else None

    def _hear(self, events: Sequence[Event]) -> None:
        now = self._now()
        for event in events:
            bytes = about_bytes(event.payload)
            self._history.append((now, bytes, event))
            self._history_bytes += bytes
            for listener in self._listeners.get((event.tenant, event.channel), ()):
                listener.offer(event)
        self._forget_old()

    def _lose_all(self) -> None:
        """The carrier has lost events: nobody can be sure of having heard all."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.lose("the event bus was interrupted for too long")
        self._history.clear()
        self._history_bytes = 0
        self._dropped = None

    def _forget_old(self) -> None:
        oldest = self._now() - HISTORY_SECONDS
        while self._history and (len(self._history) > HISTORY or self._history_bytes > HISTORY_BYTES or self._history[0][0] < oldest):
            _, bytes, event = self._history.popleft()
            self._history_bytes -= bytes
            self._dropped = event.position

    def _next_position(self) -> str:
        self._count += 1
        return self._position(self._count)

    def _position(self, number: int) -> str:
        return f"{self._life}-{number}"


def about_bytes(value: Any) -> int:
    """What a JSON value takes in memory. Columns are long, and alike throughout: their first number tells of all."""
    if value is None or isinstance(value, (int, float)):
        return 32
    if isinstance(value, str):
        return 60 + len(value)
    # The usual classes first: to ask an abstract one takes ten times as long, and each event of a large call is asked here.
    if isinstance(value, (dict, Mapping)):
        return 200 + sum([60 + len(name) + about_bytes(member) for name, member in value.items()])
    if isinstance(value, (list, Sequence)):
        if value and isinstance(value[0], (int, float)):
            return 60 + 40 * len(value)
        return 60 + sum([8 + about_bytes(item) for item in value])
    return 32


async def _joined(missed: Sequence[Event], listener: _Listener) -> AsyncIterator[Event]:
    """What was missed, then what comes; what came while the past was read is in both."""
    seen = {event.position for event in missed}
    for event in missed:
        yield event
    async for event in listener.events():
        if event.position not in seen:
            yield event
