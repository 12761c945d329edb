"""Windows of points, raw, in buckets and thinned out (FC-01, AC-03, TC-03)."""

from dataclasses import replace

import pytest

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.records import Aggregation, SeriesFilter, TelemetryQuality, TelemetrySourceFilter, TelemetryValue
from tests.resolvers.telemetry.series import (
    ROAD_CLOSED,
    SENSOR,
    TWO_LANES_CLOSED,
    ask,
    columns,
    measured,
    simulated,
    store_points,
    window,
)

SIMULATED = SeriesFilter(TelemetrySourceFilter.SIMULATED)


async def test_window_when_it_has_an_end_then_the_start_is_in_and_the_end_is_out(store: Store) -> None:
    await store_points(store, measured([-20, -10, 0, 10], [1, 2, 3, 4]))

    answer = await ask(store, window(-20, 10))

    assert columns(answer) == [("temperature", None, [-20, -10, 0], [1.0, 2.0, 3.0])]
    assert not answer.truncated


async def test_window_when_it_is_empty_then_its_key_has_an_empty_series(store: Store) -> None:
    await store_points(store, measured([0], [1]))

    answer = await ask(store, window(0, 0))

    assert columns(answer) == [("temperature", None, [], [])]


@pytest.mark.parametrize(
    ("aggregation", "values"),
    [
        (Aggregation.AVG, [1.5, 8.0]),
        (Aggregation.MIN, [1.0, 8.0]),
        (Aggregation.MAX, [2.0, 8.0]),
        (Aggregation.SUM, [3.0, 8.0]),
        (Aggregation.COUNT, [2, 2]),
    ],
)
async def test_buckets_when_aggregated_then_they_count_from_the_start_and_empty_ones_are_left_out(
    store: Store, aggregation: Aggregation, values: list[float]
) -> None:
    await store_points(store, measured([-7, 2, 23, 24], [1, 2, 8, "offline"]))

    answer = await ask(store, window(-7, 100, aggregation, 10))

    # -7 and 2 lie in [-7, 3); 23 and 24 in [23, 33); a text has no average, and is a point nevertheless.
    assert columns(answer) == [("temperature", None, [-7, 23], values)]
    assert answer.columns[0].name.unit == ("1" if aggregation is Aggregation.COUNT else "Cel")


async def test_buckets_when_the_last_is_cut_by_the_end_then_only_points_before_the_end_count(store: Store) -> None:
    await store_points(store, measured([0, 9, 10, 14, 15], [1, 3, 5, 7, 100]))

    answer = await ask(store, window(0, 15, Aggregation.AVG, 10))

    assert columns(answer) == [("temperature", None, [0, 10], [2.0, 6.0])]


async def test_average_when_there_are_only_texts_then_there_is_no_bucket(store: Store) -> None:
    await store_points(store, measured([0, 1], ["open", "shut"], unit=None))

    answer = await ask(store, window(0, 10, Aggregation.AVG, 5))

    assert columns(answer) == [("temperature", None, [], [])]


async def test_sum_when_it_is_too_large_for_a_number_then_it_is_refused_and_other_askers_have_theirs(store: Store) -> None:
    await store_points(store, measured([0, 1], [1.7e308, 1.7e308]))
    fine, too_large = window(0, 10), window(0, 10, Aggregation.SUM, 10)

    answers = await queries.windows(store, "FI-HELSINKI", [(SENSOR, fine), (SENSOR, too_large)])

    assert not isinstance(answers[0], Exception)
    assert columns(answers[0]) == [("temperature", None, [0, 1], [1.7e308, 1.7e308])]
    assert isinstance(answers[1], BadUserInput)


async def test_window_when_there_are_sources_and_scenarios_then_each_is_a_series_of_its_own(store: Store) -> None:
    await store_points(
        store,
        measured([0, 10], [1, 2]),
        simulated([0, 10], [3, 5], scenario=TWO_LANES_CLOSED),
        simulated([5, 10], [7, 9], scenario=ROAD_CLOSED),
    )

    both = await ask(store, window(0, 20, Aggregation.AVG, 20))
    simulated_only = await ask(store, window(0, 20, series=SIMULATED))
    of_one = await ask(store, window(0, 20, series=SeriesFilter(TelemetrySourceFilter.SIMULATED, ROAD_CLOSED)))
    compared = await ask(store, window(0, 20, series=SeriesFilter(TelemetrySourceFilter.BOTH, ROAD_CLOSED)))
    real = await ask(store, window(0, 20, series=SeriesFilter(TelemetrySourceFilter.REAL)))

    assert columns(both) == [
        ("temperature", None, [0], [1.5]),
        ("temperature", TWO_LANES_CLOSED, [0], [4.0]),
        ("temperature", ROAD_CLOSED, [0], [8.0]),
    ]
    assert columns(simulated_only) == [
        ("temperature", TWO_LANES_CLOSED, [0, 10], [3.0, 5.0]),
        ("temperature", ROAD_CLOSED, [5, 10], [7.0, 9.0]),
    ]
    assert columns(of_one) == [("temperature", ROAD_CLOSED, [5, 10], [7.0, 9.0])]
    assert columns(compared) == [("temperature", None, [0, 10], [1.0, 2.0]), ("temperature", ROAD_CLOSED, [5, 10], [7.0, 9.0])]
    assert columns(real) == [("temperature", None, [0, 10], [1.0, 2.0])]


async def test_points_when_a_key_has_several_series_then_they_are_oldest_first_key_by_key(store: Store) -> None:
    await store_points(store, measured([0, 10], [1, 2]), simulated([0, 5], [3, 4]), measured([1], [7], key="humidity", unit="%"))

    answer = await ask(store, window(0, 20, keys=["temperature", "humidity", "temperature", "wind"]))

    points = [(point.series.key, point.timestamp, point.value) for point in answer.points()]
    assert points == [
        ("temperature", 0, 1.0),
        ("temperature", 0, 3.0),
        ("temperature", 5, 4.0),
        ("temperature", 10, 2.0),
        ("humidity", 1, 7.0),
    ]
    assert columns(answer)[-1] == ("wind", None, [], [])


async def test_empty_series_when_simulated_ones_were_asked_for_then_it_is_one_of_that_scenario(store: Store) -> None:
    asked = SeriesFilter(TelemetrySourceFilter.SIMULATED, ROAD_CLOSED)

    answer = await ask(store, window(0, 20, series=asked))

    assert columns(answer) == [("temperature", ROAD_CLOSED, [], [])]
    assert answer.columns[0].name.source == "SIMULATED"


@pytest.mark.parametrize("aggregation", [Aggregation.NONE, Aggregation.MAX])
async def test_limit_when_a_key_has_more_then_the_newest_are_left_out_and_the_series_say_where_to_go_on(
    store: Store, aggregation: Aggregation
) -> None:
    interval = None if aggregation is Aggregation.NONE else 5
    await store_points(store, measured([0, 10, 20], [1, 2, 3]), simulated([10, 15], [4, 5]), measured([0, 5], [1, 2], key="short"))

    answer = await ask(store, window(0, 30, aggregation, interval, keys=["temperature", "short"], limit=2))

    assert columns(answer) == [
        ("temperature", None, [0, 10], [1.0, 2.0]),
        ("temperature", TWO_LANES_CLOSED, [], []),
        ("short", None, [0, 5], [1.0, 2.0]),
    ]
    assert [line.next_start for line in answer.columns] == [20, 10, None]
    assert answer.truncated


async def test_limit_when_a_key_has_just_as_many_then_nothing_is_left_out(store: Store) -> None:
    await store_points(store, measured([0, 10], [1, 2]))

    answer = await ask(store, window(0, 30, limit=2))

    assert columns(answer) == [("temperature", None, [0, 10], [1.0, 2.0])]
    assert not answer.truncated
    assert answer.columns[0].next_start is None


async def test_limits_when_windows_of_one_batch_have_different_ones_then_each_has_its_own(store: Store) -> None:
    await store_points(store, measured(range(10), range(10)))
    asked = [(SENSOR, window(0, 10, limit=limit)) for limit in (1, 4, 100)]

    answers = await queries.windows(store, "FI-HELSINKI", asked)

    assert [len(answer.points()) for answer in answers if not isinstance(answer, Exception)] == [1, 4, 10]


async def test_pages_when_read_one_after_the_other_then_they_are_the_whole_series(store: Store) -> None:
    await store_points(store, measured(range(0, 70, 7), range(10)))

    read: list[int] = []
    start: int | None = 0
    while start is not None:
        (line,) = (await ask(store, window(start, 100, limit=4))).columns
        read += line.timestamps
        start = line.next_start

    assert read == list(range(0, 70, 7))


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 99])
async def test_lttb_when_there_are_more_points_then_so_many_stay_with_first_and_last(store: Store, limit: int) -> None:
    values = [(index * 7919) % 101 for index in range(100)]
    await store_points(store, measured([index * 60 for index in range(100)], values), measured([0], [5], key="other"))

    answer = await ask(store, window(0, 6000, Aggregation.LTTB, limit=limit))

    (line,) = answer.columns
    assert len(line.timestamps) == limit
    assert line.timestamps[0] == 0
    assert limit == 1 or line.timestamps[-1] == 5940
    assert line.timestamps == sorted(set(line.timestamps))
    assert line.values == [float(values[timestamp // 60]) for timestamp in line.timestamps]
    assert not answer.truncated


async def test_lttb_when_a_peak_stands_alone_then_it_stays(store: Store) -> None:
    values = [0.0] * 30_000
    values[17_321] = 9.0
    await store_points(store, measured(range(30_000), values))

    (line,) = (await ask(store, window(0, 30_000, Aggregation.LTTB, limit=50))).columns

    assert len(line.timestamps) == 50
    assert (line.timestamps[0], line.timestamps[-1]) == (0, 29_999)
    assert 17_321 in line.timestamps


async def test_lttb_when_there_are_fewer_points_then_all_stay_and_texts_do_not(store: Store) -> None:
    await store_points(store, measured([0, 1, 2], [1, "offline", 3]))

    answer = await ask(store, window(0, 10, Aggregation.LTTB, limit=5))

    assert columns(answer) == [("temperature", None, [0, 2], [1.0, 3.0])]


async def test_values_when_they_are_no_numbers_then_they_come_back_as_they_were(store: Store) -> None:
    values: list[TelemetryValue] = [21.5, 7, True, False, "on", "", {"state": {"open": [1, None]}}, "\\u0000", "ä\U0001f600"]
    await store_points(store, measured(range(9), values))

    answer = await ask(store, window(0, 10))

    assert answer.columns[0].values == [21.5, 7.0, True, False, "on", "", {"state": {"open": [1, None]}}, *values[7:]]
    assert answer.columns[0].values[2] is True


async def test_window_when_the_points_are_another_tenants_then_there_are_none(store: Store) -> None:
    await store_points(store, measured([0], [1]), tenant="EE-TALLINN")

    answer = await ask(store, window(0, 10))

    assert columns(answer) == [("temperature", None, [], [])]


async def test_windows_when_they_have_too_many_points_together_then_they_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_POINTS", 5)
    await store_points(store, measured([0, 1, 2], [1, 2, 3]))

    with pytest.raises(BadUserInput, match="more than 5 points"):
        await queries.windows(store, "FI-HELSINKI", [(SENSOR, window(0, 10, limit=n)) for n in (3, 4)])


async def test_quality_when_it_was_stored_then_raw_points_have_it_and_buckets_have_none(store: Store) -> None:
    validated = replace(measured([0], [1]), quality=TelemetryQuality.VALIDATED, attributes=[{"probe": 3}])
    await store_points(store, validated)

    raw = await ask(store, window(0, 10))
    average = await ask(store, window(0, 10, Aggregation.AVG, 10))

    assert (raw.columns[0].qualities, raw.columns[0].attributes) == ([TelemetryQuality.VALIDATED], [{"probe": 3}])
    assert (average.columns[0].qualities, average.columns[0].attributes) == ([None], [None])
