"""A model that changes at a steady rate, those who follow it, and those who ask to follow it and then never read."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from tests.graph.server.live.streaming import PROTOCOL

CHUNK, COPIES = 2_000, 10
"""An event's patch has so many bytes, and its answer has it so many times: large for a client, small for the journal and the bus."""

CREATE = 'mutation { createModel(input: {name: "Bridge", content: {text: ""}}) { model { id } } }'
PATCH = """mutation ($id: ID!, $base: Int!, $patch: JSONPatch!) {
  patchModel(input: {id: $id, baseVersion: $base, patch: $patch}) { newVersion }
}"""
_PATCHES = " ".join(f"p{number}: patch" for number in range(COPIES))
EVENTS = f"subscription ($model: ID!) {{ modelEvents(modelId: $model) {{ ... on ModelPatched {{ newVersion {_PATCHES} }} }} }}"


def opening(token: str, model: str) -> tuple[str, str]:
    """What a follower says first. Identifiers are its own, as real clients make them up, so that no two have a frame in common."""
    subscribe = {"id": str(uuid4()), "type": "subscribe", "payload": {"query": EVENTS, "variables": {"model": model}}}
    return json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}), json.dumps(subscribe)


@dataclass
class Changing:
    """A model that somebody changes `rate` times a second. `sent` has for each version when its change was asked for."""

    url: str
    token: str
    rate: float
    id: str = ""
    sent: dict[int, float] = field(default_factory=dict)
    version: int = 1

    @asynccontextmanager
    async def created(self) -> AsyncIterator["Changing"]:
        async with httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=30) as client:
            self._client = client
            self.id = (await self._ask(CREATE))["createModel"]["model"]["id"]
            yield self

    async def change_for(self, seconds: float) -> tuple[int, int]:
        """The first version that was made meanwhile, and the one after the last."""
        now = asyncio.get_running_loop().time
        first, due = self.version + 1, now()
        end = due + seconds
        while due < end:
            await asyncio.sleep(due - now())
            self.sent[self.version + 1] = now()
            text = f"{self.version + 1:08}" * (CHUNK // 8)
            patch = [{"op": "replace", "path": "/text", "value": text}]
            answer = await self._ask(PATCH, id=self.id, base=self.version, patch=patch)
            self.version = answer["patchModel"]["newVersion"]
            due = max(due + 1 / self.rate, now())
        return first, self.version + 1

    async def _ask(self, query: str, **variables: Any) -> Any:
        answer = (await self._client.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        return answer["data"]


@dataclass
class Reader:
    """Reads as fast as events come. `late` has for each version how long it took from the request to here."""

    connection: ClientConnection
    versions: list[int] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    async def read(self, model: Changing) -> None:
        now = asyncio.get_running_loop().time
        while True:
            message = orjson.loads(await self.connection.recv())
            if message["type"] == "ping":
                await self.connection.send('{"type":"pong"}')
                continue
            assert message["type"] == "next", message
            if event := message["payload"]["data"]["modelEvents"]:  # who comes and goes is told as well
                self.versions.append(event["newVersion"])
                self.late.append(now() - model.sent[event["newVersion"]])


@asynccontextmanager
async def readers(model: Changing, tokens: Sequence[str], count: int) -> AsyncIterator[list[Reader]]:
    """So many who follow the model, in turn with these tokens. Ends with the fault of one that was cut off."""
    found: list[Reader] = []
    url = f"ws://{urlsplit(model.url).netloc}/graphql"
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            connection = await connect(
                url,
                subprotocols=[PROTOCOL],  # type: ignore[list-item]
                compression=None,
                ping_interval=None,
                max_size=None,
                proxy=None,
            )
            for message in opening(tokens[number % len(tokens)], model.id):
                await connection.send(message)
            assert json.loads(await connection.recv()) == {"type": "connection_ack"}
            found.append(Reader(connection))
        reading = [group.create_task(reader.read(model)) for reader in found]
        yield found
        for task in reading:
            task.cancel()
    await asyncio.gather(*(reader.connection.close() for reader in found))


class NeverReading:
    """A client that shakes hands, subscribes and never reads again. One that is `asking` goes on talking all the same."""

    def __init__(self, url: str, asking: bool) -> None:
        self._asking = asking
        self._protocol = ClientProtocol(parse_uri(f"ws://{urlsplit(url).netloc}/graphql"), subprotocols=[PROTOCOL])  # type: ignore[list-item]
        self._address = (urlsplit(url).hostname, urlsplit(url).port)
        self._socket = socket.socket()
        # Neither kernel is to take in its stead what it does not read: on the loopback's large segments the server's takes megabytes.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._socket.setblocking(False)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def subscribe(self, token: str, model: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        self._protocol.send_request(self._protocol.connect())
        await self._send()
        self._protocol.receive_data(await loop.sock_recv(self._socket, 4_096))
        assert self._protocol.handshake_exc is None
        for message in opening(token, model):
            await self._say(message)

    async def ask(self) -> None:
        """Something whose answer it will not read, if it is one that asks. Raises `OSError` where it has been cut off."""
        if self._asking:
            await self._say(json.dumps({"id": str(uuid4()), "type": "subscribe", "payload": {"query": "{ __typename }"}}))

    def close(self) -> None:
        self._socket.close()

    async def _say(self, message: str) -> None:
        self._protocol.send_text(message.encode())
        await self._send()

    async def _send(self) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, b"".join(self._protocol.data_to_send()))

    async def unread(self) -> list[Any]:
        """All that was sent to it, read after all; ends where nothing more comes, or the server has closed."""
        with suppress(TimeoutError, ConnectionError):
            while data := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 1 << 20), 0.5):
                self._protocol.receive_data(data)
        frames = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
        return [orjson.loads(frame.data) for frame in frames if frame.opcode is Opcode.TEXT]


@dataclass
class NeverReaders:
    """So many of them at all times: where the server has closed one, another comes. `came` counts them."""

    url: str
    token: str
    model: str
    count: int
    there: list[NeverReading] = field(default_factory=list)
    came: int = 0

    @asynccontextmanager
    async def present(self) -> AsyncIterator["NeverReaders"]:
        try:
            await self._fill()
            async with asyncio.TaskGroup() as group:
                self._watching = group.create_task(self._watch())
                yield self
                self._watching.cancel()
        finally:
            for one in self.there:
                one.close()

    async def unread(self) -> list[list[Any]]:
        """What each has not read. Nobody comes, or asks anything, from then on."""
        self._watching.cancel()
        return await asyncio.gather(*(one.unread() for one in self.there))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            held = ports_held(int(self.url.rpartition(":")[2]))
            for one in list(self.there):
                try:
                    await one.ask()
                except OSError:
                    held.discard(one.port)
                if one.port not in held:
                    one.close()
                    self.there.remove(one)
            await self._fill()

    async def _fill(self) -> None:
        while len(self.there) < self.count:
            one = NeverReading(self.url, asking=self.came % 2 == 0)
            await one.subscribe(self.token, self.model)
            self.there.append(one)
            self.came += 1


def ports_held(port: int) -> set[int]:
    """The clients' ports of connections that the server at that port has open.

    A client that does not read cannot know: the server's end of a connection comes after all that it has not read.
    """
    held: set[int] = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if state == "01" and int(local.rpartition(":")[2], 16) == port:
            held.add(int(remote.rpartition(":")[2], 16))
    return held


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None and sys.platform == "linux"
    return int(found[1]) * 1_024
