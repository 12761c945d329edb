"""The `graphql-transport-ws` protocol as a client of bare WebSockets meets it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.graph.server.live.streaming import Server, live_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with live_server(tmp_path) as server:
        yield server


async def test_subscription_when_events_come_then_each_is_a_next_and_the_client_may_complete(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", "subscription ($r: String!) { ticks(room: $r) { number } }", r="one")
        await server.settled(open=1)

        server.rooms.publish("one", 1)
        server.rooms.publish("one", 2)

        assert await client.message() == {"id": "a", "type": "next", "payload": {"data": {"ticks": {"number": 1}}}}
        assert await client.message() == {"id": "a", "type": "next", "payload": {"data": {"ticks": {"number": 2}}}}
        await client.send(type="complete", id="a")
        await server.settled(open=0)
