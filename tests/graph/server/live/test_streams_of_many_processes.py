"""Single connection mode behind a port that several processes answer: each request of a client may come to another of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from graph.auth.sealing import sealed_by
from graph.redis_client import redis_client
from graph.server.live.shared_reservations import PURPOSE, SharedReservations
from graph.server.live.sse import submitted
from graph.server.live.stream_messages import Done, Start, read_answer, write_question
from graph.server.messages import GraphQLRequest
from graph.subscriptions.peers import NoPeers, Question
from graph.subscriptions.redis_peers import RedisPeers
from tests.fakes.redis import Redis
from tests.graph.server.live.streaming import Server, live_server

TICKS = 'subscription { ticks(room: "one") { number } }'
STREAM_TOKEN = "x-graphql-event-stream-token"


@dataclass
class Stream:
    """What a server answers to whoever opens one."""

    status: int
    lines: AsyncIterator[str]

    async def events(self, count: int) -> list[str]:
        """The data of so many."""
        found: list[str] = []
        async with asyncio.timeout(5):
            while len(found) < count:
                line = await anext(self.lines)
                if line.startswith("data: "):
                    found.append(line.removeprefix("data: "))
        return found


@dataclass
class Client:
    """Chooses the server for each of its requests; all servers know its person."""

    http: httpx.AsyncClient
    subject: str = "ada"

    def headers(self, server: Server, token: str = "") -> dict[str, str]:
        sent = {"authorization": f"Bearer {server.token(subject=self.subject)}", "accept": "application/graphql-response+json"}
        return {**sent, STREAM_TOKEN: token} if token else sent

    async def reserve(self, server: Server) -> str:
        answer = await self.http.put(server.http_url, headers=self.headers(server))
        assert answer.status_code == 201, answer.text
        return answer.text

    async def start(self, server: Server, token: str, id: str, query: str, **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables, "extensions": {"operationId": id}}
        return await self.http.post(server.http_url, json=body, headers=self.headers(server, token))

    async def stop(self, server: Server, token: str, id: str) -> httpx.Response:
        return await self.http.delete(f"{server.http_url}?operationId={id}", headers=self.headers(server, token))

    @asynccontextmanager
    async def open(self, server: Server, token: str, **headers: str) -> AsyncIterator[Stream]:
        sent = {"accept": "text/event-stream", STREAM_TOKEN: token, **headers}
        async with self.http.stream("GET", server.http_url, headers=sent) as answer:
            yield Stream(answer.status_code, answer.aiter_lines())


@asynccontextmanager
async def processes(folder: Path, redis: Redis, number: int, **settings: Any) -> AsyncIterator[list[Server]]:
    """Servers that know of each other by Redis alone."""
    async with AsyncExitStack() as stack:
        made = [RedisPeers(redis_client(redis.url), "streams") for _ in range(number)]
        yield [await stack.enter_async_context(live_server(folder, peers=peers, **settings)) for peers in made]


@pytest.fixture
async def servers(tmp_path: Path, redis: Redis, request: pytest.FixtureRequest) -> AsyncIterator[list[Server]]:
    mark = request.node.get_closest_marker("settings")
    async with processes(tmp_path, redis, 3, **(mark.kwargs if mark else {})) as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield Client(http)


async def test_stream_when_each_request_comes_to_another_process_then_it_is_as_with_one(servers: list[Server], client: Client) -> None:
    first, second, third = servers
    token = await client.reserve(first)
    async with client.open(second, token) as stream:
        started = [(await client.start(server, token, id, TICKS)).status_code for server, id in zip(servers, "abc", strict=True)]
        await second.settled(open=1)
        stopped = [(await client.stop(first, token, "a")).status_code, (await client.stop(third, token, "c")).status_code]
        second.rooms.publish("one", 7)

        assert (stream.status, started, stopped) == (200, [202] * 3, [200] * 2)
        assert await stream.events(1) == ['{"id":"b","payload":{"data":{"ticks":{"number":7}}}}']
        assert [len(server.application._parts.live) for server in servers] == [0, 1, 0]
        assert (first.rooms.open, third.rooms.open) == (0, 0)

    await second.settled(open=0)
    assert [(await client.start(server, token, "d", TICKS)).status_code for server in servers] == [404] * 3


async def test_operation_when_it_is_refused_elsewhere_then_the_answer_is_the_same(servers: list[Server], client: Client) -> None:
    first, second, _ = servers
    token = await client.reserve(first)
    bob = Client(client.http, "bob")
    async with client.open(second, token):
        assert (await client.start(second, token, "a", TICKS)).status_code == 202
        answers = {
            "identifier in use": [await client.start(server, token, "a", TICKS) for server in servers],
            "not valid": [await client.start(server, token, "b", "{ nothing }") for server in servers],
            "no right": [await client.start(server, token, "c", 'subscription { edits(room: "r") { number } }') for server in servers],
            "somebody else's": [await bob.start(server, token, "d", TICKS) for server in servers],
            "stopped by somebody else": [await bob.stop(server, token, "a") for server in servers],
            "unknown": [await client.start(server, "x" * 43, "e", TICKS) for server in servers],
            "no token": [await client.start(server, "made up", "e", TICKS) for server in servers],
            "unknown operation": [await client.stop(server, token, "f") for server in servers],
        }

    statuses = {case: {answer.status_code for answer in those} for case, those in answers.items()}
    assert statuses == {
        "identifier in use": {409},
        "not valid": {400},
        "no right": {403},
        "somebody else's": {403},
        "stopped by somebody else": {403},
        "unknown": {404},
        "no token": {404},
        "unknown operation": {200},
    }
    for refused in ("identifier in use", "not valid", "no right"):
        messages = {answer.json()["errors"][0]["message"] for answer in answers[refused]}
        assert len(messages) == 1, messages


@pytest.mark.settings(live_operations_per_connection=1)
async def test_operation_when_it_is_one_too_many_at_the_stream_then_429_wherever_it_is_sent(servers: list[Server], client: Client) -> None:
    token = await client.reserve(servers[0])
    async with client.open(servers[1], token):
        assert (await client.start(servers[2], token, "a", TICKS)).status_code == 202

        assert [(await client.start(server, token, "b", TICKS)).status_code for server in servers] == [429] * 3


async def test_stream_when_many_open_it_at_once_then_one_has_it(servers: list[Server], client: Client) -> None:
    for _ in range(5):
        token = await client.reserve(servers[0])
        async with AsyncExitStack() as stack:
            opened = await asyncio.gather(*(stack.enter_async_context(client.open(server, token)) for server in servers for _ in range(2)))

            assert sorted(stream.status for stream in opened) == [200, *[409] * 5]
            assert sum(len(server.application._parts.live) for server in servers) == 1


async def test_stream_when_somebody_else_opens_it_then_403_and_it_waits_for_its_owner(servers: list[Server], client: Client) -> None:
    token = await client.reserve(servers[0])
    bob = f"Bearer {servers[1].token(subject='bob')}"
    async with client.open(servers[1], token, authorization=bob) as refused, client.open(servers[2], token) as stream:
        assert (refused.status, stream.status) == (403, 200)


async def test_operations_when_they_come_before_the_stream_is_open_then_they_move_with_it(servers: list[Server], client: Client) -> None:
    first, second, third = servers
    token = await client.reserve(first)
    query = "query ($name: String!) { greeting(name: $name) }"
    assert (await client.start(third, token, "a", query, name="Åsa")).status_code == 202
    assert (await client.start(second, token, "b", "{ nothing }")).status_code == 400
    assert (await client.start(second, token, "c", "mutation { count }")).status_code == 202
    assert (await client.stop(second, token, "c")).status_code == 200
    assert (await client.start(first, token, "d", TICKS)).status_code == 202

    async with client.open(second, token) as stream:
        await second.settled(open=1)
        second.rooms.publish("one", 1)

        assert await stream.events(3) == [
            '{"id":"a","payload":{"data":{"greeting":"hello Åsa"}}}',
            '{"id":"a"}',
            '{"id":"d","payload":{"data":{"ticks":{"number":1}}}}',
        ]
    assert [(server.rooms.counted, server.rooms.open) for server in (first, third)] == [(0, 0)] * 2


async def test_operations_when_they_come_while_the_stream_moves_then_none_is_lost_or_refused(servers: list[Server], client: Client) -> None:
    for _ in range(3):
        token = await client.reserve(servers[0])

        async def start(number: int, token: str = token) -> int:
            await asyncio.sleep(number / 2_000)
            return (await client.start(servers[number % 3], token, str(number), "{ greeting }")).status_code

        starting = [asyncio.create_task(start(number)) for number in range(30)]
        async with client.open(servers[1], token) as stream:
            said = await stream.events(60)
            assert await asyncio.gather(*starting) == [202] * 30

        assert {line for line in said if "payload" not in line} == {f'{{"id":"{number}"}}' for number in range(30)}


async def test_operation_when_the_stream_moves_before_it_is_begun_then_it_is_begun_where_the_stream_is(
    servers: list[Server], client: Client
) -> None:
    first, second, _ = servers
    token = await client.reserve(first)
    caller = await first.application._parts.live.admission.admit({}, client.headers(first))
    request = GraphQLRequest("{ greeting }", {}, None, {"operationId": "a"})
    seal = sealed_by(token, PURPOSE)
    question = Question(write_question(Start(submitted(caller, request, 1_000)), seal), own=False)
    reservations = first.application._streams._reservations
    assert isinstance(reservations, SharedReservations)
    answer = reservations._hear(token, seal, question)
    assert answer is not None
    async with client.open(second, token) as stream:
        told = read_answer(await answer, seal)

        assert told == Done()
        assert await stream.events(2) == ['{"id":"a","payload":{"data":{"greeting":"hello you"}}}', '{"id":"a"}']


@pytest.mark.settings(live_init_timeout_s=0.2)
async def test_reservation_when_it_is_not_opened_in_time_then_no_process_knows_it(servers: list[Server], client: Client) -> None:
    token = await client.reserve(servers[0])
    async with asyncio.timeout(5):
        while len(servers[0].application._parts.live):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    for server in servers:
        async with client.open(server, token) as refused:
            assert refused.status == 404


@pytest.mark.settings(live_connections_per_principal=1)
async def test_stream_when_its_new_process_has_no_room_for_the_principal_then_429_and_it_is_over(
    servers: list[Server], client: Client
) -> None:
    token, other = await client.reserve(servers[0]), await client.reserve(servers[1])
    async with client.open(servers[1], token) as refused, client.open(servers[1], other) as stream:
        assert (refused.status, stream.status) == (429, 200)
    assert (await client.start(servers[0], token, "a", TICKS)).status_code == 404


async def test_stream_when_its_process_dies_then_others_say_404_soon(tmp_path: Path, redis: Redis, client: Client) -> None:
    async with processes(tmp_path, redis, 2) as (first, second):
        token = await client.reserve(first)
        async with client.open(first, token):
            peers = first.application._parts.peers
            assert peers is not None
            await peers.close()

            async with asyncio.timeout(1):
                assert (await client.start(second, token, "a", TICKS)).status_code == 404


async def test_redis_when_it_goes_then_503_soon_and_streams_go_on_and_are_found_again_when_it_comes_back(
    tmp_path: Path, redis: Redis, client: Client
) -> None:
    async with processes(tmp_path, redis, 2) as (first, second):
        token = await client.reserve(first)
        async with client.open(second, token) as stream:
            assert (await client.start(first, token, "a", TICKS)).status_code == 202
            redis.kill()
            async with asyncio.timeout(6):
                away = [
                    await client.start(first, token, "b", TICKS),
                    await client.http.put(first.http_url, headers=client.headers(first)),
                ]
                at_the_stream = await client.start(second, token, "b", "{ greeting }")
            second.rooms.publish("one", 1)

            assert [answer.json()["code"] for answer in away] == ["UNAVAILABLE"] * 2
            assert "Redis" in away[0].json()["detail"]
            assert at_the_stream.status_code == 202
            assert len(await stream.events(3)) == 3

            redis.start()
            statuses: set[int] = set()
            async with asyncio.timeout(8):
                while 200 not in statuses:
                    statuses.add((await client.stop(first, token, "a")).status_code)
                    await asyncio.sleep(0.01)
            assert statuses <= {200, 503}


async def test_redis_when_it_is_listened_to_then_it_has_no_token_of_anybody(tmp_path: Path, redis: Redis, client: Client) -> None:
    listening = redis_client(redis.url)
    async with processes(tmp_path, redis, 2) as (first, second), listening.pubsub() as pubsub:
        await pubsub.psubscribe("*")
        client = Client(client.http, "somebody-in-particular")
        token = await client.reserve(first)
        async with client.open(second, token):
            await client.start(first, token, "a", "{ greeting }")
        heard: list[str] = []
        while (message := await pubsub.get_message(timeout=0.2)) is not None:
            heard += [str(message["channel"]), str(message["data"])]
    await listening.aclose()

    said = "\n".join(heard)
    assert said.count("streams:questions:") >= 2
    assert not [secret for secret in (token, "Bearer ", "greeting", "somebody-in-particular") if secret in said]


async def test_reservation_when_processes_have_no_place_to_meet_then_503_says_what_is_missing(tmp_path: Path, client: Client) -> None:
    async with live_server(tmp_path, peers=NoPeers()) as server:
        refused = await client.http.put(server.http_url, headers=client.headers(server))

        assert (refused.status_code, "REDIS_URL" in refused.json()["detail"]) == (503, True)
        assert (await client.start(server, "x" * 43, "a", TICKS)).status_code == 404
        assert len(server.application._parts.live) == 0
