"""Subgraphs with event streams that do as each test says, well or badly; and what a test does with streams."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from graph.contracts import OperationKind, SubgraphRequest, SubgraphResponse
from graph.errors import CityGraphError
from graph.executor.transports.upstream import Upstream
from graph.executor.transports.upstream_backoff import Backoff
from graph.federation_config import Subscriptions

TRANSPORT_WS = "graphql-transport-ws"


async def until(condition: Callable[[], bool]) -> None:
    """Waits for it, for five seconds at most."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


def subscription(document: str = "subscription { n }", **variables: Any) -> SubgraphRequest:
    return SubgraphRequest(document, variables, OperationKind.SUBSCRIPTION)


@asynccontextmanager
async def following(url: str, **settings: Any) -> AsyncIterator[Upstream]:
    """The streams of a subgraph called `readings`, that tries again after some hundredths of a second."""
    upstream = Upstream("readings", url, Subscriptions(**settings), backoff=Backoff(delays=(0.02, 0.05)))
    try:
        yield upstream
    finally:
        await upstream.close()


@dataclass
class Followed:
    """What one subscription has brought so far, and how it ended: `complete`, or the error."""

    values: list[Any] = field(default_factory=list)
    responses: list[SubgraphResponse] = field(default_factory=list)
    error: CityGraphError | None = None
    complete: bool = False

    async def has(self, count: int) -> None:
        await until(lambda: len(self.values) >= count)


async def follow(
    upstream: Upstream, request: SubgraphRequest | None = None, headers: dict[str, str] | None = None, *, into: Followed | None = None
) -> Followed:
    """Until the end of the stream."""
    followed = into or Followed()
    try:
        async with aclosing(upstream.events(request or subscription(), headers or {}, {"x-request-id": "r-1"})) as responses:
            async for response in responses:
                followed.responses.append(response)
                followed.values.append(response.data["n"] if isinstance(response.data, dict) and "n" in response.data else response.data)
        followed.complete = True
    except CityGraphError as error:
        followed.error = error
    return followed


@dataclass
class Peer:
    """The server's end of one connection, acknowledged; `subscribed` are the identifiers in their order."""

    socket: ServerConnection
    init: dict[str, Any]
    subscribed: list[str] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        assert self.socket.request is not None
        return {name.lower(): value for name, value in self.socket.request.headers.raw_items()}

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        self.heard.append(message)
        if message["type"] == "subscribe":
            self.subscribed.append(message["id"])
        return message

    async def next_subscription(self) -> str:
        while (message := await self.hear())["type"] != "subscribe":
            pass
        return str(message["id"])

    async def next(self, id: str, value: Any) -> None:
        await self.say(id=id, type="next", payload={"data": {"n": value}})

    async def until_closed(self) -> None:
        while True:
            await self.hear()


@dataclass
class WebSocketUpstream:
    """`peers` are the connections that got as far as the acknowledgement, in their order; `open` those of them that are open."""

    url: str = ""
    peers: list[Peer] = field(default_factory=list)
    open: int = 0
    upgrades: int = 0

    async def has_open(self, count: int) -> None:
        await until(lambda: self.open == count)


Handle = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def websocket_upstream(
    handle: Handle,
    *,
    raw: Callable[[ServerConnection], Awaitable[None]] | None = None,
    tls: ssl.SSLContext | None = None,
    path: Path | None = None,
    port: int = 0,
    **options: Any,
) -> AsyncIterator[WebSocketUpstream]:
    """`handle` gets each connection after `connection_init`; with `raw`, that gets it before, and `handle` none."""
    upstream = WebSocketUpstream()

    async def connected(socket: ServerConnection) -> None:
        upstream.upgrades += 1
        try:
            if raw is not None:
                await raw(socket)
                return
            init = json.loads(await socket.recv())
            assert init["type"] == "connection_init"
            await socket.send('{"type":"connection_ack"}')
            peer = Peer(socket, init)
            upstream.peers.append(peer)
            upstream.open += 1
            try:
                await handle(peer)
            finally:
                upstream.open -= 1
        except ConnectionClosed:
            pass

    options = {"subprotocols": [Subprotocol(TRANSPORT_WS)], "compression": None, "close_timeout": 0.2, **options}
    if path is not None:
        async with unix_serve(connected, str(path), **options):
            yield upstream
    else:
        async with serve(connected, "127.0.0.1", port, ssl=tls, **options) as server:
            upstream.url = f"{'https' if tls else 'http'}://localhost:{next(iter(server.sockets)).getsockname()[1]}/graphql"
            yield upstream
