"""Participants of all processes together, by a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio.connection import Connection

from graph.contracts import Event, Principal
from graph.gateway_subgraph import shared_participants as module
from graph.gateway_subgraph.model_channels import ModelChannels
from graph.gateway_subgraph.participants import Participants, Presence
from graph.gateway_subgraph.shared_participants import SharedParticipants
from graph.redis_client import redis_client
from graph.subscriptions.bus import EventBus
from tests.fakes.redis import Redis

MODEL = "FI-HELSINKI/model/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
OTHER = "FI-HELSINKI/model/5e0c9d3b-57f6-4d43-8a4b-0c1f9c6f1c55"
ANNA, BO, CI = Presence("anna", "Anna", 1), Presence("bo", None, 2), Presence("ci:c", "Ci", 3)


@pytest.fixture
async def bus() -> AsyncIterator[EventBus]:
    """One for all processes."""
    bus = EventBus()
    await bus.start()
    yield bus
    await bus.close()


@asynccontextmanager
async def process(redis: Redis, *, beat: float = 5, gone: float = 20) -> AsyncIterator[SharedParticipants]:
    client = redis_client(redis.url)
    participants = SharedParticipants(client, "t", beat=beat, gone=gone)
    await participants.start()
    try:
        yield participants
    finally:
        await participants.close()
        await client.aclose()


@asynccontextmanager
async def channels(redis: Redis, bus: EventBus) -> AsyncIterator[tuple[ModelChannels, SharedParticipants]]:
    """A process that says so five times a second, and is dead when it has not for 0.6 s."""
    async with process(redis, beat=0.2, gone=0.6) as participants:
        opened = ModelChannels(participants, bus, "FI-HELSINKI")
        yield opened, participants
        await opened.close()


def kill(participants: SharedParticipants) -> None:
    """It says nothing any more, not even that it ends."""
    assert participants._beating is not None
    participants._beating.cancel()


@asynccontextmanager
async def told(bus: EventBus) -> AsyncIterator[list[tuple[str, list[str]]]]:
    """What subscribers of the models are told from now on: on which model it is, and who is there."""
    heard: list[tuple[str, list[str]]] = []
    names = {channel(model): model for model in (MODEL, OTHER)}

    async def listen(events: AsyncIterator[Event]) -> None:
        async for event in events:
            there = [one["userId"] for one in event.payload["participants"]]
            heard.append((names[event.channel], there))

    async with bus.listen("t", list(names)) as events:
        task = asyncio.create_task(listen(events))
        yield heard
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def becomes(heard: list[tuple[str, list[str]]], *expected: tuple[str, list[str]]) -> None:
    """Exactly that, in any order, and nothing more for a while. Begins anew."""
    async with asyncio.timeout(5):
        while len(heard) < len(expected):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert sorted(heard) == sorted(expected)
    heard.clear()


def channel(model: str) -> str:
    return f"model/{model.rpartition('/')[2]}"


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


async def test_participants_when_their_process_dies_then_those_who_live_tell_each_of_its_models_once(redis: Redis, bus: EventBus) -> None:
    async with (
        told(bus) as heard,
        channels(redis, bus) as (one, _),
        channels(redis, bus),
        channels(redis, bus) as (three, dying),
    ):
        for user, model in (("anna", MODEL), ("ci:c", MODEL), ("anna", OTHER)):
            three.joined(Principal(user, "t"), model)
        await becomes(heard, (MODEL, ["anna", "ci:c"]), (OTHER, ["anna"]))
        one.joined(Principal("bo", "t"), MODEL)
        await becomes(heard, (MODEL, ["anna", "ci:c", "bo"]))

        kill(dying)

        await becomes(heard, (MODEL, ["bo"]), (OTHER, []))


async def test_process_when_it_comes_back_after_others_took_it_for_dead_then_its_models_are_told_again(redis: Redis, bus: EventBus) -> None:
    async with told(bus) as heard, channels(redis, bus), channels(redis, bus) as (two, paused):
        two.joined(Principal("anna", "t"), MODEL)
        await becomes(heard, (MODEL, ["anna"]))
        kill(paused)
        await becomes(heard, (MODEL, []))

        await paused.start()

        await becomes(heard, (MODEL, ["anna"]))
        kill(paused)
        await becomes(heard, (MODEL, []))


async def test_process_when_it_ends_without_saying_that_somebody_left_then_the_others_tell(redis: Redis, bus: EventBus) -> None:
    async with told(bus) as heard, channels(redis, bus) as (_, living):
        async with process(redis) as ending:
            ending.join("t", MODEL, ANNA)
            await there(living, ANNA)

        await becomes(heard, (MODEL, []))


async def test_models_when_all_were_left_then_nothing_is_kept_of_them(redis: Redis) -> None:
    async with process(redis, beat=0.2) as one, process(redis) as two:
        for model in (MODEL, OTHER):
            two.join("t", model, ANNA)
        await there(one, ANNA)
        for model in (MODEL, OTHER):
            two.leave("t", model, "anna")
        await there(one)

        kept = await one._redis.keys("*")

        assert sorted(key.rpartition(":")[0] for key in kept) == ["t", "t:process", "t:process"]


async def test_many_models_when_asked_about_then_in_two_round_trips(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [f"FI-HELSINKI/model/{number}" for number in range(200)]
    async with process(redis) as one, process(redis) as two, process(redis) as three:
        for number, model in enumerate(models):
            (two if number % 2 else three).join("t", model, ANNA)
            if number % 3 == 0:
                three.join("t", model, BO)
        async with asyncio.timeout(5):
            while not all(await one.of_many("t", models)) or two._changes or three._changes:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        trips = sent(monkeypatch)

        found = await one.of_many("t", models)

        assert len(trips) == 2
        assert found == [[ANNA, BO] if number % 3 == 0 else [ANNA] for number in range(200)]


def sent(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each thing that is sent to Redis and waited for."""
    trips: list[object] = []
    send = Connection.send_packed_command

    async def counted(self: Connection, command: Any, *rest: Any, **named: Any) -> None:
        trips.append(command)
        await send(self, command, *rest, **named)

    monkeypatch.setattr(Connection, "send_packed_command", counted)
    return trips


async def test_participants_when_redis_comes_back_empty_then_all_are_seen_again(redis: Redis) -> None:
    async with process(redis, beat=0.2) as one, process(redis, beat=0.2) as two:
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
