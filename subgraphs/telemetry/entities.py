"""What telemetry adds to entities of other slices, which it knows by their keys alone."""

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from resolvers.telemetry import queries, records
from subgraphs.arguments import given
from subgraphs.scalars import Long, Timestamp
from subgraphs.telemetry import types
from subgraphs.telemetry.asking import Info, loaders, result, series_filter, window
from subgraphs.telemetry.types import READ, Aggregation, TelemetryKey, TelemetryPoint, TelemetryResult, TelemetrySourceFilter


async def _latest_telemetry(
    root: "CityObject",
    info: Info,
    keys: list[str] | None = UNSET,
    source: TelemetrySourceFilter = TelemetrySourceFilter.REAL,
    scenario_id: strawberry.ID | None = UNSET,
) -> list[TelemetryPoint] | None:
    context = info.context
    latest = queries.latest(given(keys), series_filter(context, source, scenario_id))
    points = await loaders(context).latest.load((root.entity(info).uuid, latest))
    return [types.point(found, context.home_city) for found in points]


async def _last_seen_at(root: "CityObject", info: Info) -> Timestamp | None:
    last = await loaders(info.context).last_seen.load(root.entity(info).uuid)
    return None if last is None else Timestamp(last)


async def _telemetry_keys(root: "CityObject", info: Info) -> list[TelemetryKey] | None:
    ranges = await loaders(info.context).keys.load(root.entity(info).uuid)
    return [types.key_range(found) for found in ranges]


async def _telemetry(
    root: "CityObject",
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
    series = series_filter(info.context, source, scenario_id)
    asked = window(series, keys=keys, start=start_ts, end=end_ts, aggregation=aggregation, interval=interval_ms, limit=limit)
    return await result(info.context, root.entity(info), asked)


@strawberry.federation.interface_object(name="CityObject", keys=["id"])
class CityObject:
    id: strawberry.ID
    telemetry_keys: list[TelemetryKey] | None = strawberry.federation.field(resolver=_telemetry_keys, requires_scopes=READ)
    telemetry: TelemetryResult | None = strawberry.federation.field(resolver=_telemetry, requires_scopes=READ)
    latest_telemetry: list[TelemetryPoint] | None = strawberry.federation.field(
        resolver=_latest_telemetry, requires_scopes=READ, description="The newest point of each key; all keys where none is named."
    )
    last_seen_at: Timestamp | None = strawberry.federation.field(
        resolver=_last_seen_at, requires_scopes=READ, description="The newest point of any key."
    )

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> "CityObject | None":
        """Nothing is known here of another city's objects."""
        entity = GlobalId.parse(id, kind="object", home_city=info.context.home_city)
        return cls(id=strawberry.ID(str(entity))) if entity.city == info.context.home_city else None

    def entity(self, info: Info) -> GlobalId:
        return GlobalId.parse(self.id, kind="object", home_city=info.context.home_city)


async def _scenario_telemetry(
    root: "Scenario",
    info: Info,
    keys: list[str],
    start_ts: Timestamp | None = UNSET,
    end_ts: Timestamp | None = UNSET,
    aggregation: Aggregation = Aggregation.NONE,
    interval_ms: Long | None = UNSET,
    limit: int = 10_000,
) -> TelemetryResult | None:
    home, start, end, interval = info.context.home_city, given(start_ts), given(end_ts), given(interval_ms)
    scenario = GlobalId.parse(root.id, kind="scenario", home_city=home)
    asked = window(
        records.SeriesFilter(records.TelemetrySourceFilter.SIMULATED, scenario.uuid),
        keys=keys,
        start=_first_time(interval) if start is None else start,
        end=records.MAX_TIMESTAMP if end is None else end,
        aggregation=aggregation,
        interval=interval,
        limit=limit,
    )
    return await result(info.context, GlobalId.parse(root.entity_id, kind="object", home_city=home), asked)


def _first_time(interval: int | None) -> int:
    """Before all points; where there are buckets, a multiple of their length, so that midnight starts one of an hour's."""
    return -(records.MAX_TIMESTAMP // interval * interval) if interval and interval > 0 else -records.MAX_TIMESTAMP


@strawberry.federation.type(keys=["id"])
class Scenario:
    id: strawberry.ID
    entity_id: strawberry.ID = strawberry.federation.field(external=True)
    telemetry: TelemetryResult | None = strawberry.federation.field(
        resolver=_scenario_telemetry,
        requires=["entityId"],
        requires_scopes=READ,
        description="The scenario's points of its entity; without `startTs` or `endTs`, from its first or to its last.",
    )

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID, entityId: str = "") -> "Scenario | None":  # noqa: N803 (as a representation has it)
        """`entityId` comes where a field needs it. Nothing is known here of another city's scenarios."""
        scenario = GlobalId.parse(id, kind="scenario", home_city=info.context.home_city)
        return cls(id=strawberry.ID(str(scenario)), entity_id=strawberry.ID(entityId)) if scenario.city == info.context.home_city else None


def scenario(id: GlobalId, entity: GlobalId) -> Scenario:
    return Scenario(id=strawberry.ID(str(id)), entity_id=strawberry.ID(str(entity)))
