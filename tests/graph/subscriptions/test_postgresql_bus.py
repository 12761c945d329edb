"""The bus over PostgreSQL's notifications, by broadcaster's own backend: opened anew when it fails, and honest about what that lost."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from carrying import heard, numbers, process, told

from graph.contracts import Event
from graph.errors import ResyncRequired
from graph.subscriptions.bus import EventBus
from tests.fakes.postgresql import PostgreSQL


@pytest.fixture
def url(postgresql: PostgreSQL) -> Iterator[str]:
    name = postgresql.create()
    yield postgresql.url(name).replace("postgresql+asyncpg", "postgres")
    postgresql.drop(name)


async def test_events_when_two_processes_publish_then_both_hear_all_in_one_order(url: str) -> None:
    async with process(url) as one, process(url) as two:
        async with one.listen("t", ["c"]) as at_one, two.listen("t", ["c"]) as at_two:
            await asyncio.gather(*(bus.publish([told(n)]) for n in range(20) for bus in (one, two)))

            first, second = await heard(at_one, 40), await heard(at_two, 40)

        assert first == second
        assert sorted(numbers(first)) == sorted([*range(20), *range(20)])

        async with two.listen("t", ["c"], after=first[30].position) as again:
            assert await heard(again, 9) == first[31:]


async def test_event_when_it_is_longer_than_a_notification_then_it_arrives_whole(url: str) -> None:
    async with process(url) as one, process(url) as two, two.listen("t", ["c"]) as events:
        await one.publish([told(1), Event("t", "c", "Told", 2, {"n": 2, "text": "å✓" * 20_000}), told(3)])

        found = await heard(events, 3)

    assert numbers(found) == [1, 2, 3]
    assert found[1].payload["text"] == "å✓" * 20_000


async def test_listeners_when_the_connection_is_lost_then_they_are_told_and_hear_again(postgresql: PostgreSQL, url: str) -> None:
    async with process(url) as one, process(url) as two:
        async with two.listen("t", ["c"]) as events:
            await one.publish([told(1)])
            await heard(events, 1)
            others = f"datname = '{url.rpartition('/')[2]}' AND pid <> pg_backend_pid()"
            postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            await one.publish([told(2)])
            await two.publish([told(3)])
            with pytest.raises(ResyncRequired):
                await heard(events, 10)

        assert await soon_heard(one, two)


async def soon_heard(one: EventBus, two: EventBus) -> bool:
    """Whether one hears what the other publishes; that more was lost may be noticed, and told, some seconds later."""
    async with asyncio.timeout(30):
        while True:
            with suppress(ResyncRequired, TimeoutError):
                async with two.listen("t", ["c"]) as events:
                    await one.publish([told(4)])
                    while (await heard(events, 1))[0].payload["n"] != 4:
                        continue
                    return True
