"""TC-06: several processes behind one port work as one: what one is told, the subscribers of all hear; one that dies is replaced."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import CITYGRAPH, clean_environment
from websockets.asyncio.client import ClientConnection, connect

from graph.auth.claims import ROLES
from graph.auth.demo_issuer import DemoIssuer
from tests.fakes.issuer import published_issuer
from tests.fakes.node import node_with
from tests.fakes.redis import Redis, running_redis

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="which worker has a connection is read from /proc")

CITY, START_SECONDS = "FI-HELSINKI", 90
LIVE = Path(__file__).parent / "live"
EVENTS = "subscription($model: ID!) { modelEvents(modelId: $model) { ... on ModelPatched { newVersion } } }"
CREATE = 'mutation { createModel(input: {name: "Bridge", content: {height: 1}}) { model { id version } } }'
PATCH = """mutation($id: ID!, $base: Int!, $patch: JSONPatch!) {
  patchModel(input: {id: $id, baseVersion: $base, patch: $patch}) { newVersion }
}"""
TICKET = "mutation($model: ID!) { requestRealtimeTicket(input: {modelId: $model}) { ticket } }"


@dataclass
class Workers:
    """`citygraph serve --workers 2`. Each request goes through a connection of its own, so that either worker may answer it."""

    process: "subprocess.Popen[str]"
    log: Path
    token: str

    @property
    def url(self) -> str:
        found = re.search(r"GraphQL at (http\S+)/graphql", self.log.read_text())
        assert found is not None
        return found[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def pids(self) -> set[int]:
        return workers_of(self.process.pid)

    async def ask(self, query: str, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(timeout=30) as client:
            answer = (await client.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, headers=headers)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def patch(self, model: str, base: int) -> None:
        await self.ask(PATCH, id=model, base=base, patch=[{"op": "replace", "path": "/height", "value": base + 1}])

    async def model(self) -> str:
        return str((await self.ask(CREATE))["createModel"]["model"]["id"])

    async def subscribed(self, model: str, **admission: str) -> ClientConnection:
        socket = await connect(f"ws://127.0.0.1:{self.port}/graphql", subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": admission or {"Authorization": f"Bearer {self.token}"}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": EVENTS, "variables": {"model": model}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        return socket


def workers_of(supervisor: int) -> set[int]:
    """Its children but for the one that only counts what processes share."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == supervisor and "resource_tracker" not in (stat.parent / "cmdline").read_text():
                found.add(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that have not ended; whether anybody asks how they did is not theirs to decide."""

    def state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "Z"

    return {pid for pid in pids if state(pid) != "Z"}


def connections(pid: int, port: int) -> int:
    """How many connections to the port a process has."""
    inodes: set[str] = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "01":
                inodes.add(f"socket:[{fields[9]}]")
    descriptors = Path(f"/proc/{pid}/fd")
    return sum(str(one.readlink()) in inodes for one in descriptors.iterdir() if one.is_symlink())


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoIssuer]:
    with published_issuer(tmp_path_factory.mktemp("issuer")) as made:
        yield made


@pytest.fixture(scope="module")
def redis(redis_installed: None) -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated city, which remembers its composed schema."""
    folder = tmp_path_factory.mktemp("city")
    environment = clean_environment(DATA_DIR=str(folder))
    subprocess.run([CITYGRAPH, "migrate"], env=environment, check=True, timeout=60, capture_output=True)
    return folder


def start(log: Path, data_dir: Path, issuer: DemoIssuer, redis: Redis) -> Workers:
    """Returns when it has said that it serves."""
    environment = clean_environment(REDIS_URL=redis.url, CITYGRAPH_ISSUER=issuer.url, DATA_DIR=str(data_dir))
    with log.open("w") as written:
        command = [str(CITYGRAPH), "serve", "--port", "0", "--workers", "2"]
        process = subprocess.Popen(command, env=environment, stdout=written, stderr=written, text=True, start_new_session=True)
    token = issuer.sign(subject="u1", tenant=CITY, roles=sorted(ROLES), audience="dt-dth-api", lifetime=600)
    wait_until(lambda: "GraphQL at" in log.read_text() or process.poll() is not None, START_SECONDS)
    assert process.poll() is None, log.read_text()[-3000:]
    return Workers(process, log, token)


def wait_until(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, data_dir: Path, issuer: DemoIssuer, redis: Redis) -> Iterator[Workers]:
    running = start(tmp_path_factory.mktemp("workers") / "log", data_dir, issuer, redis)
    yield running
    running.process.terminate()
    running.process.wait(30)


async def spread(workers: Workers, stack: AsyncExitStack, model: str) -> list[ClientConnection]:
    """Subscribers of which each worker has at least two."""
    sockets: list[ClientConnection] = []
    while len(sockets) < 8 or min(connections(pid, workers.port) for pid in workers.pids()) < 2:
        assert len(sockets) < 60, "one worker has all the connections"
        socket = await workers.subscribed(model)
        stack.push_async_callback(socket.close)
        sockets.append(socket)
    return sockets


async def versions(socket: ClientConnection, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(15):
        while len(found) < count:
            message = json.loads(await socket.recv())
            if message["type"] == "ping":
                await socket.send('{"type": "pong"}')
                continue
            assert message["type"] == "next", message
            # Who comes and goes is told as well.
            if patched := message["payload"]["data"]["modelEvents"]:
                found.append(patched["newVersion"])
    return found


async def test_subscribers_when_mutations_reach_either_worker_then_all_hear_all_in_order(workers: Workers) -> None:
    model = await workers.model()
    async with AsyncExitStack() as stack:
        sockets = await spread(workers, stack, model)
        await asyncio.sleep(1)

        for version in range(1, 11):
            await workers.patch(model, version)

        assert [await versions(socket, 10) for socket in sockets] == [list(range(2, 12))] * len(sockets)


async def test_tickets_when_issued_by_either_worker_then_redeemed_by_either_once(workers: Workers) -> None:
    model = await workers.model()
    async with AsyncExitStack() as stack:
        for _ in range(6):
            ticket = (await workers.ask(TICKET, model=model))["requestRealtimeTicket"]["ticket"]
            socket = await workers.subscribed(model, ticket=ticket)
            stack.push_async_callback(socket.close)

            again = await connect(f"ws://127.0.0.1:{workers.port}/graphql", subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
            await again.send(json.dumps({"type": "connection_init", "payload": {"ticket": ticket}}))
            await again.wait_closed()
            assert again.close_code == 4401


async def test_event_stream_when_each_request_comes_to_either_worker_then_all_is_as_with_one(workers: Workers) -> None:
    authorization = {"authorization": f"Bearer {workers.token}"}
    url, body = f"{workers.url}/graphql", {"query": "{ __typename }", "extensions": {"operationId": "a"}}
    statuses: Counter[tuple[int, ...]] = Counter()
    for _ in range(12):
        async with AsyncExitStack() as stack:
            # Each has one connection, which goes to any worker.
            reserving, opening, starting, stopping = [await stack.enter_async_context(httpx.AsyncClient(timeout=10)) for _ in range(4)]
            reserved = await reserving.put(url, headers=authorization)
            token = {"x-graphql-event-stream-token": reserved.text}
            stream = await stack.enter_async_context(opening.stream("GET", url, headers={"accept": "text/event-stream", **token}))
            started = await starting.post(url, json=body, headers={**authorization, **token})
            async with asyncio.timeout(10):
                lines = stream.aiter_lines()
                while not (line := await anext(lines)).startswith("data: "):
                    pass
            stopped = await stopping.delete(f"{url}?operationId=a", headers={**authorization, **token})
        statuses[reserved.status_code, stream.status_code, started.status_code, stopped.status_code] += 1
        assert json.loads(line[6:]) == {"id": "a", "payload": {"data": {"__typename": "Query"}}}

    assert statuses == {(201, 200, 202, 200): 12}


async def test_graphql_sse_when_its_connections_come_to_either_worker_then_each_client_hears_all(workers: Workers) -> None:
    model, clients, pipe = await workers.model(), 8, asyncio.subprocess.PIPE
    command = [node_with(LIVE), str(LIVE / "single_connection.mjs"), f"{workers.url}/graphql", workers.token, model, str(clients)]
    script = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert script.stdin is not None and script.stdout is not None
    heard: list[list[int]] = [[] for _ in range(clients)]
    version = 1
    try:
        async with asyncio.timeout(30):
            while not all(heard) or any(mine[-1] != version for mine in heard):
                if not all(heard):
                    await workers.patch(model, version)
                    version += 1
                while (line := await soon(script.stdout)) is not None:
                    client, event = json.loads(line)
                    heard[client] += [event["modelEvents"]["newVersion"]] if event["modelEvents"] else []
            script.stdin.write(b"that is all\n")
            ended = await script.stdout.readline()
    finally:
        script.kill()
        await script.wait()

    assert heard == [list(range(mine[0], version + 1)) for mine in heard]
    assert json.loads(ended) == ["complete"] * clients


async def soon(lines: asyncio.StreamReader) -> bytes | None:
    """A line that is there, or almost."""
    try:
        async with asyncio.timeout(0.2):
            return await lines.readline()
    except TimeoutError:
        return None


async def test_worker_when_killed_then_another_takes_its_place_and_the_port_answers_meanwhile(workers: Workers) -> None:
    model = await workers.model()
    async with AsyncExitStack() as stack, httpx.AsyncClient() as client:
        sockets = await spread(workers, stack, model)
        before = workers.pids()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)

        answered: Counter[int | str] = Counter()
        deadline = time.monotonic() + 60
        while len(workers.pids()) < 2 or answered[200] < 50:
            assert time.monotonic() < deadline
            try:
                health = await client.get(f"{workers.url}/api/v1/health", headers={"connection": "close"})
                answered[health.status_code] += 1
            except httpx.TransportError:
                # It had been given to the worker that was killed just then.
                answered["broken"] += 1
            await asyncio.sleep(0.02)

        assert (answered.keys() <= {200, "broken"}, answered["broken"] <= 2) == (True, True)
        assert len(workers.pids() - before) == 1
        await asyncio.sleep(0.2)
        kept = [socket for socket in sockets if socket.close_code is None]
        assert 0 < len(kept) < len(sockets)
        await workers.patch(model, 1)
        assert [await versions(socket, 1) for socket in kept] == [[2]] * len(kept)


async def test_workers_when_asked_to_stop_then_all_end_with_status_0_and_the_banner_came_once(
    tmp_path: Path, data_dir: Path, issuer: DemoIssuer, redis: Redis
) -> None:
    running = start(tmp_path / "log", data_dir, issuer, redis)
    model = await running.model()
    socket = await running.subscribed(model)
    pids = running.pids()
    began = time.monotonic()

    # As Ctrl-C does: the whole group hears it.
    os.killpg(running.process.pid, signal.SIGINT)

    assert await asyncio.to_thread(running.process.wait, 20) == 0
    assert time.monotonic() - began < 10
    await socket.wait_closed()
    assert socket.close_code == 1012
    assert alive(pids) == set()
    assert running.log.read_text().count("GraphQL at") == 1


def test_workers_when_their_supervisor_is_killed_then_they_end_too(
    tmp_path: Path, data_dir: Path, issuer: DemoIssuer, redis: Redis
) -> None:
    running = start(tmp_path / "log", data_dir, issuer, redis)
    pids = running.pids()
    assert len(pids) == 2

    running.process.kill()
    running.process.wait()

    wait_until(lambda: not alive(pids), 20)


def serve(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(CITYGRAPH), "serve", "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90, env=clean_environment(**environment))


def test_workers_when_they_would_share_nothing_then_the_command_says_what_is_missing(tmp_path: Path) -> None:
    done = serve("--workers", "2", CITYGRAPH_ISSUER="https://id.example", DATA_DIR=str(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("citygraph: 2 workers need REDIS_URL: ")


def test_workers_when_the_first_cannot_start_then_its_reason_and_status_are_the_commands(tmp_path: Path, redis: Redis) -> None:
    done = serve("--workers", "3", CITYGRAPH_ISSUER="https://id.example", DATA_DIR=str(tmp_path), REDIS_URL=redis.url)

    assert done.returncode == 2
    assert done.stderr.count("run `citygraph migrate`") == 1


def test_port_when_another_city_serves_it_then_it_is_not_shared(workers: Workers, tmp_path: Path, redis: Redis) -> None:
    done = serve(
        "--workers", "2", "--port", str(workers.port), CITYGRAPH_ISSUER="https://id.example", DATA_DIR=str(tmp_path), REDIS_URL=redis.url
    )

    assert (done.returncode, f"port {workers.port} on 127.0.0.1 is in use" in done.stderr) == (1, True)
