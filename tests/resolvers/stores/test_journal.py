"""The journal: events are numbered without a gap, and told when, and only when, what they tell of is committed."""

import asyncio
from collections.abc import Sequence

import pytest

from graph.contracts import Event
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after, last_seq, purge_events, record


class Listener:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    async def __call__(self, events: Sequence[Event]) -> None:
        self.heard += events


async def tell(store: Store, channel: str, at: int) -> None:
    async with store.write() as connection:
        await record(connection, tenant="t", channel=channel, kind="Told", at=at, payload={"at": at})


async def test_events_when_recorded_then_numbered_by_channel_and_published_after_the_commit(store_url: str) -> None:
    listener = Listener()
    store = Store(store_url, publish=listener)

    async with store.write() as connection:
        for channel in ("model/1", "model/2", "model/1"):
            await record(connection, tenant="t", channel=channel, kind="Told", at=5, payload={"n": 1.5})
        assert listener.heard == []

    assert [(event.channel, event.seq) for event in listener.heard] == [("model/1", 1), ("model/2", 1), ("model/1", 2)]
    assert await events_after(store, "t", "model/1", 0, 10) == [listener.heard[0], listener.heard[2]]
    assert await events_after(store, "t", "model/1", 1, 10) == [listener.heard[2]]
    assert await events_after(store, "other", "model/1", 0, 10) == []
    await store.close()


async def test_events_when_their_transaction_fails_then_nobody_hears_and_no_number_is_used(store_url: str) -> None:
    listener = Listener()
    store = Store(store_url, publish=listener)

    with pytest.raises(ZeroDivisionError):
        async with store.write() as connection:
            await record(connection, tenant="t", channel="c", kind="Told", at=5, payload={})
            raise ZeroDivisionError
    await tell(store, "c", 6)

    assert [(event.seq, event.at) for event in listener.heard] == [(1, 6)]
    await store.close()


async def test_events_when_many_record_at_once_then_their_numbers_have_no_gap(store: Store) -> None:
    await asyncio.gather(*(tell(store, "c", at) for at in range(20)))

    events = await events_after(store, "t", "c", 0, 100)

    assert [event.seq for event in events] == list(range(1, 21))
    assert sorted(event.at for event in events) == list(range(20))


async def test_events_when_old_ones_are_purged_then_the_channel_counts_on(store: Store) -> None:
    for at in (1, 2, 3):
        await tell(store, "c", at)

    assert await purge_events(store, 3) == 2

    assert [event.seq for event in await events_after(store, "t", "c", 0, 10)] == [3]
    await tell(store, "c", 4)
    assert await last_seq(store, "t", "c") == 4
