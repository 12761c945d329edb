"""Tokens that their issuer revokes, or narrows, while a connection is open; the issuer is a server of RFC 7662's one endpoint."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.fakes.servers import served
from tests.graph.server.live.streaming import Server, live_server

EDITS = 'subscription { edits(room: "one") { number } }'
TICKS = 'subscription { ticks(room: "one") { number } }'
INTERVAL = 0.2


@dataclass
class Issuer:
    """Says of each token what it is told to; a status says it instead."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    asked: Counter[str] = field(default_factory=Counter)
    credentials: set[str] = field(default_factory=set)

    @property
    def application(self) -> Starlette:
        return Starlette(routes=[Route("/introspect", self._introspect, methods=["POST"])])

    async def _introspect(self, request: Request) -> JSONResponse:
        form = dict(part.split("=", 1) for part in (await request.body()).decode().split("&"))
        self.asked[form["token"]] += 1
        self.credentials.add(base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        return JSONResponse(self.answers.get(form["token"], {"active": True}), self.status)


@pytest.fixture
async def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def server(tmp_path: Path, issuer: Issuer) -> AsyncIterator[Server]:
    async with (
        served(issuer.application) as url,
        live_server(
            tmp_path,
            introspection_url=f"{url}/introspect",
            introspection_client_id="citygraph",
            introspection_client_secret="secret:1",
            introspection_interval_s=INTERVAL,
        ) as server,
    ):
        yield server


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
