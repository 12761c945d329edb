"""The event bus within one process: everybody hears what they listen to, in order, and nobody who is slow holds it up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from graph.contracts import Event
from graph.errors import ResyncRequired
from graph.subscriptions import bus as module
from graph.subscriptions.bus import EventBus


def told(n: int, channel: str = "c", tenant: str = "t") -> Event:
    return Event(tenant, channel, "Told", n, {"n": n})


async def heard(events: AsyncIterator[Event], most: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(5):
        async for event in events:
            found.append(event)
            if len(found) == most:
                break
    return found


def numbers(events: list[Event]) -> list[int]:
    return [event.payload["n"] for event in events]


async def test_events_when_published_then_heard_by_those_who_listen_in_order() -> None:
    bus = EventBus()

    async with bus.listen("t", ["c", "d"]) as both, bus.listen("t", ["d"]) as one, bus.listen("u", ["c"]) as other:
        await bus.publish([told(1), told(2, "d")])
        await bus.publish([told(3), told(4, tenant="u")])

        assert numbers(await heard(both, 3)) == [1, 2, 3]
        assert numbers(await heard(one, 1)) == [2]
        assert numbers(await heard(other, 1)) == [4]


async def test_listener_when_it_comes_back_with_a_position_then_it_hears_what_it_missed_and_goes_on() -> None:
    bus = EventBus()
    async with bus.listen("t", ["c"]) as events:
        await bus.publish([told(1), told(2), told(3, "d"), told(4)])
        first, *_ = await heard(events, 3)

    async with bus.listen("t", ["c", "d"], after=first.position) as again:
        await bus.publish([told(5)])

        assert numbers(await heard(again, 4)) == [2, 3, 4, 5]


async def test_listener_when_its_position_is_the_newest_then_nothing_is_missed_and_nothing_twice() -> None:
    bus = EventBus()
    async with bus.listen("t", ["c"]) as events:
        await bus.publish([told(1), told(2)])
        *_, last = await heard(events, 2)

    async with bus.listen("t", ["c"], after=last.position) as again:
        await bus.publish([told(3)])

        assert numbers(await heard(again, 1)) == [3]


@pytest.mark.parametrize("position", ["nonsense", ""])
async def test_listener_when_its_position_is_unknown_then_it_must_resynchronise(position: str) -> None:
    bus = EventBus()
    await bus.publish([told(1)])

    with pytest.raises(ResyncRequired):
        async with bus.listen("t", ["c"], after=position):
            pass


async def test_listener_when_its_position_is_older_than_the_history_then_it_must_resynchronise() -> None:
    now = [0.0]
    bus = EventBus(now=lambda: now[0])
    async with bus.listen("t", ["c"]) as events:
        await bus.publish([told(1), told(2)])
        one, two = await heard(events, 2)
        now[0] = 200.0
        await bus.publish([told(3)])
    now[0] = 301.0

    async with bus.listen("t", ["c"], after=two.position) as again:
        assert numbers(await heard(again, 1)) == [3]
    with pytest.raises(ResyncRequired):
        async with bus.listen("t", ["c"], after=one.position):
            pass


async def test_listener_when_it_does_not_read_then_it_alone_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG", 3)
    bus = EventBus()

    async with bus.listen("t", ["c"]) as slow, bus.listen("t", ["c"]) as quick:
        for n in range(5):
            await bus.publish([told(n)])
            assert numbers(await heard(quick, 1)) == [n]

        assert numbers(await heard(slow, 3)) == [0, 1, 2]
        with pytest.raises(ResyncRequired, match="fell 3 events behind"):
            await anext(slow)


async def test_listener_when_it_leaves_then_the_bus_forgets_it() -> None:
    bus = EventBus()

    async with bus.listen("t", ["c", "d"]):
        assert len(bus._listeners) == 2

    assert bus._listeners == {}


async def test_publisher_when_it_has_many_events_then_others_have_their_turn_and_theirs_come_after() -> None:
    bus, many = EventBus(), 4 * module.AT_ONCE

    async with bus.listen("t", ["c"]) as events:
        large = asyncio.ensure_future(bus.publish([told(n) for n in range(many)]))
        await asyncio.sleep(0)
        half_way = large.done()
        await bus.publish([told(many)])

        assert not half_way
        assert numbers(await heard(events, many + 1)) == list(range(many + 1))
        await large


async def test_publisher_when_it_is_cancelled_half_way_then_all_its_events_are_heard() -> None:
    bus, many = EventBus(), 4 * module.AT_ONCE

    async with bus.listen("t", ["c"]) as events:
        publisher = asyncio.ensure_future(bus.publish([told(n) for n in range(many)]))
        await asyncio.sleep(0)
        publisher.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publisher

        assert numbers(await heard(events, many)) == list(range(many))


async def test_history_when_events_are_large_then_only_as_much_as_its_bound_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HISTORY_BYTES", 100_000)
    bus = EventBus()
    columns = {"timestamps": list(range(500)), "values": [0.5] * 500}
    async with bus.listen("t", ["c"]) as events:
        for n in range(5):
            await bus.publish([Event("t", "c", "Told", n, {"n": n, "series": [columns]})])
        first, second, third, fourth, _ = await heard(events, 5)

    for lost in (first, second):
        with pytest.raises(ResyncRequired):
            async with bus.listen("t", ["c"], after=lost.position):
                pass
    for kept, missed in ((third, [3, 4]), (fourth, [4])):
        async with bus.listen("t", ["c"], after=kept.position) as again:
            assert numbers(await heard(again, len(missed))) == missed
