"""GraphQL over server-sent events in both modes, as a client of plain HTTP meets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.graph.server.live.streaming import Server

TICKS = 'subscription { ticks(room: "one") { number } }'
EVENTS = {"accept": "text/event-stream"}
STREAM_TOKEN = "x-graphql-event-stream-token"


@dataclass
class Events:
    """A stream's events; comments and `retry` are passed over."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> tuple[str, Any]:
        """Name and data of the next event; ("end", None) where the stream is over."""
        name = ""
        async with asyncio.timeout(5):
            async for line in self.lines:
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: ") and name:
                    data = line.removeprefix("data: ")
                    return name, json.loads(data) if data else None
        return "end", None


def authorized(server: Server, *roles: str, **token: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {server.token(*roles, **token)}"}


@asynccontextmanager
async def streamed(server: Server, method: str, body: Any = None, **headers: str) -> AsyncIterator[Events]:
    async with (
        httpx.AsyncClient(timeout=5) as client,
        client.stream(method, server.http_url, json=body, headers={**EVENTS, **headers}) as response,
    ):
        yield Events(response, response.aiter_lines())


async def test_distinct_connection_when_events_come_then_each_is_a_next(server: Server) -> None:
    async with streamed(server, "POST", {"query": TICKS}, **authorized(server)) as events:
        await server.settled(open=1)
        server.rooms.publish("one", 1)

        assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert await events.next() == ("next", {"data": {"ticks": {"number": 1}}})

    await server.settled(open=0)
