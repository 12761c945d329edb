"""From a field's arguments to an answer: what the roots, city objects and scenarios do alike."""

from collections.abc import Sequence
from typing import TypeAlias

import strawberry

from graph.contracts import GlobalId
from graph.errors import NotFound
from resolvers.telemetry import queries, records
from resolvers.telemetry.loaders import TelemetryLoaders, existence_loader
from subgraphs.arguments import given
from subgraphs.context import SliceContext
from subgraphs.telemetry import types
from subgraphs.telemetry.ports import ENTITIES, SCENARIOS
from subgraphs.telemetry.types import Aggregation, TelemetryResult, TelemetrySourceFilter

Info: TypeAlias = strawberry.Info[SliceContext, None]


def loaders(context: SliceContext) -> TelemetryLoaders:
    return context.loader("telemetry", lambda: TelemetryLoaders.make(context.store, context.tenant))


def series_filter(context: SliceContext, source: TelemetrySourceFilter, scenario_id: str | None) -> records.SeriesFilter:
    of = records.TelemetrySourceFilter(source.value)
    named = given(scenario_id)
    if named is None:
        return records.SeriesFilter(of)
    return records.SeriesFilter(of, GlobalId.parse(named, kind="scenario", home_city=context.home_city).uuid)


def window(
    series: records.SeriesFilter,
    *,
    keys: Sequence[str],
    start: int,
    end: int,
    aggregation: Aggregation,
    interval: int | None,
    limit: int,
) -> records.Window:
    """A checked window; raises `BadUserInput`."""
    return queries.window(
        keys=keys,
        start=start,
        end=end,
        aggregation=records.Aggregation(aggregation.value),
        interval=given(interval),
        series=series,
        limit=limit,
    )


async def known_entity(context: SliceContext, entity_id: str) -> GlobalId:
    """Raises `NotFound` for an entity that the tenant does not have in this city."""
    entity = GlobalId.parse(entity_id, kind="object", home_city=context.home_city)
    loader = context.loader("telemetry.existing", lambda: existence_loader(context.service(ENTITIES), context.tenant))
    if entity.city != context.home_city or not await loader.load(entity.uuid):
        raise NotFound(f"There is no city object {str(entity)!r}")
    return entity


async def known_scenarios(context: SliceContext, entity: GlobalId, scenario_ids: Sequence[str]) -> list[GlobalId]:
    """Raises `NotFound`, which names them, for scenarios that the entity does not have."""
    named = [GlobalId.parse(one, kind="scenario", home_city=context.home_city) for one in scenario_ids]
    async with context.store.read() as connection:
        entities = await context.service(SCENARIOS).of(connection, context.tenant, [one.uuid for one in named])
    missing = [str(one) for one in named if one.city != context.home_city or entities.get(one.uuid) != entity.uuid]
    if missing:
        raise NotFound(f"{str(entity)!r} has no scenario {', '.join(map(repr, missing))}", extensions={"scenarioIds": missing})
    return named


async def result(context: SliceContext, entity: GlobalId, window: records.Window) -> TelemetryResult:
    answer = await loaders(context).windows.load((entity.uuid, window))
    return types.result(entity, window.keys, answer)
