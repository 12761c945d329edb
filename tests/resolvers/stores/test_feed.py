"""A subscriber's feed: every event of the channel once, in order, whatever the bus does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from graph.contracts import Event
from graph.errors import ResyncRequired
from graph.subscriptions import bus as bus_module
from graph.subscriptions.bus import EventBus
from resolvers.stores.engine import Store
from resolvers.stores.feed import journal_feed
from resolvers.stores.journal import purge_events, record


async def tell(store: Store, at: int, channel: str = "c") -> None:
    async with store.write() as connection:
        await record(connection, tenant="t", channel=channel, kind="Told", at=at, payload={})


async def next_times(feed: AsyncGenerator[Event, None], most: int) -> list[int]:
    async with asyncio.timeout(10):
        return [(await anext(feed)).at for _ in range(most)]


async def test_feed_when_it_begins_now_then_it_hears_what_happens_next(store_url: str) -> None:
    bus = EventBus()
    store = Store(store_url, publish=bus.publish)
    await tell(store, 1)

    async with aclosing(journal_feed(store, bus, "t", "c")) as feed:
        first = asyncio.ensure_future(anext(feed))
        while not bus._listeners:  # noqa: ASYNC110 (the bus tells nobody who listens)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        await tell(store, 2)
        await tell(store, 9, channel="d")
        await tell(store, 3)

        assert (await first).at == 2
        assert await next_times(feed, 1) == [3]
    await store.close()


async def test_feed_when_it_begins_after_a_number_then_the_journal_comes_first_and_nothing_twice(store_url: str) -> None:
    bus = EventBus()
    store = Store(store_url, publish=bus.publish)
    for at in range(1, 6):
        await tell(store, at)

    async with aclosing(journal_feed(store, bus, "t", "c", after=2)) as feed:
        assert await next_times(feed, 1) == [3]
        await tell(store, 6)

        assert await next_times(feed, 3) == [4, 5, 6]
    await store.close()


async def test_feed_when_the_bus_misses_events_then_the_journal_fills_them_in(store_url: str) -> None:
    bus = EventBus()
    store, silent = Store(store_url, publish=bus.publish), Store(store_url)

    async with aclosing(journal_feed(store, bus, "t", "c", after=0)) as feed:
        await tell(store, 1)
        assert await next_times(feed, 1) == [1]
        for at in (2, 3):
            await tell(silent, at)
        await tell(store, 4)

        assert await next_times(feed, 3) == [2, 3, 4]
    await silent.close()
    await store.close()


async def test_feed_when_it_falls_behind_the_bus_then_the_journal_brings_it_back(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "BACKLOG", 2)
    bus = EventBus()
    store = Store(store_url, publish=bus.publish)

    async with aclosing(journal_feed(store, bus, "t", "c", after=0)) as feed:
        await tell(store, 1)
        assert await next_times(feed, 1) == [1]
        for at in range(2, 9):
            await tell(store, at)

        assert await next_times(feed, 7) == [2, 3, 4, 5, 6, 7, 8]
    await store.close()


@pytest.mark.parametrize("after", [0, 1])
async def test_feed_when_what_was_missed_is_purged_then_it_must_resynchronise(store: Store, after: int) -> None:
    for at in (1, 2, 3):
        await tell(store, at)
    await purge_events(store, 3)

    async with aclosing(journal_feed(store, EventBus(), "t", "c", after=after)) as feed:
        with pytest.raises(ResyncRequired, match="older than events are kept"):
            await anext(feed)


async def test_feed_when_asked_to_begin_after_what_never_was_then_it_must_resynchronise(store: Store) -> None:
    async with aclosing(journal_feed(store, EventBus(), "t", "c", after=1)) as feed:
        with pytest.raises(ResyncRequired, match="has had 0 events"):
            await anext(feed)
