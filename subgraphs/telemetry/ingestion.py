"""The mutations that take points in, and what they answer."""

import asyncio
from typing import Any, TypeAlias

import strawberry

from graph.contracts import GlobalId
from graph.errors import NotFound
from graph.rights import Scope, any_of
from resolvers.telemetry import ingestion
from resolvers.telemetry.ingestion import Outcome
from subgraphs.arguments import given
from subgraphs.context import SliceContext
from subgraphs.scalars import Timestamp
from subgraphs.telemetry.inputs import IngestTelemetryInput, SubmitSimulatedTelemetryInput, gather_measured, gather_simulated
from subgraphs.telemetry.ports import ENTITIES, SCENARIOS
from subgraphs.values import Rejection

Info: TypeAlias = strawberry.Info[SliceContext, None]

INGEST = any_of(Scope.TELEMETRY_INGEST)
SIMULATE = any_of(Scope.TELEMETRY_SIMULATE)
_LISTED = "In the order of the input; of more than 1,000 the first ones found, while `rejectedPoints` counts all."

strawberry.enum(ingestion.IngestionStatus)


@strawberry.federation.type(requires_scopes=INGEST)
class IngestionResult:
    accepted_points: int
    rejected_points: int
    rejections: list[Rejection] = strawberry.field(description=_LISTED)
    ingestion_status: ingestion.IngestionStatus
    timestamp: Timestamp


@strawberry.federation.type(requires_scopes=SIMULATE)
class SubmitSimulatedTelemetryPayload:
    scenario_id: strawberry.ID
    entity_id: strawberry.ID
    accepted_points: int
    rejected_points: int
    rejections: list[Rejection] = strawberry.field(description=_LISTED)
    ingestion_status: ingestion.IngestionStatus
    timestamp: Timestamp


async def _ingest_telemetry(info: Info, input: IngestTelemetryInput) -> IngestionResult | None:
    context, sent = info.context, _as_sent(input)
    gathered = await asyncio.to_thread(gather_measured, sent, context.home_city)
    outcome = await ingestion.ingest(
        context.store,
        context.service(ENTITIES),
        tenant=context.tenant,
        batch=gathered.batch,
        told=gathered.told,
        now=context.now(),
        key=given(sent.get("idempotencyKey")),
    )
    return IngestionResult(
        accepted_points=outcome.accepted,
        rejected_points=outcome.rejected,
        rejections=_rejections(outcome),
        ingestion_status=outcome.status,
        timestamp=Timestamp(outcome.at),
    )


async def _submit_simulated_telemetry(info: Info, input: SubmitSimulatedTelemetryInput) -> SubmitSimulatedTelemetryPayload | None:
    context, sent = info.context, _as_sent(input)
    entity = _of_home(context, "object", sent["entityId"])
    scenario = _of_home(context, "scenario", sent["scenarioId"])
    gathered = await asyncio.to_thread(gather_simulated, sent, entity.uuid, scenario.uuid)
    outcome = await ingestion.submit(
        context.store,
        context.service(ENTITIES),
        context.service(SCENARIOS),
        tenant=context.tenant,
        entity=entity.uuid,
        scenario=scenario.uuid,
        batch=gathered.batch,
        told=gathered.told,
        now=context.now(),
        key=given(sent.get("idempotencyKey")),
    )
    return SubmitSimulatedTelemetryPayload(
        scenario_id=strawberry.ID(str(scenario)),
        entity_id=strawberry.ID(str(entity)),
        accepted_points=outcome.accepted,
        rejected_points=outcome.rejected,
        rejections=_rejections(outcome),
        ingestion_status=outcome.status,
        timestamp=Timestamp(outcome.at),
    )


def _as_sent(input: IngestTelemetryInput | SubmitSimulatedTelemetryInput) -> Any:
    """What these types hold at run time: the input's own dictionary."""
    return input


def _of_home(context: SliceContext, kind: str, text: str) -> GlobalId:
    """Raises `NotFound` for what is another city's."""
    named = GlobalId.parse(text, kind=kind, home_city=context.home_city)
    if named.city != context.home_city:
        raise NotFound(f"There is no {'scenario' if kind == 'scenario' else 'city object'} {str(named)!r} here")
    return named


def _rejections(outcome: Outcome) -> list[Rejection]:
    return [Rejection(pointer=one.pointer, code=one.code, message=one.message) for one in outcome.rejections]


@strawberry.type
class Mutation:
    ingest_telemetry: IngestionResult | None = strawberry.federation.field(
        resolver=_ingest_telemetry, requires_scopes=INGEST, description="Measured points. Role `dt_ingestor`."
    )
    submit_simulated_telemetry: SubmitSimulatedTelemetryPayload | None = strawberry.federation.field(
        resolver=_submit_simulated_telemetry, requires_scopes=SIMULATE, description="Simulated points of one scenario. Role `dt_simulator`."
    )
