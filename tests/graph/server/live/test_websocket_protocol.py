"""The `graphql-transport-ws` protocol as a client of bare WebSockets meets it."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.graph.server.live.streaming import PROTOCOL, Server

TICKS = 'subscription { ticks(room: "one") { number } }'


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


async def test_subscription_when_it_is_over_then_the_server_completes_it_and_its_identifier_is_free(server: Server) -> None:
    async with server.client() as client:
        for _ in range(2):
            await client.subscribe("a", "subscription { three }")

            numbers = [await client.message() for _ in range(3)]

            assert [one["payload"]["data"]["three"] for one in numbers] == [1, 2, 3]
            assert await client.message() == {"id": "a", "type": "complete"}


async def test_subscription_when_its_source_fails_then_an_error_follows_what_was_delivered(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", "subscription { fails }")

        assert (await client.message())["payload"] == {"data": {"fails": 1}}
        last = await client.message()

    assert (last["type"], last["id"]) == ("error", "a")
    assert last["payload"][0]["message"] == "that was all"
    assert last["payload"][0]["extensions"]["code"] == "CONFLICT"
    assert last["payload"][0]["extensions"]["currentVersion"] == 7


async def test_subscription_when_its_socket_goes_then_it_ends_at_the_subgraph(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", TICKS)
        await server.settled(open=1)

    await server.settled(open=0)


async def test_subscriptions_when_equal_then_they_share_one_execution_and_both_hear(server: Server) -> None:
    async with server.client() as one, server.client(subject="bob") as two:
        await one.subscribe("a", TICKS)
        await two.subscribe("b", TICKS)
        await server.settled(open=1)
        await asyncio.sleep(0.1)
        server.rooms.publish("one", 5)

        heard = [await one.message(), await two.message()]

    assert [message["id"] for message in heard] == ["a", "b"]
    assert heard[0]["payload"] == heard[1]["payload"] == {"data": {"ticks": {"number": 5}}}
    assert server.rooms.opened == 1


async def test_query_when_sent_over_the_socket_then_next_and_complete(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("q", "query ($n: String!) { greeting(name: $n) }", n="Ada")

        assert await client.message() == {"id": "q", "type": "next", "payload": {"data": {"greeting": "hello Ada"}}}
        assert await client.message() == {"id": "q", "type": "complete"}


async def test_mutation_when_sent_over_the_socket_then_it_runs_once(server: Server) -> None:
    async with server.client() as client:
        assert await client.answer("m", "mutation { count }") == {"data": {"count": 1}}

    assert server.rooms.counted == 1


async def test_queries_when_several_run_then_they_answer_as_they_are_ready(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("slow", "{ slow(seconds: 0.3) }")
        await client.subscribe("quick", "{ greeting }")

        answered = [(await client.message())["id"] for _ in range(4)]

    assert answered == ["quick", "quick", "slow", "slow"]


async def test_query_when_the_client_completes_it_then_it_is_broken_off(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("q", "{ slow(seconds: 0.2) }")
        await client.send(type="complete", id="q")
        await asyncio.sleep(0.3)

        assert await client.answer("r", "{ greeting }") == {"data": {"greeting": "hello you"}}

    assert server.rooms.finished == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { edits(room: 1) }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_operation_when_it_is_refused_then_error_and_the_socket_stays(server: Server, query: str, code: str) -> None:
    async with server.client() as client:
        errors = await client.answer("a", query)

        assert errors[0]["extensions"]["code"] == code
        assert await client.answer("a", "{ greeting }") == {"data": {"greeting": "hello you"}}


async def test_subscription_when_the_caller_lacks_a_right_then_forbidden_and_nothing_runs(server: Server) -> None:
    async with server.client("dt_viewer") as client:
        errors = await client.answer("a", 'subscription { edits(room: "one") { number } }')

    assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]
    assert server.rooms.opened == 0


async def test_ping_when_sent_then_pong_before_and_after_initialisation(server: Server) -> None:
    async with server.socket() as client:
        await client.send(type="ping")
        assert await client.message() == {"type": "pong"}
        await client.send(type="connection_init", payload={"Authorization": f"Bearer {server.token()}"})
        assert await client.message() == {"type": "connection_ack"}
        await client.send(type="ping", payload={"anything": 1})
        assert await client.message() == {"type": "pong"}
        await client.send(type="pong", payload={"anything": 1})

        assert await client.answer("q", "{ greeting }") == {"data": {"greeting": "hello you"}}


@pytest.mark.parametrize(
    "message",
    [
        "this is no JSON",
        "5",
        "[]",
        "{}",
        '{"type": 7}',
        '{"type": "start", "id": "1"}',
        '{"type": "connection_ack"}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "subscribe", "payload": {"query": "{ greeting }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ greeting }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ greeting }"}}',
        json.dumps({"type": "subscribe", "id": "i" * 257, "payload": {"query": "{ greeting }"}}),
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ greeting }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "complete"}',
        '{"type": "ping", "payload": 5}',
        '{"type": "connection_init", "payload": "a"}',
        "[" * 5_000,
        b"\x00\x01",
    ],
)
async def test_message_when_it_is_none_of_the_protocol_then_4400(server: Server, message: str | bytes) -> None:
    async with server.client() as client:
        await client.socket.send(message)

        code, reason = await client.close_code()

    assert code == 4400
    assert reason


async def test_subscribe_when_not_acknowledged_then_4401(server: Server) -> None:
    async with server.socket() as client:
        await client.subscribe("a", TICKS)

        assert await client.close_code() == (4401, "Unauthorized")


async def test_initialisation_when_asked_twice_then_4429(server: Server) -> None:
    async with server.client() as client:
        await client.send(type="connection_init")

        assert await client.close_code() == (4429, "Too many initialisation requests")


@pytest.mark.settings(live_init_timeout_s=0.2)
async def test_initialisation_when_it_does_not_come_then_4408(server: Server) -> None:
    async with server.socket() as client:
        await client.send(type="ping")

        assert await client.close_code() == (4408, "Connection initialisation timeout")


async def test_identifier_when_it_is_in_use_then_4409_and_all_ends(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", TICKS)
        await server.settled(open=1)
        await client.subscribe("a", TICKS)

        assert await client.close_code() == (4409, "Subscriber for a already exists")
    await server.settled(open=0)


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        (("graphql-ws",), "Subprotocol not acceptable: graphql-ws is the legacy protocol, use graphql-transport-ws"),
        (("mqtt", "stomp"), "Subprotocol not acceptable: use graphql-transport-ws"),
    ],
)
async def test_subprotocol_when_it_is_not_ours_then_the_client_sees_4406(server: Server, offered: tuple[str, ...], reason: str) -> None:
    async with server.socket(*offered) as client:
        assert client.socket.subprotocol == offered[0]
        assert await client.close_code() == (4406, reason)


async def test_subprotocol_when_none_is_offered_then_4406(server: Server) -> None:
    from websockets.asyncio.client import connect

    async with connect(server.url, proxy=None) as socket:
        await socket.wait_closed()

        assert (socket.close_code, socket.subprotocol) == (4406, None)


async def test_subprotocol_when_ours_is_among_others_then_it_is_chosen(server: Server) -> None:
    async with server.socket("graphql-ws", PROTOCOL) as client:
        assert client.socket.subprotocol == PROTOCOL


@pytest.mark.settings(live_keep_alive_s=0.6)
async def test_keep_alive_when_the_client_is_silent_then_it_is_pinged_and_without_pong_closed(server: Server) -> None:
    async with server.client() as client:
        pinged: list[Any] = [json.loads(await client.socket.recv())]
        await client.send(type="pong")
        pinged.append(json.loads(await client.socket.recv()))

        code, reason = await client.close_code()

    assert pinged == [{"type": "ping"}] * 2
    assert (code, reason) == (1001, "no pong within 0.6 s")


@pytest.mark.settings(live_max_message_kb=10)
async def test_message_when_it_is_too_large_then_1009(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", "{ greeting }" + " " * 10_000)

        assert (await client.close_code())[0] == 1009


@pytest.mark.settings(live_messages_per_s=2)
async def test_messages_when_they_come_too_fast_then_1008(server: Server) -> None:
    async with server.client() as client:
        for _ in range(30):
            await client.send(type="pong")

        assert await client.close_code() == (1008, "more than 2 messages a second")


@pytest.mark.settings(live_operations_per_connection=2)
async def test_operations_when_too_many_for_a_connection_then_that_one_is_refused(server: Server) -> None:
    async with server.client() as client:
        await client.subscribe("a", TICKS)
        await client.subscribe("b", TICKS)

        errors = await client.answer("c", "{ greeting }")

        assert [error["extensions"]["code"] for error in errors] == ["RATE_LIMITED"]
        await client.send(type="complete", id="a")
        assert await client.answer("c", "{ greeting }") == {"data": {"greeting": "hello you"}}


@pytest.mark.settings(live_operations_per_principal=2, live_connections_per_principal=2)
async def test_quota_when_a_principal_has_used_it_then_others_still_have_theirs(server: Server) -> None:
    async with server.client() as one, server.client() as two, server.client(subject="bob") as other:
        for client in (one, two):
            await client.subscribe("a", TICKS)
        await server.settled(open=1)

        refused = await two.answer("b", "{ greeting }")
        async with server.socket() as third:
            await third.send(type="connection_init", payload={"Authorization": f"Bearer {server.token()}"})
            closed = await third.close_code()

        assert [error["extensions"]["code"] for error in refused] == ["RATE_LIMITED"]
        assert closed == (1013, "2 live connections are open for this principal: close some of them")
        assert await other.answer("b", "{ greeting }") == {"data": {"greeting": "hello you"}}

    async with server.client() as again:
        assert await again.answer("b", "{ greeting }") == {"data": {"greeting": "hello you"}}


@pytest.mark.settings(live_connections=1)
async def test_connections_when_the_process_has_its_fill_then_503_with_a_hint(server: Server) -> None:
    async with server.socket():
        with pytest.raises(InvalidStatus) as refused:
            async with server.socket():
                pass

    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["retry-after"] == "5"


@pytest.mark.settings(cors_allowed_origins=("https://portal.example",))
@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://portal.example", 101), (None, 101), ("SELF", 101), ("https://evil.example", 403), ("null", 403), ("http://[bad", 403)],
)
async def test_origin_when_a_foreign_page_connects_then_403(server: Server, origin: str | None, status: int) -> None:
    origin = f"http://{server.address}" if origin == "SELF" else origin
    try:
        async with server.socket(origin=origin) as client:
            found = client.socket.response.status_code if client.socket.response else 0
    except InvalidStatus as refused:
        found = refused.response.status_code

    assert found == status


async def test_path_when_it_is_another_then_404_and_no_socket(server: Server) -> None:
    from websockets.asyncio.client import connect

    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{server.address}/other", subprotocols=[PROTOCOL], proxy=None):  # type: ignore[list-item]
            pass

    assert refused.value.response.status_code == 404
