"""A small federation with subscriptions, on a real socket, with an issuer whose tokens it believes; and a client of bare WebSockets."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from graphql import build_schema
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from graph.auth.demo_issuer import DemoIssuer, open_issuer
from graph.auth.tickets import MemoryTickets, Tickets
from graph.composing import composed
from graph.config import Settings
from graph.contracts import Principal, SubgraphSDL
from graph.engine import Federation, Surroundings, build_application, demo_tokens
from graph.errors import Conflict
from graph.executor.transports.in_process import InProcessTransport
from graph.planner.normalize.operation import Field, Operation
from graph.server.application import Application
from graph.server.run import Serving, configured, listen
from graph.subscriptions.peers import Peers

PROTOCOL = "graphql-transport-ws"
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes", "@authenticated"])'
TYPES = """
type Query { greeting(name: String! = "you"): String!  slow(seconds: Float!): String!  big(bytes: Int!): String! }
type Mutation { count: Int! }
type Tick { number: Int! text: String! model: String%s }
type Subscription {
  ticks(room: String!): Tick!
  log(room: String!, after: String): Tick!
  modelEvents(modelId: ID!, sinceVersion: Int, after: String): Tick!
  edits(room: String!): Tick!%s
  past(events: Int!, bytes: Int!): Tick!
  fails: Int!
  three: Int!
}
"""
SDL = LINK + TYPES % (' @requiresScopes(scopes: [["models:write"]])', ' @requiresScopes(scopes: [["models:write"]])')


class Rooms:
    """The subgraph: what is published in a room is heard by its subscribers. `open` counts these."""

    def __init__(self) -> None:
        self.queues: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)
        self.counted = self.opened = 0
        self.finished: list[str] = []

    @property
    def open(self) -> int:
        return sum(map(len, self.queues.values()))

    def publish(self, room: str, number: int, text: str = "") -> None:
        for queue in self.queues[room]:
            queue.put_nowait({"number": number, "text": text, "model": "m"})

    async def hear(self, field: str, room: str) -> AsyncGenerator[dict[str, Any], None]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.queues[room].add(queue)
        self.opened += 1
        try:
            while True:
                yield {field: await queue.get()}
        finally:
            self.queues[room].discard(queue)

    async def slow(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        self.finished.append("slow")
        return "done"

    async def fails(self) -> AsyncGenerator[dict[str, Any], None]:
        yield {"fails": 1}
        raise Conflict("that was all", extensions={"currentVersion": 7})

    async def three(self) -> AsyncGenerator[dict[str, Any], None]:
        for number in (1, 2, 3):
            yield {"three": number}

    async def past(self, events: int, bytes: int) -> AsyncGenerator[dict[str, Any], None]:
        for number in range(events):
            yield {"past": {"number": number, "text": "x" * bytes, "model": "m"}}

    def count(self) -> int:
        self.counted += 1
        return self.counted

    def transport(self) -> InProcessTransport:
        schema = build_schema(TYPES % ("", ""))
        query, mutation, subscription = schema.query_type, schema.mutation_type, schema.subscription_type
        assert query is not None and mutation is not None and subscription is not None
        query.fields["greeting"].resolve = lambda _root, _info, name: f"hello {name}"
        query.fields["slow"].resolve = lambda _root, _info, seconds: self.slow(seconds)
        query.fields["big"].resolve = lambda _root, _info, bytes: "x" * bytes
        mutation.fields["count"].resolve = lambda _root, _info: self.count()
        fields = subscription.fields
        for name in ("ticks", "log", "edits"):
            fields[name].subscribe = lambda _root, _info, room, after=None, name=name: self.hear(name, room)
        fields["modelEvents"].subscribe = lambda _root, _info, modelId, **_: self.hear("modelEvents", modelId)  # noqa: N803
        fields["past"].subscribe = lambda _root, _info, events, bytes: self.past(events, bytes)
        fields["fails"].subscribe = lambda _root, _info: self.fails()
        fields["three"].subscribe = lambda _root, _info: self.three()
        return InProcessTransport(schema, lambda context: context)


@dataclass
class Presence:
    """What `modelEvents` is about is its argument; who is there is kept."""

    there: list[tuple[str, str]] = field(default_factory=list)

    def of(self, operation: Operation, variables: Mapping[str, Any]) -> str | None:
        for one in operation.selections:
            if isinstance(one, Field) and one.name == "modelEvents":
                printed = dict(one.arguments)["modelId"]
                return str(variables[printed[1:]]) if printed.startswith("$") else str(json.loads(printed))
        return None

    def joined(self, principal: Principal, topic: str) -> None:
        self.there.append((principal.subject, topic))

    def left(self, principal: Principal, topic: str) -> None:
        self.there.remove((principal.subject, topic))


@dataclass
class Server:
    """What a test looks into. `address` is host and port."""

    application: Application
    rooms: Rooms
    presence: Presence
    tickets: Tickets
    issuer: DemoIssuer
    federation: Federation
    settings: Settings
    around: Surroundings
    address: str = ""

    @property
    def url(self) -> str:
        return f"ws://{self.address}/graphql"

    @property
    def http_url(self) -> str:
        return f"http://{self.address}/graphql"

    def token(self, *roles: str, subject: str = "ada", lifetime: int = 60, tenant: str = "T") -> str:
        return self.issuer.sign(subject=subject, tenant=tenant, roles=roles, audience="dt-dth-api", lifetime=lifetime)

    @asynccontextmanager
    async def client(self, *roles: str, payload: Mapping[str, Any] | None = None, **token: Any) -> AsyncIterator["Client"]:
        """A client that has been acknowledged."""
        async with self.socket() as client:
            await client.send(type="connection_init", payload=payload or {"Authorization": f"Bearer {self.token(*roles, **token)}"})
            assert await client.message() == {"type": "connection_ack"}
            yield client

    @asynccontextmanager
    async def socket(self, *subprotocols: str, **options: Any) -> AsyncIterator["Client"]:
        options = {"ping_interval": None, "proxy": None, "max_size": None, **options}
        async with connect(self.url, subprotocols=subprotocols or [PROTOCOL], **options) as socket:  # type: ignore[arg-type]
            yield Client(socket)

    async def settled(self, *, open: int) -> None:
        """Until so many subscriptions run at the subgraph."""
        async with asyncio.timeout(5):
            while self.rooms.open != open:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@dataclass
class Client:
    """A WebSocket, and what is said on it."""

    socket: ClientConnection

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def subscribe(self, id: str, query: str, **variables: Any) -> None:
        await self.send(type="subscribe", id=id, payload={"query": query, "variables": variables})

    async def message(self, seconds: float = 5) -> Any:
        """The next message that is no `ping`."""
        async with asyncio.timeout(seconds):
            while (message := json.loads(await self.socket.recv()))["type"] == "ping":
                pass
            return message

    async def answer(self, id: str, query: str, **variables: Any) -> Any:
        """The payload of a query's `next` or `error`."""
        await self.subscribe(id, query, **variables)
        message = await self.message()
        assert message["id"] == id
        if message["type"] == "next":
            assert await self.message() == {"type": "complete", "id": id}
        return message["payload"]

    async def close_code(self, seconds: float = 5) -> tuple[int | None, str | None]:
        """Why the server closes."""
        async with asyncio.timeout(seconds):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code, self.socket.close_reason


def assembled(folder: Path, *, tickets: Tickets | None = None, peers: Peers | None = None, **settings: Any) -> Server:
    """Everything but the socket."""
    rooms, presence, tickets = Rooms(), Presence(), tickets or MemoryTickets(30_000)
    issuer = open_issuer(folder / "issuer.json", "http://127.0.0.1:1")
    configuration = Settings(**settings)
    federation = Federation(composed([SubgraphSDL("rooms", None, SDL)]), {"rooms": rooms.transport()})
    closing = () if peers is None else (peers.close,)
    around = Surroundings("a test", demo_tokens(configuration, issuer), tickets=tickets, topics=presence, peers=peers, on_close=closing)
    return Server(build_application(configuration, federation, around), rooms, presence, tickets, issuer, federation, configuration, around)


@asynccontextmanager
async def live_server(
    folder: Path, *, tickets: Tickets | None = None, peers: Peers | None = None, **settings: Any
) -> AsyncIterator[Server]:
    server = assembled(folder, tickets=tickets, peers=peers, **settings)
    serving = Serving(0, 5, server.settings.live_max_message_kb * 1_000)
    running = uvicorn.Server(configured(server.application, serving))
    with listen("127.0.0.1", 0) as listener:
        task = asyncio.create_task(running.serve(sockets=[listener]))
        while not running.started:
            assert not task.done(), "the server did not start"
            await asyncio.sleep(0.005)
        server.address = f"127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield server
        finally:
            await server.application.drain(1)
            running.should_exit = True
            await task
