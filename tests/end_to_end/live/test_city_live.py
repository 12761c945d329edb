"""A whole city's live channel: a ticket, a model's events as they happen, who is there (TC-06, TC-07, TC-08)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from redis.asyncio.connection import Connection
from websockets.asyncio.client import connect

from graph.auth.demo_issuer import open_issuer
from graph.server.run import Serving, configured, listen
from tests.fakes.city import CITY, City, running_city
from tests.fakes.introspection import Issuer
from tests.fakes.redis import Redis
from tests.fakes.servers import served
from tests.graph.server.live.streaming import PROTOCOL, Client

CREATE = """mutation ($content: JSON!) { createModel(input: {name: "Value chain", content: $content}) { model { id version } } }"""
PATCH = """mutation ($id: ID!, $version: Int!, $patch: JSONPatch!) {
  patchModel(input: {id: $id, baseVersion: $version, patch: $patch}) { model { version } }
}"""
TICKET = "mutation ($id: ID!) { requestRealtimeTicket(input: {modelId: $id}) { ticket expiresAt } }"
EVENTS = """subscription ($model: ID!, $since: Int) { modelEvents(modelId: $model, sinceVersion: $since) {
  __typename ... on ModelPatched { newVersion patch updatedBy } ... on ParticipantsChanged { participants { userId } }
} }"""


@asynccontextmanager
async def on_a_socket(city: City) -> AsyncIterator[str]:
    """The city's WebSocket URL."""
    server = uvicorn.Server(configured(city.application, Serving()))
    with listen("127.0.0.1", 0) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            assert not task.done()
            await asyncio.sleep(0.005)
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/graphql"
        await city.application.drain(1)
        server.should_exit = True
        await task


@pytest.fixture
async def running(sqlite_url: str, composed_dir: Path) -> AsyncIterator[tuple[City, str]]:
    async with running_city(sqlite_url, composed_dir) as city, on_a_socket(city) as url:
        yield city, url


@asynccontextmanager
async def acknowledged(url: str, payload: Any) -> AsyncIterator[Client]:
    async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:  # type: ignore[list-item]
        client = Client(socket)
        await client.send(type="connection_init", payload=payload)
        assert await client.message() == {"type": "connection_ack"}
        yield client


def token(data_dir: Path, subject: str) -> dict[str, str]:
    signed = open_issuer(data_dir / "issuer.json", "http://127.0.0.1:1").sign(
        subject=subject, tenant=CITY, roles=["dth_editor"], audience="dt-dth-api", lifetime=60
    )
    return {"Authorization": f"Bearer {signed}"}


async def event(client: Client, kind: str) -> Any:
    """The next event of that kind."""
    while True:
        message = await client.message(seconds=10)
        assert message["type"] == "next", message
        found = message["payload"]["data"]["modelEvents"]
        if found["__typename"] == kind:
            return found


async def test_model_when_it_is_patched_then_all_who_follow_it_hear_within_a_moment(running: tuple[City, str], composed_dir: Path) -> None:
    """TC-06, TC-08: a ticket opens the channel of its model, an update arrives within five seconds."""
    city, url = running
    model = (await city.ask(CREATE, {"content": {"steps": []}}))["createModel"]["model"]
    ticket = (await city.ask(TICKET, {"id": model["id"]}, subject="bob"))["requestRealtimeTicket"]["ticket"]
    async with acknowledged(url, token(composed_dir, "ada")) as ada, acknowledged(url, {"ticket": ticket}) as bob:
        await ada.subscribe("1", EVENTS, model=model["id"])
        there = await event(ada, "ParticipantsChanged")
        await bob.subscribe("1", EVENTS, model=model["id"], since=1)
        joined = await event(ada, "ParticipantsChanged")

        began = time.monotonic()
        patch = [{"op": "add", "path": "/steps/-", "value": "weave"}]
        await city.ask(PATCH, {"id": model["id"], "version": 1, "patch": patch})
        heard = [await event(client, "ModelPatched") for client in (ada, bob)]
        took = time.monotonic() - began

        await bob.send(type="complete", id="1")
        left = await event(ada, "ParticipantsChanged")

    assert heard[0] == heard[1]
    assert (heard[0]["newVersion"], heard[0]["patch"]) == (2, patch)
    assert took < 5
    assert [[one["userId"] for one in told["participants"]] for told in (there, joined, left)] == [["ada"], ["ada", "bob"], ["ada"]]


async def test_ticket_when_it_is_used_then_the_channel_does_not_open_again(running: tuple[City, str]) -> None:
    """TC-07."""
    city, url = running
    model = (await city.ask(CREATE, {"content": {}}))["createModel"]["model"]
    ticket = (await city.ask(TICKET, {"id": model["id"]}))["requestRealtimeTicket"]["ticket"]
    async with acknowledged(url, {"ticket": ticket}) as client:
        answered = await client.answer("1", "{ viewer { subject } }")
        assert answered[0]["extensions"]["code"] == "FORBIDDEN"

    assert await refused(url, ticket) == (4401, "the ticket is unknown, used, or expired")


async def test_ticket_when_it_is_late_then_the_channel_does_not_open(sqlite_url: str, composed_dir: Path) -> None:
    """TC-07."""
    async with running_city(sqlite_url, composed_dir, websocket_ticket_ttl_ms=1_000) as city, on_a_socket(city) as url:
        model = (await city.ask(CREATE, {"content": {}}))["createModel"]["model"]
        issued = (await city.ask(TICKET, {"id": model["id"]}))["requestRealtimeTicket"]
        await asyncio.sleep(issued["expiresAt"] / 1_000 - time.time() + 0.01)

        assert await refused(url, issued["ticket"]) == (4401, "the ticket is unknown, used, or expired")


@pytest.mark.parametrize("kept", ["in memory", "in Redis"])
async def test_ticket_when_the_token_that_asked_for_it_is_revoked_then_its_channel_closes(
    sqlite_url: str, composed_dir: Path, kept: str, request: pytest.FixtureRequest
) -> None:
    """Within five seconds by default; here the issuer is asked ten times as often."""
    issuer = Issuer()
    shared = {"redis_url": request.getfixturevalue("redis").url} if kept == "in Redis" else {}
    async with (
        served(issuer.application) as introspection,
        running_city(sqlite_url, composed_dir, **issuer.settings(introspection, 0.4), **shared) as city,
        on_a_socket(city) as url,
    ):
        model = (await city.ask(CREATE, {"content": {}}))["createModel"]["model"]["id"]
        authorization = token(composed_dir, "bob")
        async with httpx.AsyncClient(headers=authorization) as client:
            asked = await client.post(url.replace("ws", "http", 1), json={"query": TICKET, "variables": {"id": model}})
        ticket = asked.json()["data"]["requestRealtimeTicket"]["ticket"]
        async with acknowledged(url, {"ticket": ticket}) as bob:
            await bob.subscribe("1", EVENTS, model=model)
            await event(bob, "ParticipantsChanged")

            issuer.answers[authorization["Authorization"].removeprefix("Bearer ")] = {"active": False}

            assert await bob.close_code() == (4401, "the access token has been revoked")


async def test_models_when_listed_with_their_participants_then_redis_is_asked_about_all_at_once(
    sqlite_url: str, composed_dir: Path, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_city(sqlite_url, composed_dir, redis_url=redis.url) as city, on_a_socket(city) as url:
        models = [(await city.ask(CREATE, {"content": {}}))["createModel"]["model"]["id"] for _ in range(5)]
        async with acknowledged(url, token(composed_dir, "ada")) as ada:
            for number, model in enumerate(models[:2]):
                await ada.subscribe(str(number), EVENTS, model=model)
                await event(ada, "ParticipantsChanged")
            asked = questions(monkeypatch)

            listed = (await city.ask("{ models(first: 10) { edges { node { id participants { userId } } } } }"))["models"]["edges"]
            asked_for_the_list = list(asked)

    there = {edge["node"]["id"]: [one["userId"] for one in edge["node"]["participants"]] for edge in listed}
    assert there == {model: ["ada"] if number < 2 else [] for number, model in enumerate(models)}
    assert [question.count(b"HGETALL") for question in asked_for_the_list] == [5]


def questions(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What Redis is asked about participants from now on, each round trip by itself."""
    asked: list[bytes] = []
    send = Connection.send_packed_command

    async def noted(self: Connection, command: Any, *rest: Any, **named: Any) -> None:
        packed = command if isinstance(command, bytes) else b"".join(command)
        if b"HGETALL" in packed:
            asked.append(packed)
        await send(self, command, *rest, **named)

    monkeypatch.setattr(Connection, "send_packed_command", noted)
    return asked


async def refused(url: str, ticket: str) -> tuple[int | None, str | None]:
    async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": {"ticket": ticket}}))
        return await Client(socket).close_code()
