"""Python's `gql` over WebSockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from tests.graph.server.live.streaming import PROTOCOL, Server, live_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with live_server(tmp_path) as server:
        yield server


def transport(server: Server, token: str) -> WebsocketsTransport:
    return WebsocketsTransport(
        url=server.url,
        init_payload={"Authorization": f"Bearer {token}"},
        subprotocols=[PROTOCOL],  # type: ignore[list-item]
        ping_interval=0.2,
        pong_timeout=2,
    )


async def test_gql_when_it_queries_and_subscribes_then_it_hears(server: Server) -> None:
    async with Client(transport=transport(server, server.token()), fetch_schema_from_transport=False) as session:
        assert await session.execute(gql("{ greeting }")) == {"greeting": "hello you"}
        assert await session.execute(gql("mutation { count }")) == {"count": 1}
        assert [one["three"] async for one in session.subscribe(gql("subscription { three }"))] == [1, 2, 3]

        ticks = session.subscribe(gql('subscription { ticks(room: "one") { number } }'))
        first = asyncio.ensure_future(anext(ticks))
        await server.settled(open=1)
        await asyncio.sleep(0.5)  # some of the client's pings
        server.rooms.publish("one", 7)
        assert await first == {"ticks": {"number": 7}}
        await ticks.aclose()
        await server.settled(open=0)


async def test_gql_when_the_schema_is_fetched_then_it_is_answered(server: Server) -> None:
    async with Client(transport=transport(server, server.token()), fetch_schema_from_transport=True) as session:
        assert session.client.schema is not None
        assert session.client.schema.subscription_type is not None


async def test_gql_when_an_operation_fails_then_it_is_told_its_code(server: Server) -> None:
    async with Client(transport=transport(server, server.token()), fetch_schema_from_transport=False) as session:
        with pytest.raises(TransportQueryError) as failed:
            await session.execute(gql("{ nothing }"))

    assert failed.value.errors is not None
    assert failed.value.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_gql_when_its_token_is_refused_then_it_sees_4401(server: Server) -> None:
    with pytest.raises(TransportConnectionFailed) as failed:
        async with Client(transport=transport(server, "nonsense"), fetch_schema_from_transport=False):
            pass

    assert "4401" in repr(failed.value.__cause__ or failed.value)
