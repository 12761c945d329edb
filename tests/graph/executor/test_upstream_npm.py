"""Event streams of a subgraph served by npm's `graphql-ws` and `graphql-sse`, alone and behind a whole gateway; it is killed meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from graphql import build_schema
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from graph.config import load_settings
from graph.engine import build_gateway
from graph.errors import SubgraphError
from graph.server.run import Serving, configured, listen
from graph.sources import SchemaSource
from tests.fakes.node_upstream import SDL, NodeUpstream, node_upstream
from tests.fakes.servers import Subgraph, served
from tests.fakes.upstreams import Followed, follow, following, subscription

PROTOCOLS = ["graphql-transport-ws", "sse"]
READINGS = "subscription ($from: Int!, $until: Int) { readings(from: $from, until: $until) { value } }"
ENDLESS = "subscription { readings(from: 0) { value sensor { name } } }"
SENSORS = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { sensors: Int } type Sensor @key(fields: "id") { id: ID! name: String! }"""
PLAIN_SENSORS = """scalar _Any union _Entity = Sensor type Sensor { id: ID! name: String! }
type Query { _entities(representations: [_Any!]!): [_Entity]! }"""


@pytest.fixture
async def upstream() -> AsyncIterator[NodeUpstream]:
    async with node_upstream() as running:
        yield running


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_stream_when_the_subgraph_says_complete_then_it_is_and_the_headers_have_come_there(
    upstream: NodeUpstream, protocol: str
) -> None:
    async with following(upstream.url, protocol=protocol) as client:
        found = await follow(client, subscription(READINGS, **{"from": 3, "until": 6}))
        caller = await follow(client, subscription("subscription { caller { authorization parameter requestId } }"), {"authorization": "a"})
        wrong = await follow(client, subscription("subscription { nope }"))

    told = {"parameter": "a", "requestId": None} if protocol == "graphql-transport-ws" else {"parameter": None, "requestId": "r-1"}
    assert (found.values, found.complete) == ([{"readings": {"value": value}} for value in (3, 4, 5)], True)
    assert caller.values == [{"caller": {"authorization": "a", **told}}]
    assert isinstance(wrong.error, SubgraphError)
    assert wrong.error.detail == 'Cannot query field "nope" on type "Subscription".'


async def test_streams_when_they_are_many_then_they_share_one_websocket_and_nothing_of_them_is_left(upstream: NodeUpstream) -> None:
    async with following(upstream.url) as client:
        many = [Followed() for _ in range(100)]
        tasks = [asyncio.create_task(follow(client, subscription(READINGS, **{"from": 0}), into=one)) for one in many]
        for one in many:
            await one.has(2)
        await upstream.becomes(everConnected=1, connections=1, streams=100)
        for task in tasks:
            task.cancel()
        await upstream.becomes(connections=1, streams=0)
        await upstream.becomes(connections=0)


async def test_stream_when_the_subgraph_refuses_then_the_error_says_so(upstream: NodeUpstream) -> None:
    async with following(upstream.url) as client:
        hot = await follow(client, subscription("subscription { fails }"))
        refused = await follow(client, subscription(READINGS, **{"from": 0}), {"authorization": "Bearer refused"})

    assert hot.values == [{"fails": 1}]
    assert isinstance(hot.error, SubgraphError)
    assert (hot.error.detail, hot.error.extensions) == ("the sensor is too hot", {"code": "TOO_HOT", "celsius": 90, "service": "readings"})
    assert isinstance(refused.error, SubgraphError)
    assert refused.error.detail.endswith("it closed the connection: 4403 Forbidden")


@asynccontextmanager
async def gateway(folder: Path, readings: str, sensors: str, **subscriptions: Any) -> AsyncIterator[str]:
    """The WebSocket URL of a gateway over two subgraphs."""
    for name, sdl in (("readings", SDL), ("sensors", SENSORS)):
        (folder / f"{name}.graphql").write_text(sdl)
    config = folder / "federation.yaml"
    sources = {
        "readings": {"url": readings, "schema": "readings.graphql", "subscriptions": subscriptions},
        "sensors": {"url": sensors, "schema": "sensors.graphql"},
    }
    config.write_text(json.dumps({"subgraphs": sources}))
    application = await build_gateway(SchemaSource(lambda: load_settings(config, environ={}), config), no_auth=True)
    server = uvicorn.Server(configured(application, Serving(0, 5, 1_000_000)))
    with listen("127.0.0.1", 0) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/graphql"
        finally:
            await application.drain(1)
            server.should_exit = True
            await task


@asynccontextmanager
async def federation(folder: Path, upstream: NodeUpstream, **subscriptions: Any) -> AsyncIterator[ClientConnection]:
    """An acknowledged client of a gateway; the second subgraph knows the names of sensors."""

    def entities(_info: Any, representations: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{"__typename": "Sensor", "name": f"sensor {one['id']}"} for one in representations]

    sensors = Subgraph(build_schema(PLAIN_SENSORS), {"_entities": entities})
    async with (
        served(sensors.application) as url,
        gateway(folder, upstream.url, f"{url}/graphql", **subscriptions) as gateway_url,
        connect(gateway_url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as client,
    ):
        await client.send('{"type":"connection_init"}')
        assert (await message(client))["type"] == "connection_ack"
        yield client


async def message(client: ClientConnection) -> dict[str, Any]:
    """The next one that is no `ping`."""
    async with asyncio.timeout(15):
        while (found := json.loads(await client.recv()))["type"] == "ping":
            pass
    return dict(found)


async def subscribe(client: ClientConnection, id: str) -> dict[str, Any]:
    """The first event's data."""
    await client.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": ENDLESS}}))
    first = await message(client)
    assert (first["id"], first["type"]) == (id, "next"), first
    return dict(first["payload"]["data"]["readings"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_gateway_when_the_subgraph_is_killed_and_started_again_then_its_clients_are_told_to_resynchronise(
    upstream: NodeUpstream, protocol: str, tmp_path: Path
) -> None:
    async with federation(tmp_path, upstream, protocol=protocol) as client:
        assert await subscribe(client, "1") == {"value": 0, "sensor": {"name": "sensor s0"}}
        await upstream.kill()
        await upstream.start()
        back_at = asyncio.get_running_loop().time()
        while (last := await message(client))["type"] == "next":
            pass
        first = await subscribe(client, "2")
        took = asyncio.get_running_loop().time() - back_at

    assert (last["id"], last["type"]) == ("1", "error")
    assert [one["extensions"]["code"] for one in last["payload"]] == ["RESYNC_REQUIRED"]
    assert last["payload"][0]["extensions"]["service"] == "readings"
    assert first == {"value": 0, "sensor": {"name": "sensor s0"}}
    assert took < 5


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_gateway_when_the_subgraph_is_killed_and_streams_are_to_continue_then_the_first_event_after_says_that_there_is_a_gap(
    upstream: NodeUpstream, protocol: str, tmp_path: Path
) -> None:
    async with federation(tmp_path, upstream, protocol=protocol, on_reconnect="continue") as client:
        await subscribe(client, "1")
        await upstream.kill()
        await upstream.start()
        back_at = asyncio.get_running_loop().time()
        while "extensions" not in (found := await message(client))["payload"]:
            assert found["type"] == "next"
        took = asyncio.get_running_loop().time() - back_at
        following = await message(client)

    assert found["payload"] == {"data": {"readings": {"value": 0, "sensor": {"name": "sensor s0"}}}, "extensions": {"gap": True}}
    assert following["payload"] == {"data": {"readings": {"value": 1, "sensor": {"name": "sensor s1"}}}}
    assert took < 5


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_gateway_when_the_subgraph_is_away_then_new_subscriptions_are_unavailable_and_old_ones_end_so_after_the_bound(
    upstream: NodeUpstream, protocol: str, tmp_path: Path
) -> None:
    async with federation(tmp_path, upstream, protocol=protocol, reconnect_s=1) as client:
        await subscribe(client, "1")
        await upstream.kill()
        await client.send(json.dumps({"id": "2", "type": "subscribe", "payload": {"query": READINGS, "variables": {"from": 1}}}))
        ends: list[dict[str, Any]] = []
        while len(ends) < 2:
            found = await message(client)
            ends += [found] if found["type"] != "next" else []

    assert {one["id"]: (one["type"], one["payload"][0]["extensions"]["code"]) for one in ends} == {
        "1": ("error", "UNAVAILABLE"),
        "2": ("error", "UNAVAILABLE"),
    }
