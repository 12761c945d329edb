"""Tokens that their issuer revokes, or narrows, while a connection is open; the issuer is a server of RFC 7662's one endpoint."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from graph.auth.redis_tickets import RedisTickets
from graph.auth.tickets import MemoryTickets, Tickets
from graph.redis_client import redis_client
from tests.fakes.introspection import Issuer
from tests.fakes.servers import served
from tests.graph.server.live.streaming import Server, live_server

EDITS = 'subscription { edits(room: "one") { number } }'
TICKS = 'subscription { ticks(room: "one") { number } }'
MODEL = "c/model/1"
EVENTS = f'subscription {{ modelEvents(modelId: "{MODEL}") {{ number }} }}'
GUARDED_EVENTS = f'subscription {{ modelEvents(modelId: "{MODEL}") {{ number model }} }}'
INTERVAL = 0.2


@pytest.fixture
async def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def server(tmp_path: Path, issuer: Issuer) -> AsyncIterator[Server]:
    async with served(issuer.application) as url, live_server(tmp_path, **issuer.settings(url, INTERVAL)) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def by_ticket(tmp_path: Path, issuer: Issuer, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """A server whose tickets are kept in its memory, or in Redis."""
    async with AsyncExitStack() as stack:
        tickets: Tickets = MemoryTickets(30_000)
        if request.param == "redis":
            client = redis_client(request.getfixturevalue("redis").url)
            stack.push_async_callback(client.aclose)
            tickets = RedisTickets(client, "t", 30_000)
        url = await stack.enter_async_context(served(issuer.application))
        yield await stack.enter_async_context(live_server(tmp_path, tickets=tickets, **issuer.settings(url, INTERVAL)))


async def ticket(server: Server, token: str) -> dict[str, str]:
    """The payload with a ticket that was asked for by that token."""
    authorization = f"Bearer {token}"
    principal = await server.around.authenticator.principal({"authorization": authorization})
    return {"ticket": (await server.tickets.issue(principal, MODEL, authorization)).secret}


async def test_token_when_it_is_revoked_then_its_sockets_close_and_others_stay(server: Server, issuer: Issuer) -> None:
    token = server.token()
    payload = {"Authorization": f"Bearer {token}"}
    async with server.client(payload=payload) as one, server.client(payload=payload) as two, server.client(subject="bob") as other:
        await one.subscribe("a", TICKS)
        await server.settled(open=1)
        issuer.answers[token] = {"active": False}

        closed = [await one.close_code(), await two.close_code()]

        assert closed == [(4401, "the access token has been revoked")] * 2
        assert await other.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}
    await server.settled(open=0)
    assert issuer.credentials == {"citygraph:secret%3A1"}


async def test_token_when_a_role_is_taken_from_it_then_what_needs_it_ends(server: Server, issuer: Issuer) -> None:
    token = server.token("dth_editor", "dt_viewer")
    async with server.client(payload={"Authorization": f"Bearer {token}"}) as client:
        await client.subscribe("edits", EDITS)
        await client.subscribe("ticks", TICKS)
        await server.settled(open=2)

        issuer.answers[token] = {"active": True, "sub": "ada", "realm_access": {"roles": ["dt_viewer", "admin"]}}
        ended = await client.message()

        assert (ended["id"], ended["payload"][0]["extensions"]["code"]) == ("edits", "FORBIDDEN")
        await server.settled(open=1)
        assert (await client.answer("again", EDITS))[0]["extensions"]["code"] == "FORBIDDEN"
        server.rooms.publish("one", 1)
        assert (await client.message())["payload"] == {"data": {"ticks": {"number": 1}}}


async def test_tokens_when_many_use_one_then_it_is_asked_after_once_a_round(server: Server, issuer: Issuer) -> None:
    token = server.token()
    payload = {"Authorization": f"Bearer {token}"}
    async with server.client(payload=payload), server.client(payload=payload), server.client(payload=payload):
        began = time.monotonic()
        async with asyncio.timeout(10):
            while issuer.asked[token] < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert time.monotonic() - began > 2 * INTERVAL


@pytest.mark.parametrize("status", [500, 401])
async def test_issuer_when_it_does_not_answer_then_nothing_is_taken_away(
    server: Server, issuer: Issuer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = server.token()
    issuer.answers[token], issuer.status = {"active": False}, status
    async with server.client(payload={"Authorization": f"Bearer {token}"}) as client:
        await asyncio.sleep(4 * INTERVAL)

        assert await client.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}
        issuer.status = 200
        assert (await client.close_code())[0] == 4401
    assert [record.getMessage().split(":")[0] for record in caplog.records if record.name.endswith("revocation")] == [
        "whether tokens were revoked cannot be told"
    ]


async def test_stream_when_its_token_is_revoked_then_it_says_so_and_ends(server: Server, issuer: Issuer) -> None:
    token = server.token()
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(timeout=5) as client,
        client.stream("POST", server.http_url, json={"query": TICKS}, headers=headers) as response,
    ):
        await server.settled(open=1)
        issuer.answers[token] = {"active": False}

        said = (await response.aread()).decode()

    assert "UNAUTHENTICATED" in said
    assert "event: complete" in said
    await server.settled(open=0)


async def test_ticket_when_the_token_behind_it_is_revoked_then_4401(by_ticket: Server, issuer: Issuer) -> None:
    server, token = by_ticket, by_ticket.token("dth_editor")
    async with server.client(payload=await ticket(server, token)) as client:
        await client.subscribe("a", EVENTS)
        await server.settled(open=1)

        issuer.answers[token] = {"active": False}

        assert await client.close_code() == (4401, "the access token has been revoked")
    await server.settled(open=0)


async def test_ticket_when_a_role_is_taken_from_the_token_behind_it_then_what_needs_it_ends(by_ticket: Server, issuer: Issuer) -> None:
    server, token = by_ticket, by_ticket.token("dth_editor", "dt_viewer")
    async with server.client(payload=await ticket(server, token)) as client:
        await client.subscribe("guarded", GUARDED_EVENTS)
        await client.subscribe("events", EVENTS)
        await server.settled(open=2)

        issuer.answers[token] = {"active": True, "sub": "ada", "realm_access": {"roles": ["dt_viewer"]}}
        ended = await client.message()

        assert (ended["id"], ended["payload"][0]["extensions"]["code"]) == ("guarded", "FORBIDDEN")
        await server.settled(open=1)
        server.rooms.publish(MODEL, 1)
        assert (await client.message())["payload"] == {"data": {"modelEvents": {"number": 1}}}


async def test_ticket_when_the_token_behind_it_was_revoked_before_its_use_then_4401(server: Server, issuer: Issuer) -> None:
    token = server.token()
    payload = await ticket(server, token)
    issuer.answers[token] = {"active": False}

    async with server.client(payload=payload) as client:
        assert await client.close_code() == (4401, "the access token has been revoked")


async def test_ticket_when_its_connection_has_a_fresh_token_then_that_one_counts(server: Server, issuer: Issuer) -> None:
    token, fresh = server.token("dt_viewer"), server.token("dth_editor", lifetime=50)
    async with server.client(payload=await ticket(server, token)) as client:
        await client.send(type="ping", payload={"Authorization": f"Bearer {fresh}"})
        assert await client.message() == {"type": "pong"}

        issuer.answers[token] = {"active": False}
        await asyncio.sleep(3 * INTERVAL)
        refused = await client.answer("others", TICKS)
        await client.subscribe("guarded", GUARDED_EVENTS)
        await server.settled(open=1)
        issuer.answers[fresh] = {"active": False}

        assert refused[0]["extensions"]["code"] == "FORBIDDEN"
        assert await client.close_code() == (4401, "the access token has been revoked")
