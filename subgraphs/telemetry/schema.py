"""The subgraph `telemetry`: points as they are measured and simulated, asked for and taken in."""

from functools import cache

import strawberry
from strawberry import UNSET

from subgraphs.federation import FederationSchema
from subgraphs.scalars import Long, Timestamp
from subgraphs.telemetry.asking import Info, known_entity, result, series_filter, window
from subgraphs.telemetry.comparison import ScenarioComparison, compare_scenarios
from subgraphs.telemetry.entities import CityObject, Scenario
from subgraphs.telemetry.ingestion import Mutation
from subgraphs.telemetry.inputs import WHOLE_INPUTS
from subgraphs.telemetry.live import Subscription
from subgraphs.telemetry.ports import ENTITIES, SCENARIOS
from subgraphs.telemetry.types import READ, Aggregation, TelemetryResult, TelemetrySourceFilter

__all__ = ["ENTITIES", "SCENARIOS", "build"]


async def _telemetry(
    info: Info,
    entity_id: strawberry.ID,
    keys: list[str],
    start_ts: Timestamp,
    end_ts: Timestamp,
    aggregation: Aggregation = Aggregation.NONE,
    interval_ms: Long | None = UNSET,
    source: TelemetrySourceFilter = TelemetrySourceFilter.BOTH,
    scenario_id: strawberry.ID | None = UNSET,
    limit: int = 10_000,
) -> TelemetryResult | None:
    series = series_filter(info.context, source, scenario_id)
    asked = window(series, keys=keys, start=start_ts, end=end_ts, aggregation=aggregation, interval=interval_ms, limit=limit)
    return await result(info.context, await known_entity(info.context, entity_id), asked)


@strawberry.type
class Query:
    telemetry: TelemetryResult | None = strawberry.federation.field(resolver=_telemetry, requires_scopes=READ)
    compare_scenarios: ScenarioComparison | None = strawberry.federation.field(
        resolver=compare_scenarios,
        requires_scopes=READ,
        description="The same keys over the same window for measured data and each scenario, aligned on one time axis.",
    )


@cache
def build() -> FederationSchema:
    types = [CityObject, Scenario]
    return FederationSchema(Query, mutation=Mutation, subscription=Subscription, types=types, whole_inputs=WHOLE_INPUTS)
