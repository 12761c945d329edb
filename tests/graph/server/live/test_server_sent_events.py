"""GraphQL over server-sent events in both modes, as a client of plain HTTP meets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

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


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ greeting }", [("next", {"data": {"greeting": "hello you"}}), ("complete", None)]),
        ("mutation { count }", [("next", {"data": {"count": 1}}), ("complete", None)]),
        ("subscription { three }", [*(("next", {"data": {"three": n}}) for n in (1, 2, 3)), ("complete", None)]),
    ],
)
async def test_distinct_connection_when_the_operation_ends_then_complete_and_the_response_ends(
    server: Server, query: str, said: list[Any]
) -> None:
    async with streamed(server, "POST", {"query": query}, **authorized(server)) as events:
        assert [await events.next() for _ in said] == said
        assert await events.next() == ("end", None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { edits(room: "one") { number } }', "FORBIDDEN"),
        ("subscription { fails }", "CONFLICT"),
    ],
)
async def test_distinct_connection_when_the_operation_fails_then_a_next_with_errors(server: Server, query: str, code: str) -> None:
    async with streamed(server, "POST", {"query": query}, **authorized(server)) as events:
        name, said = await events.next()
        if "errors" not in said:
            name, said = await events.next()

        assert events.response.status_code == 200
        assert (name, said["errors"][0]["extensions"]["code"]) == ("next", code)
        assert await events.next() == ("complete", None)


async def test_distinct_connection_when_nobody_is_authenticated_then_401_and_a_problem(server: Server) -> None:
    async with streamed(server, "POST", {"query": TICKS}) as events:
        assert events.response.status_code == 401
        assert events.response.headers["content-type"] == "application/problem+json"


async def test_get_when_it_has_a_query_then_it_streams_and_a_mutation_is_refused(server: Server) -> None:
    async with httpx.AsyncClient(headers={**EVENTS, **authorized(server)}) as client:
        answer = await client.get(server.http_url, params={"query": "subscription { three }"})
        refused = await client.get(server.http_url, params={"query": "mutation { count }"})

    assert answer.text.count("event: next") == 3
    assert "BAD_REQUEST" in refused.text
    assert server.rooms.counted == 0


@pytest.mark.settings(live_keep_alive_s=0.3)
async def test_stream_when_it_is_idle_then_comments_keep_it_alive(server: Server) -> None:
    async with streamed(server, "POST", {"query": TICKS}, **authorized(server)) as events:
        async with asyncio.timeout(5):
            seen = [await anext(events.lines) for _ in range(6)]

    assert seen == [":", ""] * 3


async def test_stream_when_its_token_expires_then_it_says_so_and_ends(server: Server) -> None:
    async with streamed(server, "POST", {"query": TICKS}, **authorized(server, lifetime=1)) as events:
        name, said = await events.next()

        assert (name, said["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert [await events.next(), await events.next()] == [("complete", None), ("end", None)]


async def reserved(server: Server, client: httpx.AsyncClient, **token: Any) -> str:
    answer = await client.put(server.http_url, headers=authorized(server, **token))
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/plain; charset=utf-8")
    return answer.text


async def started(server: Server, client: httpx.AsyncClient, stream: str, id: Any, query: str, *roles: str, **token: Any) -> httpx.Response:
    headers = {**authorized(server, *roles, **token), STREAM_TOKEN: stream, "accept": "application/graphql-response+json"}
    return await client.post(server.http_url, json={"query": query, "extensions": {"operationId": id}}, headers=headers)


async def test_single_connection_when_operations_run_then_their_results_come_on_the_one_stream(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        assert (await started(server, client, token, "early", "{ greeting }")).status_code == 202
        async with streamed(server, "GET", **{STREAM_TOKEN: token}) as events:
            assert await events.next() == ("next", {"id": "early", "payload": {"data": {"greeting": "hello you"}}})
            assert await events.next() == ("complete", {"id": "early"})
            for id in ("a", "b"):
                assert (await started(server, client, token, id, TICKS)).status_code == 202
            await server.settled(open=1)
            server.rooms.publish("one", 4)

            heard = [await events.next(), await events.next()]

            assert sorted(heard, key=str) == [("next", {"id": id, "payload": {"data": {"ticks": {"number": 4}}}}) for id in ("a", "b")]
            for id in ("a", "b", "unknown"):
                headers = {**authorized(server), STREAM_TOKEN: token}
                assert (await client.delete(f"{server.http_url}?operationId={id}", headers=headers)).status_code == 200
            await server.settled(open=0)


async def test_single_connection_when_the_client_goes_then_its_subscriptions_end(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        async with streamed(server, "GET", **{STREAM_TOKEN: token}):
            await started(server, client, token, "a", TICKS)
            await server.settled(open=1)
        await server.settled(open=0)

        assert (await started(server, client, token, "b", TICKS)).status_code == 404
    assert len(server.application._parts.live) == 0


async def test_single_connection_when_misused_then_each_mistake_has_its_status(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        async with streamed(server, "GET", **{STREAM_TOKEN: token}):
            await started(server, client, token, "a", TICKS)
            again = await client.get(server.http_url, headers={**EVENTS, STREAM_TOKEN: token})
            statuses = {
                "open already": again.status_code,
                "identifier in use": (await started(server, client, token, "a", TICKS)).status_code,
                "no identifier": (await started(server, client, token, None, TICKS)).status_code,
                "not valid": (await started(server, client, token, "c", "{ nothing }")).status_code,
                "no right": (await started(server, client, token, "d", 'subscription { edits(room: "r") { number } }')).status_code,
                "somebody else": (await started(server, client, token, "e", TICKS, subject="bob")).status_code,
                "unknown stream": (await started(server, client, "made up", "f", TICKS)).status_code,
                "nobody": (await client.put(server.http_url)).status_code,
                "no operation named": (
                    await client.delete(server.http_url, headers={**authorized(server), STREAM_TOKEN: token})
                ).status_code,
            }

    assert statuses == {
        "open already": 409,
        "identifier in use": 409,
        "no identifier": 400,
        "not valid": 400,
        "no right": 403,
        "somebody else": 403,
        "unknown stream": 404,
        "nobody": 401,
        "no operation named": 400,
    }


async def test_single_connection_when_opened_by_its_token_in_the_url_then_it_streams(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        async with client.stream("GET", f"{server.http_url}?token={token}", headers=EVENTS) as response:
            await started(server, client, token, "a", "{ greeting }")

            events = Events(response, response.aiter_lines())

            assert (await events.next())[0] == "next"


@pytest.mark.settings(live_init_timeout_s=0.2)
async def test_reservation_when_it_is_not_opened_in_time_then_it_is_forgotten_and_nothing_of_it_ran(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        assert (await started(server, client, token, "a", "mutation { count }")).status_code == 202
        async with asyncio.timeout(5):
            while len(server.application._parts.live):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert (await client.get(server.http_url, headers={**EVENTS, STREAM_TOKEN: token})).status_code == 404
        assert (await started(server, client, token, "b", "{ greeting }")).status_code == 404
    assert server.rooms.counted == 0


async def test_operations_when_their_stream_is_not_open_yet_then_they_are_checked_and_begin_with_it(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        statuses = [
            (await started(server, client, token, id, query)).status_code
            for id, query in [("a", "mutation { count }"), ("a", "{ greeting }"), ("b", "{ nothing }"), ("c", TICKS), ("d", TICKS)]
        ]
        forbidden = await started(server, client, token, "e", 'subscription { edits(room: "r") { number } }')
        headers = {**authorized(server), STREAM_TOKEN: token}
        assert (await client.delete(f"{server.http_url}?operationId=c", headers=headers)).status_code == 200
        assert (server.rooms.counted, server.rooms.open) == (0, 0)
        async with streamed(server, "GET", **{STREAM_TOKEN: token}) as events:
            await server.settled(open=1)
            server.rooms.publish("one", 1)

            assert (statuses, forbidden.status_code) == ([202, 409, 400, 202, 202], 403)
            assert [await events.next() for _ in range(3)] == [
                ("next", {"id": "a", "payload": {"data": {"count": 1}}}),
                ("complete", {"id": "a"}),
                ("next", {"id": "d", "payload": {"data": {"ticks": {"number": 1}}}}),
            ]


@pytest.mark.settings(live_operations_per_principal=1)
async def test_operation_when_it_is_one_too_many_once_its_stream_opens_then_the_stream_says_so(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        for id in ("a", "b"):
            assert (await started(server, client, token, id, TICKS)).status_code == 202
        async with streamed(server, "GET", **{STREAM_TOKEN: token}) as events:
            name, said = await events.next()

            assert (name, said["id"], said["payload"]["errors"][0]["extensions"]["code"]) == ("next", "b", "RATE_LIMITED")
            assert await events.next() == ("complete", {"id": "b"})


@pytest.mark.settings(live_max_message_kb=1)
async def test_operations_when_they_are_too_large_for_a_message_then_413(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        token = await reserved(server, client)
        sizes = [
            (await started(server, client, token, id, f"{{ greeting }} # {'x' * size}")).status_code
            for id, size in (("a", 1_000), ("b", 600), ("c", 600))
        ]
        async with streamed(server, "GET", **{STREAM_TOKEN: token}) as events:
            assert await events.next() == ("next", {"id": "b", "payload": {"data": {"greeting": "hello you"}}})
            assert (await started(server, client, token, "open", f"{{ greeting }} # {'x' * 600}")).status_code == 202

    # The last two are so only together.
    assert sizes == [413, 202, 413]


@pytest.mark.settings(live_connections_per_principal=2)
async def test_reservations_when_a_principal_has_too_many_then_429(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        await reserved(server, client)
        await reserved(server, client)

        assert (await client.put(server.http_url, headers=authorized(server))).status_code == 429
        assert (await client.put(server.http_url, headers=authorized(server, subject="bob"))).status_code == 201


@pytest.mark.settings(cors_allowed_origins=("https://portal.example",))
async def test_preflight_when_a_portal_asks_then_the_stream_methods_and_header_are_allowed(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.options(server.http_url, headers={"origin": "https://portal.example"})

    assert {"PUT", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert STREAM_TOKEN in answer.headers["access-control-allow-headers"]


@pytest.mark.settings(live_backlog_kb=100)
async def test_stream_when_its_client_does_not_read_then_it_ends_and_others_are_not_delayed(server: Server) -> None:
    query = 'subscription { t: log(room: "one") { number text } }'
    body = json.dumps({"query": query}).encode()
    reader, writer = await asyncio.open_connection(*server.address.split(":"), limit=1_000)
    head = f"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Accept: text/event-stream\r\nAuthorization: Bearer {server.token(subject='eve')}\r\n\r\n".encode() + body)
    async with server.client() as listener:
        await listener.subscribe("a", query)
        await server.settled(open=1)
        await asyncio.sleep(0.1)

        for number in range(400):
            server.rooms.publish("one", number, "x" * 20_000)
            assert (await listener.message(seconds=2))["payload"]["data"]["t"]["number"] == number

        assert len(server.application._parts.live) == 1
    async with asyncio.timeout(5):
        said = await reader.read()
    assert said.endswith(b"event: complete\ndata: \n\n\r\n0\r\n\r\n")
    assert b"RESYNC_REQUIRED" in said[-2_000:]
    writer.close()
