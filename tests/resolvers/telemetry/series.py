"""Short ways to say what a test stores and asks: one tenant, one key, and the defaults of the API."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.stores.engine import Store
from resolvers.telemetry import commands, queries
from resolvers.telemetry.records import (
    Aggregation,
    Answer,
    SeriesFilter,
    SeriesPoints,
    TelemetrySource,
    TelemetryValue,
    Window,
)

TENANT = "FI-HELSINKI"
SENSOR = UUID("2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a")
TWO_LANES_CLOSED = UUID("00000000-0000-4000-8000-00000000000a")
ROAD_CLOSED = UUID("00000000-0000-4000-8000-00000000000b")
EVERY_SERIES = SeriesFilter()


def measured(
    timestamps: Sequence[int],
    values: Sequence[TelemetryValue],
    *,
    entity: UUID = SENSOR,
    key: str = "temperature",
    unit: str | None = "Cel",
) -> SeriesPoints:
    return SeriesPoints(entity, key, unit, TelemetrySource.REAL, timestamps, values)


def simulated(
    timestamps: Sequence[int],
    values: Sequence[TelemetryValue],
    *,
    entity: UUID = SENSOR,
    scenario: UUID = TWO_LANES_CLOSED,
) -> SeriesPoints:
    return SeriesPoints(entity, "temperature", "Cel", TelemetrySource.SIMULATED, timestamps, values, scenario=scenario)


async def store_points(store: Store, *points: SeriesPoints, tenant: str = TENANT) -> int:
    return await commands.store_points(store, tenant=tenant, points=points)


def window(
    start: int,
    end: int,
    aggregation: Aggregation = Aggregation.NONE,
    interval: int | None = None,
    *,
    keys: Sequence[str] = ("temperature",),
    series: SeriesFilter = EVERY_SERIES,
    limit: int = 10_000,
) -> Window:
    return queries.window(keys=keys, start=start, end=end, aggregation=aggregation, interval=interval, series=series, limit=limit)


async def ask(store: Store, window: Window, *, entity: UUID = SENSOR, tenant: str = TENANT) -> Answer:
    """The answer for one entity; an error that is its own is raised."""
    (answer,) = await queries.windows(store, tenant, [(entity, window)])
    if isinstance(answer, Exception):
        raise answer
    return answer


def columns(answer: Answer) -> list[tuple[str, UUID | None, list[int], list[TelemetryValue]]]:
    """Each series as key, scenario, timestamps and values."""
    return [(line.name.key, line.name.scenario, line.timestamps, line.values) for line in answer.columns]
