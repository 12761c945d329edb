"""How telemetry looks in GraphQL: results, points and series, made of the slice's records."""

from dataclasses import dataclass
from enum import Enum

import strawberry

from graph.contracts import GlobalId
from graph.rights import Scope, any_of
from resolvers.telemetry import records
from subgraphs.directives import semantic
from subgraphs.scalars import JSONObject, TelemetryValue, Timestamp

READ = any_of(Scope.TELEMETRY_READ)

strawberry.enum(records.TelemetrySource)
strawberry.enum(records.TelemetryQuality)


@strawberry.enum
class TelemetrySourceFilter(Enum):
    """The record of the same name, with what GraphQL says about its values."""

    REAL = "REAL"
    SIMULATED = strawberry.enum_value("SIMULATED", description="Without a `scenarioId`: of every scenario, each its own series.")
    BOTH = "BOTH"


@strawberry.enum(
    description="Buckets start at startTs + n · intervalMs and carry their start as timestamp; empty ones are left out;"
    " sources and scenarios never mix."
)
class Aggregation(Enum):
    """The record of the same name, with what GraphQL says about its values."""

    NONE = "NONE"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    SUM = "SUM"
    COUNT = "COUNT"
    LTTB = strawberry.enum_value(
        "LTTB", description="Largest-Triangle-Three-Buckets down to `limit` points, without `intervalMs`: for charts."
    )


@strawberry.federation.type(requires_scopes=READ)
class TelemetryPoint:
    timestamp: Timestamp = strawberry.federation.field(directives=[semantic("telemetry:timestamp")])
    key: str = strawberry.federation.field(directives=[semantic("telemetry:key")])
    value: TelemetryValue = strawberry.federation.field(directives=[semantic("telemetry:value")])
    unit: str | None = strawberry.federation.field(
        directives=[semantic("telemetry:unit")], description="UCUM; given for every numeric value."
    )
    source: records.TelemetrySource = strawberry.federation.field(directives=[semantic("telemetry:source")])
    scenario_id: strawberry.ID | None = strawberry.federation.field(directives=[semantic("simulation:scenarioId")])
    quality: records.TelemetryQuality | None = strawberry.federation.field(directives=[semantic("telemetry:quality")])
    attributes: JSONObject | None = strawberry.federation.field(directives=[semantic("telemetry:attributes")])


@strawberry.federation.type(requires_scopes=READ)
class TelemetrySeries:
    key: str
    unit: str | None
    source: records.TelemetrySource
    scenario_id: strawberry.ID | None
    timestamps: list[Timestamp]
    values: list[float | None] = strawberry.field(description="One for each timestamp; null where the value is no number.")
    next_start_ts: Timestamp | None = strawberry.field(
        description="The time of the first point that `limit` left out: a window that starts there goes on without a gap."
    )


@strawberry.federation.type(requires_scopes=READ)
class TelemetryKey:
    key: str
    unit: str | None
    first_ts: Timestamp
    last_ts: Timestamp


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a result was asked for, and the city by which its identifiers are named."""

    city: str
    answer: records.Answer


def _points(root: "TelemetryResult") -> list[TelemetryPoint]:
    return [point(found, root.asked.city) for found in root.asked.answer.points()]


def _series_list(root: "TelemetryResult") -> list[TelemetrySeries]:
    return [_series(columns, root.asked.city) for columns in root.asked.answer.columns]


@strawberry.federation.type(requires_scopes=READ)
class TelemetryResult:
    entity_id: strawberry.ID
    keys: list[str]
    points: list[TelemetryPoint] = strawberry.field(resolver=_points, description="Oldest first, key by key.")
    series: list[TelemetrySeries] = strawberry.field(
        resolver=_series_list, description="The same points by key, source and scenario, as columns: what a chart takes."
    )
    truncated: bool = strawberry.field(description="True where a key had more than `limit` points; the newest ones are left out.")
    asked: strawberry.Private[_Asked]


def result(entity: GlobalId, keys: tuple[str, ...], answer: records.Answer) -> TelemetryResult:
    return TelemetryResult(
        entity_id=strawberry.ID(str(entity)), keys=list(keys), truncated=answer.truncated, asked=_Asked(entity.city, answer)
    )


def point(found: records.Point, city: str) -> TelemetryPoint:
    return TelemetryPoint(
        timestamp=Timestamp(found.timestamp),
        key=found.series.key,
        value=TelemetryValue(found.value),
        unit=found.series.unit if records.is_number(found.value) else None,
        source=found.series.source,
        scenario_id=_scenario_id(found.series, city),
        quality=found.quality,
        attributes=None if found.attributes is None else JSONObject(dict(found.attributes)),
    )


def key_range(found: records.KeyRange) -> TelemetryKey:
    return TelemetryKey(key=found.key, unit=found.unit, first_ts=Timestamp(found.first), last_ts=Timestamp(found.last))


def _series(columns: records.Columns, city: str) -> TelemetrySeries:
    return TelemetrySeries(
        key=columns.name.key,
        unit=columns.name.unit,
        source=columns.name.source,
        scenario_id=_scenario_id(columns.name, city),
        timestamps=[Timestamp(timestamp) for timestamp in columns.timestamps],
        values=[float(value) if records.is_number(value) else None for value in columns.values],
        next_start_ts=None if columns.next_start is None else Timestamp(columns.next_start),
    )


def _scenario_id(series: records.SeriesName, city: str) -> strawberry.ID | None:
    return None if series.scenario is None else strawberry.ID(str(GlobalId(city, "scenario", series.scenario)))
