"""The bus over a real Redis: two processes hear the same in the same order, whatever becomes of Redis meanwhile."""

import asyncio

import pytest
from carrying import heard, numbers, process, told

from graph.contracts import Event
from graph.errors import ResyncRequired
from graph.redis_client import redis_client
from graph.subscriptions import outbox, redis_streams
from graph.subscriptions.redis_streams import NewStream, RedisStreams
from tests.fakes.redis import Redis

CHANNEL = "citygraph.FI-HELSINKI"


async def test_events_when_two_processes_publish_then_both_hear_all_in_one_order(redis: Redis) -> None:
    async with process(redis.url) as one, process(redis.url) as two:
        async with one.listen("t", ["c"]) as at_one, two.listen("t", ["c"]) as at_two:
            await asyncio.gather(*(bus.publish([told(n)]) for n in range(50) for bus in (one, two)))

            first, second = await heard(at_one, 100), await heard(at_two, 100)

        assert [event.position for event in first] == [event.position for event in second]
        assert first == second
        assert sorted(numbers(first)) == sorted([*range(50), *range(50)])


async def test_event_when_it_is_longer_than_a_part_then_it_arrives_whole(redis: Redis) -> None:
    long = "å" * 400_000

    async with process(redis.url) as one, process(redis.url) as two, two.listen("t", ["c"]) as events:
        await one.publish([told(1), Event("t", "c", "Told", 2, {"n": 2, "text": long, "big": 2**70}), told(3)])

        found = await heard(events, 3)

    assert numbers(found) == [1, 2, 3]
    assert found[1].payload == {"n": 2, "text": long, "big": 2**70}


async def test_listener_when_it_comes_back_to_another_process_then_it_hears_what_it_missed(redis: Redis) -> None:
    async with process(redis.url) as one:
        async with one.listen("t", ["c"]) as events:
            await one.publish([told(1), told(2), told(3, "d"), told(4)])
            first, *_ = await heard(events, 3)

        async with process(redis.url) as two, two.listen("t", ["c"], after=first.position) as again:
            await one.publish([told(5)])

            assert numbers(await heard(again, 3)) == [2, 4, 5]


@pytest.mark.parametrize("position", ["0-0.0", "nonsense", "1-1", "5.5.5", "99999999999999-0.0", "é.1", "(1-1.0"])
async def test_listener_when_the_stream_has_no_such_position_then_it_must_resynchronise(redis: Redis, position: str) -> None:
    async with process(redis.url) as bus:
        async with bus.listen("t", ["c"]) as events:
            await bus.publish([told(1)])
            await heard(events, 1)

        with pytest.raises(ResyncRequired):
            async with bus.listen("t", ["c"], after=position):
                pass


async def test_events_when_redis_crashes_and_comes_back_empty_then_none_is_missing_and_none_twice(redis: Redis) -> None:
    async with process(redis.url) as one, process(redis.url) as two, one.listen("t", ["c"]) as at_one, two.listen("t", ["c"]) as at_two:
        await one.publish([told(1)])
        await heard(at_two, 1)
        redis.kill()
        for n in range(2, 12):
            await one.publish([told(n)])
        await asyncio.sleep(0.3)
        redis.start()
        await one.publish([told(12)])

        assert numbers(await heard(at_two, 11, 5)) == list(range(2, 13))
        assert numbers(await heard(at_one, 12, 5)) == list(range(1, 13))


async def test_listeners_when_events_could_not_be_sent_for_too_long_then_only_the_others_lose_their_place(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SECONDS", 1.0)

    async with process(redis.url) as one, process(redis.url) as two, one.listen("t", ["c"]) as at_one, two.listen("t", ["c"]) as at_two:
        await one.publish([told(1)])
        await heard(at_two, 1)
        redis.kill()
        await one.publish([told(2)])

        # The process alone goes on by itself.
        assert numbers(await heard(at_one, 2, 5)) == [1, 2]
        redis.start()
        with pytest.raises(ResyncRequired):
            await heard(at_two, 1)


async def test_listeners_when_redis_is_emptied_under_them_then_they_hear_what_follows(redis: Redis) -> None:
    async with process(redis.url) as one, process(redis.url) as two, two.listen("t", ["c"]) as events:
        await one.publish([told(1)])
        await heard(events, 1)
        client = redis_client(redis.url)
        await client.flushall()
        await one.publish([told(2)])

        assert numbers(await heard(events, 1)) == [2]
        await client.aclose()


async def test_listeners_when_a_process_dies_together_with_the_stream_then_the_others_are_told(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.subscriptions.carrier.DOUBT_SECONDS", 0.5)

    async with process(redis.url) as two, two.listen("t", ["c"]) as events:
        async with process(redis.url) as one:
            await one.publish([told(1)])
            await heard(events, 1)
        redis.kill()
        redis.start()

        with pytest.raises(ResyncRequired):
            await heard(events, 1)


async def test_bus_when_redis_is_away_at_the_start_then_it_starts_and_goes_on_once_redis_is_there(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.subscriptions.carrier.JOIN_SECONDS", 0.2)
    redis.kill()

    async with process(redis.url) as bus:
        redis.start()
        async with asyncio.timeout(10):
            while True:
                try:
                    async with bus.listen("t", ["c"]) as events:
                        await bus.publish([told(1)])
                        assert numbers(await heard(events, 1)) == [1]
                        break
                except ResyncRequired:
                    continue


async def test_bus_when_others_write_into_its_stream_then_it_goes_on(redis: Redis) -> None:
    client = redis_client(redis.url)
    async with process(redis.url) as bus, bus.listen("t", ["c"]) as events:
        for fields in ({"x": "y"}, {"m": "p 1 1 1 1\n[[]]"}, {"m": "p 1 x 1 1\n[]"}, {b"m": b"\xff\xfe 1 1 2 1\n["}, {"m": ""}):
            await client.xadd(CHANNEL, fields)
        await bus.publish([told(1)])

        with pytest.raises(ResyncRequired):
            await heard(events, 1)
    await client.aclose()


async def test_stream_when_much_is_published_then_it_stays_within_its_bound(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_streams, "KEPT_ENTRIES", 100)
    client = redis_client(redis.url)
    async with process(redis.url) as bus, bus.listen("t", ["c"]) as events:
        for n in range(400):
            await bus.publish([told(n)])
            await heard(events, 1)

    # Redis drops whole blocks of a hundred entries.
    assert await client.xlen(CHANNEL) <= 200
    await client.aclose()


async def test_message_when_the_stream_is_a_new_one_then_it_is_not_appended_before_what_went_with_the_old_one(redis: Redis) -> None:
    client, streams = redis_client(redis.url), RedisStreams(redis.url)
    await streams.publish("s", "1")
    await client.flushall()

    with pytest.raises(NewStream):
        await streams.publish("s", "2")
    await streams.publish("s", "1")
    await streams.publish("s", "2")

    assert [fields for _, fields in await client.xrange("s")] == [{"m": "1"}, {"m": "2"}]
    await streams.disconnect()
    await client.aclose()
