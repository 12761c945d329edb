"""The clients of npm that people use: `graphql-ws`, `graphql-sse`, Apollo Client and urql, against a server on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.node import node_with
from tests.graph.server.live.streaming import Server, live_server

HERE = Path(__file__).parent


@dataclass
class Script:
    """A running client; what it prints is read line by line."""

    process: asyncio.subprocess.Process

    async def said(self, seconds: float = 20) -> tuple[str, Any]:
        assert self.process.stdout is not None and self.process.stderr is not None
        async with asyncio.timeout(seconds):
            line = await self.process.stdout.readline()
        if not line:
            raise AssertionError((await self.process.stderr.read()).decode())
        message = json.loads(line)
        return message["kind"], message["value"]

    async def tell(self, word: str = "go on") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        await self.process.stdin.drain()


@pytest.fixture(scope="module")
def node() -> str:
    return node_with(HERE)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with live_server(tmp_path) as server:
        yield server


@asynccontextmanager
async def running(node: str, scenario: str, server: Server, **token: Any) -> AsyncIterator[Script]:
    command = [node, str(HERE / "clients.mjs"), scenario, server.url, server.http_url, server.token(**token)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        yield Script(process)
    finally:
        try:
            await asyncio.wait_for(process.communicate(), 2)
        except TimeoutError:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize(
    ("scenario", "refusal"),
    [
        ("graphql-ws", [("refused error", "GRAPHQL_VALIDATION_FAILED")]),
        ("graphql-sse", [("refused", "GRAPHQL_VALIDATION_FAILED"), ("refused complete", None)]),
        ("graphql-sse-single", [("refused error", "Server responded with 400: Bad Request")]),
    ],
)
async def test_protocol_client_when_it_does_everything_then_it_hears_everything(
    node: str, server: Server, scenario: str, refusal: list[tuple[str, Any]]
) -> None:
    async with running(node, scenario, server) as client:
        first = [await client.said() for _ in range(8)]
        refused = [await client.said() for _ in refusal]
        await server.settled(open=1)
        for number in (1, 2):
            server.rooms.publish("one", number)
        ticks = [await client.said() for _ in range(2)]
        await client.tell()
        await server.settled(open=0)
        await client.tell()
        rest = [await client.said() for _ in range(2)]

    assert first == [
        ("query", {"data": {"greeting": "hello you"}}),
        ("query complete", None),
        ("mutation", {"data": {"count": 1}}),
        ("mutation complete", None),
        *(("three", {"data": {"three": number}}) for number in (1, 2, 3)),
        ("three complete", None),
    ]
    assert [(kind, told["errors"][0]["extensions"]["code"] if isinstance(told, dict) else told) for kind, told in refused] == refusal
    assert ticks == [("ticks", {"data": {"ticks": {"number": number}}}) for number in (1, 2)]
    assert rest == [("ticks complete", None), ("done", None)]


async def test_graphql_ws_when_its_token_is_refused_then_it_sees_4401_and_does_not_retry(node: str, server: Server) -> None:
    async with running(node, "graphql-ws-refused", server) as client:
        assert await client.said() == ("query error", 4401)


async def test_graphql_ws_when_the_server_sends_it_away_then_it_comes_back_by_itself(node: str, server: Server) -> None:
    async with running(node, "graphql-ws-reconnects", server) as client:
        await server.settled(open=1)
        server.rooms.publish("one", 1)
        before = await client.said()
        (session,) = server.application._parts.live._connections
        session.send_away()

        closed = await client.said()
        await server.settled(open=1)
        server.rooms.publish("one", 2)
        after = await client.said()

    assert (before[1], after[1]) == ({"data": {"ticks": {"number": 1}}}, {"data": {"ticks": {"number": 2}}})
    assert closed[1]["code"] == 1012
    assert closed[1]["reason"].startswith("the server restarts: retry after ")


async def test_graphql_ws_when_it_sends_a_fresh_token_then_it_outlives_the_first(node: str, server: Server) -> None:
    async with running(node, "graphql-ws-renews", server, lifetime=3) as client:
        await server.settled(open=1)
        await client.tell(server.token(lifetime=60))

        await asyncio.sleep(3.5)
        server.rooms.publish("one", 1)

        assert await client.said() == ("ticks", {"data": {"ticks": {"number": 1}}})


@pytest.mark.parametrize("scenario", ["apollo", "urql", "urql-sse"])
async def test_graphql_client_when_it_queries_and_subscribes_then_it_hears_and_leaves_nothing(
    node: str, server: Server, scenario: str
) -> None:
    async with running(node, scenario, server) as client:
        query = await client.said()
        await server.settled(open=1)
        server.rooms.publish("one", 1)
        kind, tick = await client.said()
        await client.tell()
        await server.settled(open=0)
        await client.tell()
        last = await client.said()

    assert query == ("query", {"greeting": "hello you"})
    assert kind == "ticks"
    assert tick["data"]["ticks"]["number"] == 1
    assert last == ("done", None)
