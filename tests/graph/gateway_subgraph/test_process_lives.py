"""Lives of processes, by a real Redis: who is dead, and who takes over what the dead were on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis as Client

from graph.gateway_subgraph.process_lives import LOT, On, ProcessLives, written
from graph.redis_client import redis_client
from tests.fakes.redis import Redis


@pytest.fixture
async def client(redis: Redis) -> AsyncIterator[Client]:
    client = redis_client(redis.url)
    await client.flushall()
    yield client
    await client.aclose()


async def taken(lives: ProcessLives) -> list[On]:
    return [on async for on in lives.left_behind()]


async def test_process_when_it_goes_on_in_time_then_it_lives_and_otherwise_it_has_lost_its_name(client: Client) -> None:
    lives = ProcessLives(client, "t", gone=0.6)
    await lives.begin("a")
    await lives.begin("b")
    for _ in range(3):
        await asyncio.sleep(0.25)
        assert await lives.go_on("a")

    assert await lives.dead({"a", "b", "never begun"}) == {"b", "never begun"}
    assert not await lives.go_on("b")
    assert await lives.dead({"b"}) == {"b"}


async def test_what_the_dead_were_on_when_many_take_it_over_at_once_then_each_part_goes_to_one(client: Client) -> None:
    lives = ProcessLives(client, "t", gone=30)
    on = [("t", f"c/model/{number}") for number in range(2 * LOT + 1)]
    for process, part in (("alive", on[:1]), ("dead", on[1:])):
        await lives.begin(process)
        await client.sadd(lives.on(process), *map(written, part))
    await client.sadd(lives.on("dead"), "of another version")
    await lives.end("dead")

    found = await asyncio.gather(*(taken(ProcessLives(client, "t", gone=30)) for _ in range(5)))

    assert sorted(one for part in found for one in part) == sorted(on[1:])
    assert sorted(await client.keys("*")) == ["t:process:alive", "t:process:alive:on", "t:processes"]
    assert await client.smembers("t:processes") == {"alive"}
