"""SQL's aggregation against a computation in plain Python, for random points and windows (FC-01)."""

from collections import defaultdict
from fractions import Fraction
from math import inf
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.stores.engine import Store
from resolvers.telemetry.records import Aggregation, TelemetryValue
from tests.resolvers.telemetry.series import ROAD_CLOSED, ask, measured, simulated, store_points, window

TIMES = st.integers(-3_000, 3_000)
VALUES = st.one_of(
    st.floats(-1e12, 1e12),
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3),
)
POINTS = st.dictionaries(TIMES, VALUES, max_size=60)


def in_buckets(points: dict[int, TelemetryValue], start: int, end: int, interval: int) -> dict[int, list[Fraction | None]]:
    """The values of each bucket, by its start; None for what is no number."""
    buckets: dict[int, list[Fraction | None]] = defaultdict(list)
    for time, value in points.items():
        if start <= time < end:
            number = Fraction(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            buckets[start + (time - start) // interval * interval].append(number)
    return dict(sorted(buckets.items()))


def expected(points: dict[int, TelemetryValue], start: int, end: int, aggregation: Aggregation, interval: int) -> dict[int, Fraction]:
    found: dict[int, Fraction] = {}
    for bucket, values in in_buckets(points, start, end, interval).items():
        numbers = [value for value in values if value is not None]
        if aggregation is Aggregation.COUNT:
            found[bucket] = Fraction(len(values))
        elif numbers:
            total = sum(numbers, Fraction(0))
            found[bucket] = {
                Aggregation.MIN: min(numbers),
                Aggregation.MAX: max(numbers),
                Aggregation.SUM: total,
                Aggregation.AVG: total / len(numbers),
            }[aggregation]
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    points=POINTS,
    others=POINTS,
    start=TIMES,
    length=st.integers(0, 4_000),
    interval=st.integers(1, 5_000),
    aggregation=st.sampled_from([one for one in Aggregation if one.has_buckets]),
)
async def test_aggregation_when_points_and_window_are_random_then_it_is_what_plain_python_computes(
    store: Store,
    points: dict[int, TelemetryValue],
    others: dict[int, TelemetryValue],
    start: int,
    length: int,
    interval: int,
    aggregation: Aggregation,
) -> None:
    entity = uuid4()
    await store_points(store, measured(list(points), list(points.values()), entity=entity))
    await store_points(store, simulated(list(others), list(others.values()), entity=entity, scenario=ROAD_CLOSED))

    answer = await ask(store, window(start, start + length, aggregation, interval), entity=entity)

    by_scenario = {line.name.scenario: line for line in answer.columns}
    for scenario, stored in ((None, points), (ROAD_CLOSED, others)):
        wanted = expected(stored, start, start + length, aggregation, interval)
        line = by_scenario.get(scenario)
        assert ([] if line is None else line.timestamps) == list(wanted)
        # Sums of numbers that cancel out are as exact as the largest of them allows.
        scale = max((abs(Fraction(v)) for v in stored.values() if isinstance(v, int | float)), default=Fraction(1))
        for got, exact in zip(() if line is None else line.values, wanted.values(), strict=True):
            assert isinstance(got, int | float)
            assert abs(got) < inf
            assert abs(Fraction(got) - exact) <= Fraction(1, 10**9) * max(abs(exact), scale)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, others=POINTS, start=TIMES, length=st.integers(0, 4_000), limit=st.integers(1, 30))
async def test_limit_when_points_and_window_are_random_then_the_oldest_of_the_key_stay(
    store: Store, points: dict[int, TelemetryValue], others: dict[int, TelemetryValue], start: int, length: int, limit: int
) -> None:
    entity = uuid4()
    await store_points(
        store,
        measured(list(points), list(points.values()), entity=entity),
        simulated(list(others), list(others.values()), entity=entity, scenario=ROAD_CLOSED),
    )

    answer = await ask(store, window(start, start + length, limit=limit), entity=entity)

    inside = sorted((time, of is others) for of in (points, others) for time in of if start <= time < start + length)
    assert [(point.timestamp, point.series.scenario is not None) for point in answer.points()] == inside[:limit]
    assert answer.truncated == (len(inside) > limit)
    left_out = {simulated: time for time, simulated in reversed(inside[limit:])}
    assert {line.name.scenario is not None: line.next_start for line in answer.columns if line.next_start is not None} == left_out
