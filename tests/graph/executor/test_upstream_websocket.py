"""Event streams over graphql-transport-ws from servers that do as each test says; npm's servers are in test_upstream_npm.py."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection

from graph.contracts import OperationKind, Principal, RequestContext, SubgraphRequest
from graph.errors import ResyncRequired, SubgraphError, Unavailable
from graph.executor.transports import websocket_client, websocket_client_pool
from graph.executor.transports.header_rules import headers_by
from graph.executor.transports.http import HttpTransport
from graph.federation_config import HeaderRule, Insert, Propagate, Subscriptions
from tests.fakes.upstreams import Followed, Peer, follow, following, subscription, websocket_upstream


@pytest.fixture(autouse=True)
async def no_task_is_left(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(websocket_client_pool, "LINGER", 0.05)
    yield
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def counting(peer: Peer) -> None:
    """Three events for each subscription, then complete."""
    while True:
        id = await peer.next_subscription()
        for value in range(3):
            await peer.next(id, value)
        await peer.say(id=id, type="complete")


async def silent(peer: Peer) -> None:
    await peer.until_closed()


async def test_subscriptions_when_their_headers_are_equal_then_they_share_a_connection_that_closes_after_the_last() -> None:
    async with websocket_upstream(counting) as server, following(server.url) as upstream:
        found = await asyncio.gather(*(follow(upstream) for _ in range(20)))
        later = await follow(upstream)
        shared = len(server.peers)
        await server.has_open(0)
        after_closing = await follow(upstream)

    assert [one.values for one in (*found, later, after_closing)] == [[0, 1, 2]] * 22
    assert all(one.complete for one in found)
    assert shared == 1
    assert len(server.peers) == 2


async def test_subscriptions_when_other_headers_are_forwarded_then_they_have_another_connection_that_is_told_them() -> None:
    async with websocket_upstream(counting) as server, following(server.url) as upstream:
        await follow(upstream, headers={"authorization": "Bearer a"})
        await follow(upstream, headers={"authorization": "Bearer b"})
        await follow(upstream, headers={"authorization": "Bearer a"})

    assert [peer.init.get("payload") for peer in server.peers] == [{"authorization": "Bearer a"}, {"authorization": "Bearer b"}]
    assert [peer.headers["authorization"] for peer in server.peers] == ["Bearer a", "Bearer b"]
    assert "x-request-id" not in server.peers[0].headers


async def test_transport_when_rules_forward_headers_then_they_decide_what_a_connection_is_told_and_nothing_else_goes_along() -> None:
    rules = [
        HeaderRule(propagate=Propagate(named="authorization")),
        HeaderRule(insert=Insert(name="sec-websocket-protocol", value=SecretStr("evil"))),
        HeaderRule(insert=Insert(name="x-gateway", value=SecretStr("citygraph"))),
    ]
    sent = {"authorization": "Bearer a", "cookie": "secret", "traceparent": "00-aa-bb-01"}
    context = RequestContext(Principal("ada", "FI-HELSINKI"), "request-1", sent)
    request = SubgraphRequest("subscription { n }", {}, OperationKind.SUBSCRIPTION, headers={"X-Hook": "h", "x-bad": "a\r\nb: c"})
    async with websocket_upstream(counting) as server:
        transport = HttpTransport("readings", server.url, headers=headers_by(rules))
        found = [response.data async for response in transport.subscribe(request, context)]
        again = [response.data async for response in transport.subscribe(request, replace(context, request_id="request-2"))]
        await transport.close()

    assert found == again == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [peer.init["payload"] for peer in server.peers] == [{"authorization": "Bearer a", "x-gateway": "citygraph", "x-hook": "h"}]
    headers = server.peers[0].headers
    assert (headers["authorization"], headers["x-gateway"], headers["x-hook"]) == ("Bearer a", "citygraph", "h")
    assert headers["sec-websocket-protocol"] == "graphql-transport-ws"
    assert not {"cookie", "x-bad", "b", "x-request-id", "traceparent"} & headers.keys()


async def test_subscriptions_when_a_connection_is_full_then_they_get_another_up_to_the_bound() -> None:
    async with websocket_upstream(silent) as server, following(server.url, max_per_connection=2, max_connections=2) as upstream:
        tasks = [asyncio.create_task(follow(upstream)) for _ in range(4)]
        await server.has_open(2)
        refused = await follow(upstream)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.has_open(0)

    assert isinstance(refused.error, Unavailable)
    assert refused.error.detail == "subgraph 'readings' has 2 connections already, which is the most"


async def test_subscription_when_it_is_left_then_the_subgraph_is_told_and_the_others_go_on() -> None:
    async def handle(peer: Peer) -> None:
        first, second = await peer.next_subscription(), await peer.next_subscription()
        await peer.next(first, 1)
        while (await peer.hear())["type"] != "complete":
            pass
        await peer.next(first, 2)
        await peer.next(second, 3)
        await peer.say(id=second, type="complete")
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url) as upstream:
        async with aclosing(upstream.events(subscription(), {}, {})) as leaving:
            starting = asyncio.create_task(anext(leaving))
            other = asyncio.create_task(follow(upstream))
            assert (await starting).data == {"n": 1}
        found = await other

    assert (found.values, found.complete) == ([3], True)
    assert [message for message in server.peers[0].heard if message["type"] == "complete"] == [{"id": "1", "type": "complete"}]


async def test_subscription_when_it_is_not_read_then_it_alone_ends_with_resync_required() -> None:
    async def handle(peer: Peer) -> None:
        slow, quick = await peer.next_subscription(), await peer.next_subscription()
        await peer.next(slow, 0)
        for value in range(50):
            await peer.next(slow, value)
            await peer.next(quick, value)
            await asyncio.sleep(0)
        await peer.say(id=quick, type="complete")
        await peer.until_closed()

    async with (
        websocket_upstream(handle) as server,
        following(server.url, max_waiting=10) as upstream,
        aclosing(upstream.events(subscription(), {}, {})) as slow,
    ):
        starting = asyncio.create_task(anext(slow))
        quick = asyncio.create_task(follow(upstream))
        await starting
        found = await quick
        with pytest.raises(ResyncRequired, match="faster than they can be passed on"):
            await anext(slow)

    assert (found.values, found.complete) == (list(range(50)), True)
    assert {"id": "1", "type": "complete"} in server.peers[0].heard


async def test_subscription_when_what_waits_has_too_many_bytes_then_it_ends_with_resync_required() -> None:
    async def handle(peer: Peer) -> None:
        id = await peer.next_subscription()
        await peer.next(id, 0)
        await asyncio.sleep(0.1)
        for _ in range(30):
            await peer.next(id, "x" * 900)
        await peer.until_closed()

    async with (
        websocket_upstream(handle) as server,
        following(server.url, max_message_kb=1) as upstream,
        aclosing(upstream.events(subscription(), {}, {})) as slow,
    ):
        await anext(slow)
        await asyncio.sleep(0.3)
        with pytest.raises(ResyncRequired):
            await anext(slow)


async def test_subscription_when_many_events_come_at_once_then_who_reads_them_gets_them_all() -> None:
    async def handle(peer: Peer) -> None:
        id = await peer.next_subscription()
        for value in range(5_000):
            await peer.next(id, value)
        await peer.say(id=id, type="complete")

    async with websocket_upstream(handle) as server, following(server.url, max_waiting=100) as upstream:
        found = await follow(upstream)

    assert (found.error, found.complete) == (None, True)
    assert found.values == list(range(5_000))


async def break_off(peer: Peer, how: int | str) -> None:
    if isinstance(how, int):
        await peer.socket.close(how, "told so")
    else:
        peer.socket.transport.abort()


@pytest.mark.parametrize("how", [1000, 1001, 1011, 1012, 1013, 4408, "reset"])
@pytest.mark.parametrize("on_reconnect", ["resync", "continue"])
async def test_subscriptions_when_the_connection_breaks_then_the_gap_is_told_and_nothing_is_complete(
    how: int | str, on_reconnect: str
) -> None:
    async def handle(peer: Peer) -> None:
        ids = [await peer.next_subscription(), await peer.next_subscription()]
        for id in ids:
            await peer.next(id, len(server.peers))
            await peer.next(id, 0)
        if len(server.peers) == 1:
            await break_off(peer, how)
        for id in ids:
            await peer.say(id=id, type="complete")
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url, on_reconnect=on_reconnect) as upstream:
        both = await asyncio.gather(follow(upstream), follow(upstream))
        await server.has_open(0)

    assert len(server.peers) == 2
    for found in both:
        if on_reconnect == "resync":
            assert (found.values, found.complete) == ([1, 0], False)
            assert isinstance(found.error, ResyncRequired)
            assert found.error.extensions == {"service": "readings"}
        else:
            assert (found.values, found.complete) == ([1, 0, 2, 0], True)
            assert [one.extensions for one in found.responses] == [{}, {}, {"gap": True}, {}]


@pytest.mark.parametrize("how", [4400, 4401, 4403, 4500, 1002, 1008])
async def test_subscription_when_the_subgraph_closes_because_something_is_wrong_then_it_says_so_and_is_not_tried_again(how: int) -> None:
    async def handle(peer: Peer) -> None:
        await peer.next_subscription()
        await break_off(peer, how)

    async with websocket_upstream(handle) as server, following(server.url, on_reconnect="continue") as upstream:
        found = await follow(upstream)

    assert (type(found.error), found.complete) == (SubgraphError, False)
    assert found.error is not None
    assert (
        found.error.detail == f"subgraph 'readings' cannot be followed over graphql-transport-ws: it closed the connection: {how} told so"
    )
    assert server.upgrades == 1


async def test_subscription_when_the_subgraph_stays_away_then_it_ends_as_unavailable_after_the_bound() -> None:
    async def handle(peer: Peer) -> None:
        await peer.next(await peer.next_subscription(), 1)
        await peer.until_closed()

    followed = Followed()
    async with AsyncExitStack() as stack:
        async with websocket_upstream(handle) as server:
            upstream = await stack.enter_async_context(following(server.url, reconnect_s=0.3))
            task = asyncio.create_task(follow(upstream, into=followed))
            await followed.has(1)
        await asyncio.wait_for(task, 5)

    assert isinstance(followed.error, Unavailable)
    assert followed.error.detail == ("subgraph 'readings' went away (it closed the connection: 1001) and did not come back within 0.3 s")


async def test_subscription_when_nobody_listens_there_then_it_is_unavailable_and_those_after_it_are_told_the_same() -> None:
    async with following("http://127.0.0.1:9/graphql") as upstream:
        first, second = await follow(upstream), await follow(upstream)

    for found in (first, second):
        assert isinstance(found.error, Unavailable)
        assert found.error.detail == "subgraph 'readings' cannot be subscribed to: no connection: Connection refused"


@pytest.mark.parametrize(
    "message", [b"\x00\x01", "no JSON", "[1]", "{}", '{"type":"surprise"}', '{"type":"next"}', '{"type":"next","id":1}']
)
async def test_subscriptions_when_garbage_comes_then_the_connection_is_closed_and_they_end_with_an_error(message: str | bytes) -> None:
    async def handle(peer: Peer) -> None:
        await peer.next_subscription()
        await peer.next_subscription()
        await peer.socket.send(message)
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url) as upstream:
        both = await asyncio.gather(follow(upstream), follow(upstream))
        await server.has_open(0)

    assert [type(one.error) for one in both] == [SubgraphError, SubgraphError]
    assert server.peers[0].socket.close_code == 4004
    assert server.upgrades == 1


async def test_subscription_when_a_message_is_too_large_then_it_ends_with_an_error_that_says_so() -> None:
    async def handle(peer: Peer) -> None:
        await peer.next(await peer.next_subscription(), "x" * 3_000)
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url, max_message_kb=2) as upstream:
        found = await follow(upstream)

    assert isinstance(found.error, SubgraphError)
    assert found.error.detail.endswith("a message is too large")


async def test_messages_when_they_are_about_nothing_that_runs_then_they_are_passed_over() -> None:
    async def handle(peer: Peer) -> None:
        id = await peer.next_subscription()
        await peer.next("unknown", 1)
        await peer.say(id="unknown", type="error", payload=[])
        await peer.say(type="connection_ack")
        await peer.say(type="pong")
        await peer.say(type="ping", payload={"at": 7})
        await peer.next(id, 1)
        await peer.say(id=id, type="complete", more=True)
        await peer.next(id, 2)
        await peer.say(id=id, type="complete")
        await peer.next(await peer.next_subscription(), 3)
        await peer.say(id=peer.subscribed[-1], type="complete")
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url) as upstream:
        first, second = await follow(upstream), await follow(upstream)

    assert (first.values, second.values) == ([1], [3])
    assert {"type": "pong", "payload": {"at": 7}} in server.peers[0].heard
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("message", "kind", "detail", "code"),
    [
        ({"type": "error", "payload": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]}, "Forbidden", "no", "FORBIDDEN"),
        ({"type": "error", "payload": [{"message": "hot", "extensions": {"code": "TOO_HOT"}}]}, "SubgraphError", "hot", "TOO_HOT"),
        ({"type": "error", "payload": "?"}, "SubgraphError", "ended the subscription without saying why", "SUBGRAPH_ERROR"),
        ({"type": "next", "payload": {"errors": [{"message": "bad"}]}}, "SubgraphError", "bad", "SUBGRAPH_ERROR"),
        ({"type": "next", "payload": 5}, "SubgraphError", "sent an event that is not a GraphQL response", None),
        ({"type": "next"}, "SubgraphError", "sent an event that is not a GraphQL response", None),
    ],
)
async def test_subscription_when_its_subgraph_ends_it_then_the_error_has_its_code_and_others_go_on(
    message: dict[str, Any], kind: str, detail: str, code: str | None
) -> None:
    async def handle(peer: Peer) -> None:
        first, second = await peer.next_subscription(), await peer.next_subscription()
        await peer.say(id=first, **message)
        await asyncio.sleep(0.05)
        await peer.next(second, 1)
        await peer.say(id=second, type="complete")
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url) as upstream:
        first, second = await asyncio.gather(follow(upstream), follow(upstream))

    assert (type(first.error).__name__, second.values, second.complete) == (kind, [1], True)
    assert first.error is not None
    assert first.error.detail.endswith(detail)
    assert (first.error.extensions["service"], first.error.extensions.get("code")) == ("readings", code)


async def nothing(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def refuses(socket: ServerConnection) -> None:
    await socket.send('{"type":"connection_error","payload":{"message":"no such tenant"}}')
    await socket.wait_closed()


async def closes(socket: ServerConnection) -> None:
    await socket.close(4403, "Forbidden")


async def babbles(socket: ServerConnection) -> None:
    await socket.send('{"type":"ping"}')
    await socket.send('{"type":"next","id":"1","payload":{}}')
    await socket.wait_closed()


@pytest.mark.parametrize(
    ("raw", "kind", "detail"),
    [
        (nothing, Unavailable, "no connection within 0.3 s"),
        (refuses, SubgraphError, "no such tenant"),
        (closes, SubgraphError, "it closed the connection: 4403 Forbidden"),
        (babbles, SubgraphError, "it sent something else than an acknowledgement"),
    ],
)
async def test_subscription_when_the_connection_is_not_acknowledged_then_it_is_an_error(
    raw: Any, kind: type[Exception], detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_client, "OPEN_TIMEOUT", 0.3)
    async with websocket_upstream(silent, raw=raw) as server, following(server.url) as upstream:
        both = await asyncio.gather(follow(upstream), follow(upstream))

    for found in both:
        assert type(found.error) is kind
        assert found.error.detail.endswith(detail)  # type: ignore[attr-defined]
    assert server.upgrades == 1


@pytest.mark.parametrize(("status", "kind"), [(401, SubgraphError), (404, SubgraphError), (302, SubgraphError), (503, Unavailable)])
async def test_subscription_when_the_upgrade_is_refused_then_it_is_an_error_that_has_the_status(status: int, kind: type[Exception]) -> None:
    def refuse(socket: ServerConnection, request: Any) -> Any:
        response = socket.respond(HTTPStatus(status), "no")
        response.headers["Location"] = "http://127.0.0.1:9/elsewhere"
        return response

    async with websocket_upstream(silent, process_request=refuse) as server, following(server.url) as upstream:
        found = await follow(upstream)

    assert type(found.error) is kind
    assert found.error.detail.endswith(f"it answered with status {status}")  # type: ignore[attr-defined]


async def test_subscription_when_the_server_speaks_another_protocol_then_it_is_an_error() -> None:
    async with websocket_upstream(silent, subprotocols=None) as server, following(server.url) as upstream:
        found = await follow(upstream)

    assert isinstance(found.error, SubgraphError)


async def test_subscription_when_pings_are_not_answered_then_its_connection_counts_as_broken() -> None:
    async def handle(peer: Peer) -> None:
        id = await peer.next_subscription()
        await peer.next(id, 1)
        if len(server.peers) == 1:
            peer.socket.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.6)
        await peer.until_closed()

    async with websocket_upstream(handle, ping_interval=None) as server, following(server.url, keep_alive_s=0.1) as upstream:
        found = await asyncio.wait_for(follow(upstream), 5)
        server.peers[0].socket.transport.abort()

    assert isinstance(found.error, ResyncRequired)
    assert "it did not answer a ping" in found.error.detail


async def test_subscription_when_it_is_cancelled_while_connecting_then_nothing_stays_open() -> None:
    async def slow(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        await socket.send('{"type":"connection_ack"}')
        await socket.wait_closed()

    async with websocket_upstream(silent, raw=slow) as server, following(server.url) as upstream:
        task = asyncio.create_task(follow(upstream))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.4)
        source = upstream._source()
        assert isinstance(source, websocket_client_pool.WebSocketSource)
        assert not source._connections
        assert not source._by_headers

    assert server.upgrades == 1


async def test_transport_when_it_closes_then_its_streams_end_with_an_error_and_no_new_one_begins() -> None:
    followed = Followed()

    async def handle(peer: Peer) -> None:
        await peer.next(await peer.next_subscription(), 1)
        await peer.until_closed()

    async with websocket_upstream(handle) as server, following(server.url) as upstream:
        task = asyncio.create_task(follow(upstream, into=followed))
        await followed.has(1)
        await upstream.close()
        await task
        later = await follow(upstream)

    assert isinstance(followed.error, Unavailable)
    assert isinstance(later.error, Unavailable)
    assert server.upgrades == 1


async def test_transport_when_the_subgraph_is_on_a_unix_socket_then_it_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    async with websocket_upstream(counting, path=path) as server, following(f"unix://{path}?path=/live") as upstream:
        found = await follow(upstream)

    assert found.values == [0, 1, 2]
    assert server.peers[0].socket.request is not None
    assert server.peers[0].socket.request.path == "/live"


async def test_transport_when_the_subgraph_has_tls_then_its_authority_is_needed(certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    context = RequestContext(Principal("ada", "FI-HELSINKI"), "request-1")
    async with websocket_upstream(counting, tls=tls) as server:
        knowing = HttpTransport("readings", server.url, tls=ssl.create_default_context(cafile=str(certificate)))
        unknowing = HttpTransport("readings", server.url, subscriptions=Subscriptions(url=server.url.replace("https", "wss")))
        found = [response.data async for response in knowing.subscribe(subscription(), context)]
        with pytest.raises(Unavailable, match="its certificate is not accepted"):
            await anext(unknowing.subscribe(subscription(), context))
        await knowing.close()
        await unknowing.close()

    assert found == [{"n": 0}, {"n": 1}, {"n": 2}]
