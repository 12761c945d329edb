"""Participants of all processes together, by a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from graph.gateway_subgraph import shared_participants as module
from graph.gateway_subgraph.participants import Participants, Presence
from graph.gateway_subgraph.shared_participants import SharedParticipants
from graph.redis_client import redis_client
from tests.fakes.redis import Redis, running_redis

MODEL = "FI-HELSINKI/model/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
ANNA, BO, CI = Presence("anna", "Anna", 1), Presence("bo", None, 2), Presence("ci:c", "Ci", 3)


@pytest.fixture
def redis(redis_installed: None) -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@asynccontextmanager
async def process(redis: Redis) -> AsyncIterator[SharedParticipants]:
    client = redis_client(redis.url)
    participants = SharedParticipants(client, "t")
    await participants.start()
    try:
        yield participants
    finally:
        await participants.close()
        await client.aclose()


async def there(participants: Participants, *expected: Presence) -> None:
    """Once they are; fails where they are not within seconds."""
    found: list[Presence] = []
    for _ in range(100):
        found = await participants.of("t", MODEL)
        if found == list(expected):
            return
        await asyncio.sleep(0.05)
    assert found == list(expected)


async def test_participants_when_they_come_and_go_in_two_processes_then_both_see_all(redis: Redis) -> None:
    async with process(redis) as one, process(redis) as two:
        assert one.join("t", MODEL, ANNA)
        assert two.join("t", MODEL, BO)
        assert two.join("t", MODEL, CI)
        await there(one, ANNA, BO, CI)
        await there(two, ANNA, BO, CI)
        assert await one.of("other", MODEL) == []

        assert two.leave("t", MODEL, "bo")

        await there(two, ANNA, CI)
        await there(one, ANNA, CI)


async def test_person_when_on_two_processes_then_there_once_since_the_first_until_the_last(redis: Redis) -> None:
    async with process(redis) as one, process(redis) as two:
        one.join("t", MODEL, ANNA)
        two.join("t", MODEL, Presence("anna", "Anna", 9))
        await there(two, ANNA)

        one.leave("t", MODEL, "anna")

        await there(one, Presence("anna", "Anna", 9))


async def test_participants_when_their_process_dies_then_they_are_gone_after_a_while(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GONE_SECONDS", 0.6)
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.2)
    async with process(redis) as one, process(redis) as two:
        one.join("t", MODEL, ANNA)
        two.join("t", MODEL, BO)
        await there(one, ANNA, BO)
        assert two._beating is not None
        two._beating.cancel()

        await there(one, ANNA)
        two._changes.clear()


async def test_participants_when_redis_comes_back_empty_then_all_are_seen_again(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.2)
    async with process(redis) as one, process(redis) as two:
        one.join("t", MODEL, ANNA)
        two.join("t", MODEL, BO)
        await there(one, ANNA, BO)

        redis.kill()
        one.join("t", MODEL, CI)
        assert await one.of("t", MODEL) == [ANNA, CI]
        redis.start()

        await there(two, ANNA, BO, CI)
        await there(one, ANNA, BO, CI)


async def test_changes_when_too_many_wait_then_all_is_said_anew(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHANGES", 3)
    async with process(redis) as one, process(redis) as two:
        redis.kill()
        for number in range(20):
            one.join("t", MODEL, Presence(f"u{number}", None, number))
            if number != 7:
                one.leave("t", MODEL, f"u{number}")
        assert len(one._changes) <= 4
        redis.start()

        await there(two, Presence("u7", None, 7))


async def test_process_when_it_closes_just_as_somebody_leaves_then_it_ends(redis: Redis) -> None:
    async with asyncio.timeout(10):
        async with process(redis) as one:
            one.join("t", MODEL, ANNA)
            await there(one, ANNA)
            await asyncio.sleep(0.1)
            one.leave("t", MODEL, "anna")
