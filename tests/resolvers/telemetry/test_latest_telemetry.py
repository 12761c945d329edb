"""The newest points, the keys and their spans, the last sign of life."""

from uuid import UUID

from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.records import KeyRange, SeriesFilter, TelemetrySourceFilter
from tests.resolvers.telemetry.series import (
    ROAD_CLOSED,
    SENSOR,
    TENANT,
    TWO_LANES_CLOSED,
    measured,
    simulated,
    store_points,
)

SILENT = UUID("00000000-0000-4000-8000-0000000000ff")
BOTH = SeriesFilter(TelemetrySourceFilter.BOTH)
REAL = SeriesFilter(TelemetrySourceFilter.REAL)


async def _latest(store: Store, keys: list[str] | None, series: SeriesFilter) -> list[tuple[str, UUID | None, int, object]]:
    (points,) = await queries.latest_points(store, TENANT, [(SENSOR, queries.latest(keys, series))])
    return [(point.series.key, point.series.scenario, point.timestamp, point.value) for point in points]


async def test_latest_when_no_key_is_named_then_each_key_has_its_newest_point(store: Store) -> None:
    await store_points(store, measured([-5, 7], [1, 2], key="b"), measured([3], ["on"], key="a", unit=None), simulated([99], [9]))

    assert await _latest(store, None, REAL) == [("a", None, 3, "on"), ("b", None, 7, 2.0)]


async def test_latest_when_keys_are_named_then_only_these_are_there(store: Store) -> None:
    await store_points(store, measured([1], [1], key="a"), measured([2], [2], key="b"), measured([3], [3], key="c"))

    assert await _latest(store, ["c", "none", "a"], REAL) == [("a", None, 1, 1.0), ("c", None, 3, 3.0)]
    assert await _latest(store, [], REAL) == []


async def test_latest_when_there_are_scenarios_then_each_has_its_own_newest_point(store: Store) -> None:
    await store_points(store, measured([1, 2], [1, 2]), simulated([5, 3], [5, 3]), simulated([4], [4], scenario=ROAD_CLOSED))

    of_one = SeriesFilter(TelemetrySourceFilter.SIMULATED, ROAD_CLOSED)

    assert await _latest(store, ["temperature"], BOTH) == [
        ("temperature", None, 2, 2.0),
        ("temperature", TWO_LANES_CLOSED, 5, 5.0),
        ("temperature", ROAD_CLOSED, 4, 4.0),
    ]
    assert await _latest(store, None, of_one) == [("temperature", ROAD_CLOSED, 4, 4.0)]


async def test_latest_when_entities_ask_together_then_each_has_its_own_answer(store: Store) -> None:
    other = UUID("00000000-0000-4000-8000-000000000001")
    await store_points(store, measured([1], [1]), measured([2], [2], entity=other))
    anything = queries.latest(None, REAL)

    found = await queries.latest_points(store, TENANT, [(other, anything), (SILENT, anything), (SENSOR, anything)])

    assert [[point.value for point in points] for points in found] == [[2.0], [], [1.0]]


async def test_keys_when_there_are_points_then_each_key_has_its_unit_and_span_over_all_series(store: Store) -> None:
    await store_points(store, measured([3, 9], [1, 2]), simulated([-4, 5], [1, 2]), measured([6], ["on"], key="state", unit=None))

    found = await queries.key_ranges(store, TENANT, [SILENT, SENSOR])

    assert found == [[], [KeyRange("state", None, 6, 6), KeyRange("temperature", "Cel", -4, 9)]]


async def test_last_seen_when_simulated_points_are_newer_then_the_measured_one_counts(store: Store) -> None:
    await store_points(store, measured([3, 9], [1, 2]), measured([11], [1], key="b"), simulated([500], [1]))

    assert await queries.last_seen(store, TENANT, [SENSOR, SILENT]) == [11, None]
    assert await queries.last_seen(store, "EE-TALLINN", [SENSOR]) == [None]
