"""Tickets: each is taken back once, by whichever process, and never after its time (ICD §7.1)."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis as Client

from graph.auth import tickets as module
from graph.auth.redis_tickets import RedisTickets
from graph.auth.tickets import MemoryTickets, NoTickets, Tickets, epoch_ms
from graph.contracts import Principal
from graph.errors import RateLimited, Unauthenticated, Unavailable
from graph.redis_client import redis_client
from tests.fakes.redis import Redis

MODEL = "FI-HELSINKI/model/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
TOKEN = "Bearer header.claims.signature"
WHO = Principal("u1", "FI-HELSINKI", frozenset({"planner"}), frozenset({"live:open"}), "Åsa", True, 1_800_000_000.5)


@pytest.fixture
async def client(redis: Redis) -> AsyncIterator[Client]:
    client = redis_client(redis.url)
    yield client
    await client.aclose()


@pytest.fixture(params=["memory", "redis"])
def tickets(request: pytest.FixtureRequest) -> Tickets:
    return MemoryTickets(30_000) if request.param == "memory" else RedisTickets(request.getfixturevalue("client"), "t", 30_000)


async def test_ticket_when_redeemed_then_it_says_whom_it_stands_for_and_holds_no_more(tickets: Tickets) -> None:
    issued = await tickets.issue(WHO, MODEL, TOKEN)

    redeemed = await tickets.redeem(issued.secret)

    assert (redeemed, redeemed.principal.expires_at, redeemed.authorization) == (issued, 1_800_000_000.5, TOKEN)
    with pytest.raises(Unauthenticated, match="unknown, used, or expired"):
        await tickets.redeem(issued.secret)


@pytest.mark.parametrize("secret", ["", "nonsense", "x" * 10_000, "\ud800"])
async def test_ticket_when_it_was_never_issued_then_it_is_refused(tickets: Tickets, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        await tickets.redeem(secret)


async def test_tickets_when_too_many_wait_then_no_more_are_issued(tickets: Tickets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TICKETS", 2)
    await tickets.issue(WHO, MODEL)
    await tickets.issue(WHO, MODEL)

    with pytest.raises(RateLimited):
        await tickets.issue(WHO, MODEL)


async def test_ticket_when_its_time_is_over_then_it_is_refused_though_redis_has_it_still(client: Client) -> None:
    now = epoch_ms()
    issued = await RedisTickets(client, "t", 30_000, now=lambda: now).issue(WHO, MODEL)

    with pytest.raises(Unauthenticated):
        await RedisTickets(client, "t", 30_000, now=lambda: now + 30_000).redeem(issued.secret)


async def test_ticket_when_redeemed_by_many_processes_at_once_then_one_of_them_has_it(client: Client) -> None:
    issued = await RedisTickets(client, "t", 30_000).issue(WHO, MODEL)
    processes = [RedisTickets(client, "t", 30_000) for _ in range(20)]

    answers = await asyncio.gather(*(process.redeem(issued.secret) for process in processes), return_exceptions=True)

    assert [answer for answer in answers if not isinstance(answer, Unauthenticated)] == [issued]


async def test_ticket_when_kept_in_redis_then_neither_it_nor_its_token_can_be_read_and_it_expires_by_itself(client: Client) -> None:
    await client.flushall()
    issued = await RedisTickets(client, "secrecy", 30_000).issue(WHO, MODEL, TOKEN)

    [key] = await client.keys("*")
    value = str(await client.get(key))

    readable = f"{key} {value} {urlsafe_b64decode(value).decode('latin-1')}"
    assert [part for part in (issued.secret, TOKEN, "claims", WHO.tenant, MODEL) if part in readable] == []
    assert 25_000 < await client.pttl(key) <= 30_000


async def test_ticket_when_what_redis_has_of_it_was_changed_then_it_is_refused(client: Client) -> None:
    tickets = RedisTickets(client, "changed", 30_000)
    mine, other = await tickets.issue(WHO, MODEL, TOKEN), await tickets.issue(WHO, MODEL, TOKEN)

    await client.set(tickets._key(mine.secret), str(await client.get(tickets._key(other.secret))))

    with pytest.raises(Unauthenticated):
        await tickets.redeem(mine.secret)


async def test_tickets_when_redis_is_away_then_they_are_unavailable_rather_than_unknown(redis: Redis) -> None:
    client = redis_client(redis.url)
    tickets = RedisTickets(client, "t", 30_000)
    issued = await tickets.issue(WHO, MODEL)
    redis.kill()

    with pytest.raises(Unavailable):
        await tickets.redeem(issued.secret)
    with pytest.raises(Unavailable):
        await tickets.issue(WHO, MODEL)
    await client.aclose()


async def test_tickets_when_processes_share_no_place_for_them_then_none_is_issued() -> None:
    with pytest.raises(Unavailable, match="REDIS_URL"):
        await NoTickets().issue(WHO, MODEL)
    with pytest.raises(Unauthenticated):
        await NoTickets().redeem("x")
