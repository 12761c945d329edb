"""The subgraph `telemetry`: its root field, and what it adds to every city object, which it knows by its key alone."""

from typing import TypeAlias

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import NotFound
from resolvers.telemetry import queries, records
from resolvers.telemetry.loaders import TelemetryLoaders, existence_loader
from subgraphs.arguments import given
from subgraphs.context import SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.scalars import Long, Timestamp
from subgraphs.telemetry import types
from subgraphs.telemetry.ingestion import Mutation
from subgraphs.telemetry.inputs import WHOLE_INPUTS
from subgraphs.telemetry.ports import ENTITIES, SCENARIOS
from subgraphs.telemetry.types import Aggregation, TelemetryKey, TelemetryPoint, TelemetryResult, TelemetrySourceFilter

__all__ = ["ENTITIES", "SCENARIOS", "build"]

Info: TypeAlias = strawberry.Info[SliceContext, None]


async def _latest_telemetry(
    root: "CityObject",
    info: Info,
    keys: list[str] | None = UNSET,
    source: TelemetrySourceFilter = TelemetrySourceFilter.REAL,
    scenario_id: strawberry.ID | None = UNSET,
) -> list[TelemetryPoint] | None:
    context = info.context
    latest = queries.latest(given(keys), _series_filter(context, source, scenario_id))
    points = await _loaders(context).latest.load((root.entity(info).uuid, latest))
    return [types.point(found, context.home_city) for found in points]


async def _last_seen_at(root: "CityObject", info: Info) -> Timestamp | None:
    last = await _loaders(info.context).last_seen.load(root.entity(info).uuid)
    return None if last is None else Timestamp(last)


@strawberry.federation.interface_object(name="CityObject", keys=["id"])
class CityObject:
    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> "CityObject | None":
        """Nothing is known here of another city's objects."""
        entity = GlobalId.parse(id, kind="object", home_city=info.context.home_city)
        return cls(id=strawberry.ID(str(entity))) if entity.city == info.context.home_city else None

    @strawberry.field
    async def telemetry_keys(self, info: Info) -> list[TelemetryKey] | None:
        ranges = await _loaders(info.context).keys.load(self.entity(info).uuid)
        return [types.key_range(found) for found in ranges]

    @strawberry.field
    async def telemetry(
        self,
        info: Info,
        keys: list[str],
        start_ts: Timestamp,
        end_ts: Timestamp,
        aggregation: Aggregation = Aggregation.NONE,
        interval_ms: Long | None = UNSET,
        source: TelemetrySourceFilter = TelemetrySourceFilter.BOTH,
        scenario_id: strawberry.ID | None = UNSET,
        limit: int = 10_000,
    ) -> TelemetryResult | None:
        series = _series_filter(info.context, source, scenario_id)
        window = queries.window(
            keys=keys,
            start=start_ts,
            end=end_ts,
            aggregation=records.Aggregation(aggregation.value),
            interval=given(interval_ms),
            series=series,
            limit=limit,
        )
        return await _result(info.context, self.entity(info), window)

    latest_telemetry: list[TelemetryPoint] | None = strawberry.field(
        resolver=_latest_telemetry, description="The newest point of each key; all keys where none is named."
    )
    last_seen_at: Timestamp | None = strawberry.field(resolver=_last_seen_at, description="The newest point of any key.")

    def entity(self, info: Info) -> GlobalId:
        return GlobalId.parse(self.id, kind="object", home_city=info.context.home_city)


@strawberry.type
class Query:
    @strawberry.field
    async def telemetry(
        self,
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
        series = _series_filter(info.context, source, scenario_id)
        window = queries.window(
            keys=keys,
            start=start_ts,
            end=end_ts,
            aggregation=records.Aggregation(aggregation.value),
            interval=given(interval_ms),
            series=series,
            limit=limit,
        )
        return await _result(info.context, await _known_entity(info.context, entity_id), window)


def _loaders(context: SliceContext) -> TelemetryLoaders:
    return context.loader("telemetry", lambda: TelemetryLoaders.make(context.store, context.tenant))


def _series_filter(context: SliceContext, source: TelemetrySourceFilter, scenario_id: str | None) -> records.SeriesFilter:
    of = records.TelemetrySourceFilter(source.value)
    named = given(scenario_id)
    if named is None:
        return records.SeriesFilter(of)
    return records.SeriesFilter(of, GlobalId.parse(named, kind="scenario", home_city=context.home_city).uuid)


async def _known_entity(context: SliceContext, entity_id: str) -> GlobalId:
    """Raises `NotFound` for an entity that the tenant does not have in this city."""
    entity = GlobalId.parse(entity_id, kind="object", home_city=context.home_city)
    loader = context.loader("telemetry.existing", lambda: existence_loader(context.service(ENTITIES), context.tenant))
    if entity.city != context.home_city or not await loader.load(entity.uuid):
        raise NotFound(f"There is no city object {str(entity)!r}")
    return entity


async def _result(context: SliceContext, entity: GlobalId, window: records.Window) -> TelemetryResult:
    answer = await _loaders(context).windows.load((entity.uuid, window))
    return types.result(entity, window.keys, answer)


def build() -> FederationSchema:
    return FederationSchema(Query, mutation=Mutation, types=[CityObject], whole_inputs=WHOLE_INPUTS)
