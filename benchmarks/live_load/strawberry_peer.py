"""What a Python team would have without a gateway: `telemetryReceived` by Strawberry's own handler, on the same server software.

Its types and its subscription are a city's, so that the same document asks for the same answer. It has neither tokens nor a store:
readings are posted as they are, and handed to whoever listens. Messages are encoded and decoded by orjson, as a careful team would have it.
Loaded by `uvicorn live_load.strawberry_peer:app`.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator
from enum import Enum

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

Timestamp = type("Timestamp", (int,), {})


@strawberry.enum
class TelemetrySource(Enum):
    REAL = "REAL"


@strawberry.type
class TelemetryPoint:
    timestamp: Timestamp  # type: ignore[valid-type]
    key: str
    value: JSON
    unit: str
    source: TelemetrySource


@strawberry.type
class TelemetryReceived:
    cursor: str
    entity_id: strawberry.ID
    points: list[TelemetryPoint]


class Hub:
    """Who listens for which entity."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[asyncio.Queue[TelemetryReceived]]] = defaultdict(set)
        self._told = 0
        self._life = secrets.token_hex(22)

    def tell(self, entity: str, point: TelemetryPoint) -> None:
        self._told += 1
        received = TelemetryReceived(cursor=f"{self._life}-{self._told}", entity_id=strawberry.ID(entity), points=[point])
        for queue in self._listeners[entity]:
            queue.put_nowait(received)

    async def listen(self, entities: list[strawberry.ID]) -> AsyncGenerator[TelemetryReceived, None]:
        queue: asyncio.Queue[TelemetryReceived] = asyncio.Queue()
        for entity in entities:
            self._listeners[entity].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            for entity in entities:
                self._listeners[entity].discard(queue)


hub = Hub()


@strawberry.type
class Query:
    @strawberry.field
    def listens(self) -> bool:
        return True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def telemetry_received(self, entity_ids: list[strawberry.ID], min_interval_ms: int) -> AsyncGenerator[TelemetryReceived, None]:
        async for received in hub.listen(entity_ids):
            yield received


class OrjsonGraphQL(GraphQL[None, None]):
    def encode_json(self, data: object) -> str:  # a text frame wants text
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)


async def ingest(request: Request) -> Response:
    """`[{"entityId": …, "point": {…}}]`."""
    for reading in orjson.loads(await request.body()):
        point = reading["point"]
        hub.tell(reading["entityId"], TelemetryPoint(**point, source=TelemetrySource.REAL))
    return Response(status_code=204)


schema = strawberry.Schema(
    Query,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map={Timestamp: strawberry.scalar(name="Timestamp", serialize=int, parse_value=int)}),
)
app = Starlette(routes=[Route("/ingest", ingest, methods=["POST"]), Mount("/", OrjsonGraphQL(schema))])
