"""What a carrier makes of a line that loses, repeats, refuses, or falls silent: a wire in memory does so when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import broadcaster
import pytest
from carrying import heard, numbers, told

from graph.errors import ResyncRequired
from graph.subscriptions import carrier as module
from graph.subscriptions.bus import EventBus
from graph.subscriptions.carrier import BroadcastCarrier, Line
from graph.subscriptions.messages import read_part


@dataclass
class Wire:
    """`passes` says how often each end gets a message, by the end's number and the message; it may raise."""

    passes: Callable[[int, str], int] = lambda _end, _message: 1
    ends: list["End"] = field(default_factory=list)

    def bus(self) -> EventBus:
        return EventBus(BroadcastCarrier(Line(lambda: broadcaster.Broadcast(backend=End(self)), "c", 10_000)))


class End(broadcaster.BroadcastBackend):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._queue: asyncio.Queue[broadcaster.Event] = asyncio.Queue()

    async def connect(self) -> None:
        self._wire.ends.append(self)

    async def disconnect(self) -> None: ...

    async def subscribe(self, group: str) -> None: ...

    async def unsubscribe(self, group: str) -> None: ...

    async def publish(self, channel: str, message: str) -> None:
        for number, end in enumerate(self._wire.ends):
            for _ in range(self._wire.passes(number, message)):
                end._queue.put_nowait(broadcaster.Event(channel, message))

    async def next_published(self) -> broadcaster.Event:
        return await self._queue.get()


@asynccontextmanager
async def two(wire: Wire) -> AsyncIterator[tuple[EventBus, EventBus]]:
    one, other = wire.bus(), wire.bus()
    await one.start()
    await other.start()
    # Each has said that it is there.
    await asyncio.sleep(0.05)
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


async def test_messages_when_repeated_then_each_event_is_heard_once() -> None:
    async with two(Wire(lambda _end, _message: 3)) as (one, other), other.listen("t", ["c"]) as events:
        for n in range(5):
            await one.publish([told(n)])
        await one.publish([told(5), told(6)])

        assert numbers(await heard(events, 7)) == list(range(7))
        with pytest.raises(TimeoutError):
            await heard(events, 1, 0.2)


async def test_message_when_the_line_swallows_it_then_it_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESEND_SECONDS", 0.2)
    swallowed: list[str] = []

    def swallow_first(_end: int, message: str) -> int:
        if read_part(message).count and len(swallowed) < 2:
            swallowed.append(message)
            return 0
        return 1

    async with two(Wire(swallow_first)) as (one, other), one.listen("t", ["c"]) as own, other.listen("t", ["c"]) as events:
        await one.publish([told(1), told(2)])

        assert numbers(await heard(events, 2, 5)) == [1, 2]
        assert numbers(await heard(own, 2)) == [1, 2]
    assert len(swallowed) == 2


async def test_message_when_one_process_alone_misses_it_then_its_listeners_are_told_with_the_next() -> None:
    async with two(Wire(lambda end, message: 0 if end == 1 and '"n":2' in message else 1)) as (one, other):
        async with one.listen("t", ["c"]) as own, other.listen("t", ["c"]) as events:
            for n in (1, 2, 3):
                await one.publish([told(n)])
                assert numbers(await heard(own, 1)) == [n]

            assert numbers(await heard(events, 1)) == [1]
            with pytest.raises(ResyncRequired):
                await heard(events, 1)
        async with other.listen("t", ["c"]) as events:
            await one.publish([told(4)])
            assert numbers(await heard(events, 1)) == [4]


async def test_line_when_it_refuses_then_it_is_opened_anew_and_what_was_refused_is_sent_in_order() -> None:
    refused: list[str] = []

    def refuse(_end: int, message: str) -> int:
        if read_part(message).count and len(refused) < 3:
            refused.append(message)
            raise ConnectionError("the line is broken")
        return 1

    wire = Wire(refuse)
    async with two(wire) as (one, other), other.listen("t", ["c"]) as events:
        await one.publish([told(1)])
        await one.publish([told(2), told(3)])

        assert numbers(await heard(events, 3, 5)) == [1, 2, 3]
    assert len(wire.ends) >= 3


async def test_line_when_it_falls_silent_then_it_is_opened_anew_and_its_listeners_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.5)
    wire = Wire()

    async with two(wire) as (one, other):
        async with other.listen("t", ["c"]) as events:
            await one.publish([told(1)])
            await heard(events, 1)
            dead = list(wire.ends)
            wire.passes = lambda end, _message: int(wire.ends[end] not in dead)

            with pytest.raises(ResyncRequired):
                await heard(events, 1)
        async with other.listen("t", ["c"]) as events:
            await one.publish([told(2)])
            assert numbers(await heard(events, 1)) == [2]


async def test_carrier_when_the_line_cannot_be_opened_then_the_process_is_alone_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.1)
    monkeypatch.setattr("graph.subscriptions.outbox.SECONDS", 0.3)

    def fails() -> broadcaster.Broadcast:
        raise OSError("no route to host")

    bus = EventBus(BroadcastCarrier(Line(fails, "c", 10_000)))
    await bus.start()
    async with bus.listen("t", ["c"]) as events:
        await bus.publish([told(1), told(2)])

        assert numbers(await heard(events, 2, 5)) == [1, 2]
    await bus.close()
