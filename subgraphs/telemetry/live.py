"""Telemetry's live events: new points of the entities that a dashboard shows."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput, NotFound
from resolvers.telemetry import queries
from resolvers.telemetry.live import Received, received
from subgraphs.arguments import given
from subgraphs.context import SliceContext
from subgraphs.subscriptions import read_cursor, write_cursor
from subgraphs.telemetry.asking import Info, series_filter
from subgraphs.telemetry.ports import ENTITIES
from subgraphs.telemetry.types import READ, TelemetryPoint, TelemetrySourceFilter, point

FIELD = "telemetryReceived"
MAX_ENTITIES = 1_000
MIN_INTERVAL_MS = 100
MAX_INTERVAL_MS = 60_000


def _points(root: "TelemetryReceived", info: Info) -> list[TelemetryPoint]:
    return [point(found, info.context.home_city) for found in root.received.points]


@strawberry.federation.type(requires_scopes=READ)
class TelemetryReceived:
    received: strawberry.Private[Received]

    cursor: str
    entity_id: strawberry.ID
    points: list[TelemetryPoint] = strawberry.field(resolver=_points)


async def _telemetry_received(
    info: Info,
    entity_ids: list[strawberry.ID],
    keys: list[str] | None = UNSET,
    source: TelemetrySourceFilter = TelemetrySourceFilter.BOTH,
    scenario_id: strawberry.ID | None = UNSET,
    min_interval_ms: int | None = UNSET,
    after: str | None = UNSET,
) -> AsyncGenerator[TelemetryReceived, None]:
    context = info.context
    wanted = queries.latest(given(keys), series_filter(context, source, scenario_id))
    interval = given(min_interval_ms)
    if interval is not None and not 0 <= interval <= MAX_INTERVAL_MS:
        raise BadUserInput(f"minIntervalMs is {interval}: expected 0 to {MAX_INTERVAL_MS:,}")
    cursor = given(after)
    start = None if cursor is None else read_cursor(FIELD, cursor)
    entities = await _known_entities(context, entity_ids)
    new = received(context.events, context.tenant, entities, wanted, MIN_INTERVAL_MS if interval is None else interval, start)
    async with aclosing(new) as told:
        async for it in told:
            id = strawberry.ID(str(GlobalId(context.home_city, "object", it.entity)))
            yield TelemetryReceived(received=it, cursor=write_cursor(FIELD, it.position), entity_id=id)


async def _known_entities(context: SliceContext, entity_ids: list[strawberry.ID]) -> list[UUID]:
    """Raises `NotFound` for the first that the tenant does not have in this city."""
    if len(entity_ids) > MAX_ENTITIES:
        raise BadUserInput(f"entityIds names {len(entity_ids):,} entities: expected at most {MAX_ENTITIES:,}")
    named = list(dict.fromkeys(GlobalId.parse(id, kind="object", home_city=context.home_city) for id in entity_ids))
    known = await context.service(ENTITIES).existing(context.tenant, [entity.uuid for entity in named])
    for entity in named:
        if entity.city != context.home_city or entity.uuid not in known:
            raise NotFound(f"There is no city object {str(entity)!r}")
    return [entity.uuid for entity in named]


@strawberry.type
class Subscription:
    telemetry_received: AsyncGenerator[TelemetryReceived, None] = strawberry.federation.field(
        resolver=_telemetry_received,
        is_subscription=True,
        requires_scopes=READ,
        description="New points of the named entities. Points that arrive within `minIntervalMs` (100 where absent) come as one event.",
    )
