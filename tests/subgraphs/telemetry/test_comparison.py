"""Scenarios beside the measured data, through the whole gateway, on both stores (FC-03)."""

from math import sqrt
from typing import Any
from uuid import uuid4

import pytest

from tests.fakes.city import CITY, City
from tests.fakes.statements import count_all_statements
from tests.subgraphs.telemetry.objects import ingest, point, scenario, sensors, series, submit

COMPARE = """query ($entity: ID!, $scenarios: [ID!]!, $keys: [String!]!, $start: Timestamp! = 0, $end: Timestamp! = 50,
                    $interval: Long! = 10, $aggregation: Aggregation! = AVG) {
  compareScenarios(entityId: $entity, scenarioIds: $scenarios, keys: $keys, range: {startTs: $start, endTs: $end},
                   intervalMs: $interval, aggregation: $aggregation) {
    timestamps
    columns { key source scenarioId unit scenario { name } values mean min max meanAbsoluteError rootMeanSquareError } } }"""


async def compared(city: City, entity: str, scenarios: list[str], *keys: str, **more: Any) -> dict[str, Any]:
    answer = await city.ask(COMPARE, {"entity": entity, "scenarios": scenarios, "keys": list(keys), **more}, roles=("dt_viewer",))
    comparison: dict[str, Any] = answer["compareScenarios"]
    return comparison


async def test_comparison_when_series_have_gaps_then_all_columns_share_one_axis_and_errors_count_common_times(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    heat, cold = await scenario(city, mast, "Heat wave"), await scenario(city, mast, "Cold spell")
    await ingest(city, {"entityId": mast, "series": [series([0, 5, 10, 30], [10.0, 20.0, 18.0, 16.0])], "points": [point(31, "offline")]})
    await submit(city, mast, heat, series=[series([0, 12, 20, 30], [18.0, 17.0, 40.0, 20.0]), series([49], [2.0], key="wind", unit="m/s")])
    await submit(city, mast, cold, series=[series([20], [-5.0])])

    answer = await compared(city, mast, [cold, heat], "wind", "temperature")

    nothing = {"mean": None, "min": None, "max": None, "meanAbsoluteError": None, "rootMeanSquareError": None}
    real = {"source": "REAL", "scenarioId": None, "scenario": None}
    of_cold = {"source": "SIMULATED", "scenarioId": cold, "scenario": {"name": "Cold spell"}}
    of_heat = {"source": "SIMULATED", "scenarioId": heat, "scenario": {"name": "Heat wave"}}
    # Measured, in buckets of 10: 15 (of 10 and 20), 18, 16 at 30. Heat: 18, 17, 40, 20. Off by 3, 1 and 4 where both have a point.
    errors = {"meanAbsoluteError": 8 / 3, "rootMeanSquareError": pytest.approx(sqrt((9 + 1 + 16) / 3), rel=1e-15)}
    assert answer["timestamps"] == [0, 10, 20, 30, 40]
    assert answer["columns"] == [
        {"key": "wind", "unit": None, **real, "values": [None] * 5, **nothing},
        {"key": "wind", "unit": None, **of_cold, "values": [None] * 5, **nothing},
        {"key": "wind", "unit": "m/s", **of_heat, "values": [None] * 4 + [2.0], **nothing, "mean": 2.0, "min": 2.0, "max": 2.0},
        {
            "key": "temperature",
            "unit": "Cel",
            **real,
            "values": [15.0, 18.0, None, 16.0, None],
            **nothing,
            "mean": pytest.approx(49 / 3, rel=1e-15),
            "min": 15.0,
            "max": 18.0,
        },
        {
            "key": "temperature",
            "unit": "Cel",
            **of_cold,
            "values": [None, None, -5.0, None, None],
            **nothing,
            "mean": -5.0,
            "min": -5.0,
            "max": -5.0,
        },
        {
            "key": "temperature",
            "unit": "Cel",
            **of_heat,
            "values": [18.0, 17.0, 40.0, 20.0, None],
            "mean": 23.75,
            "min": 17.0,
            "max": 40.0,
            **errors,
        },
    ]


async def test_comparison_when_units_differ_then_no_error_is_told(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    heat = await scenario(city, mast)
    await ingest(city, {"entityId": mast, "series": [series([0], [20.0])]})
    await submit(city, mast, heat, series=[series([0], [293.0], unit="K")])

    columns = (await compared(city, mast, [heat], "temperature"))["columns"]

    assert [(one["unit"], one["mean"], one["meanAbsoluteError"], one["rootMeanSquareError"]) for one in columns] == [
        ("Cel", 20.0, None, None),
        ("K", 293.0, None, None),
    ]


async def test_comparison_when_points_are_counted_then_counts_are_compared(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    heat = await scenario(city, mast)
    await ingest(city, {"entityId": mast, "series": [series([0, 1, 2], [20.0, 21.0, 22.0])]})
    await submit(city, mast, heat, series=[series([0], [293.0], unit="K")])

    columns = (await compared(city, mast, [heat], "temperature", aggregation="COUNT"))["columns"]

    assert [(one["unit"], one["values"], one["meanAbsoluteError"]) for one in columns] == [("1", [3.0], None), ("1", [1.0], 2.0)]


async def test_comparison_when_numbers_are_huge_then_what_no_double_holds_is_left_out(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    heat = await scenario(city, mast)
    await ingest(city, {"entityId": mast, "series": [series([0, 10], [-1e308, 1e200])]})
    await submit(city, mast, heat, series=[series([0, 10], [1e308, 3e200])])

    columns = (await compared(city, mast, [heat], "temperature"))["columns"]
    later = (await compared(city, mast, [heat], "temperature", start=10))["columns"]

    assert (columns[1]["meanAbsoluteError"], columns[1]["rootMeanSquareError"]) == (None, None)
    assert (later[1]["meanAbsoluteError"], later[1]["rootMeanSquareError"]) == (2e200, 2e200)


async def test_comparison_when_there_is_no_scenario_then_the_measured_data_stand_alone(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    await ingest(city, {"entityId": mast, "series": [series([7], [20.0])]})

    answer = await compared(city, mast, [], "temperature")

    assert (answer["timestamps"], [one["values"] for one in answer["columns"]]) == ([0], [[20.0]])
    assert await compared(city, mast, []) == {"timestamps": [], "columns": []}


async def test_comparison_when_scenarios_are_missing_or_anothers_then_the_error_names_them(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")
    heat, anothers = await scenario(city, mast), await scenario(city, buoy)
    unknown = f"{CITY}/scenario/{uuid4()}"

    answer = await city.answer(COMPARE, {"entity": mast, "scenarios": [unknown, heat, anothers], "keys": ["t"]})

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["scenarioIds"]) == ("NOT_FOUND", [unknown, anothers])


async def test_comparison_when_the_entity_is_unknown_or_another_tenants_then_it_is_not_found(city: City) -> None:
    (mast,) = await sensors(city, "mast")

    assert await city.codes(COMPARE, {"entity": f"{CITY}/object/{uuid4()}", "scenarios": [], "keys": ["t"]}) == ["NOT_FOUND"]
    assert await city.codes(COMPARE, {"entity": mast, "scenarios": [], "keys": ["t"]}, tenant="another") == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"aggregation": "NONE"},
        {"aggregation": "LTTB"},
        {"interval": 0},
        {"start": 51},
        {"keys": [str(number) for number in range(101)]},
        {"scenarios": [str(uuid4()) for _ in range(21)]},
        {"scenarios": ["heat"]},
    ],
)
async def test_comparison_when_an_argument_is_wrong_then_it_is_refused(city: City, wrong: dict[str, Any]) -> None:
    assert await city.codes(COMPARE, {"entity": str(uuid4()), "scenarios": [], "keys": ["t"], **wrong}) == ["BAD_USER_INPUT"]


async def test_comparison_when_it_would_have_too_many_values_then_it_is_refused(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    await ingest(city, {"entityId": mast, "series": [series(list(range(10_001)), [1.0] * 10_001)]})
    keys = ["temperature", *(str(number) for number in range(99))]

    codes = await city.codes(COMPARE, {"entity": mast, "scenarios": [], "keys": keys, "end": 20_000, "interval": 1})

    assert codes == ["BAD_USER_INPUT"]


async def test_comparison_when_it_has_many_scenarios_and_keys_then_it_takes_no_more_statements(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    scenarios = [await scenario(city, mast, f"No. {number}") for number in range(10)]
    ask = """query ($entity: ID!, $scenarios: [ID!]!, $keys: [String!]!) { compareScenarios(entityId: $entity, scenarioIds: $scenarios,
      keys: $keys, range: {startTs: 0, endTs: 10}, intervalMs: 10) { columns { values } } }"""

    counts = []
    for count in (1, 10):
        with count_all_statements() as statements:
            await city.ask(ask, {"entity": mast, "scenarios": scenarios[:count], "keys": [str(key) for key in range(count)]})
        counts.append(len(statements))

    assert counts == [3, 3]  # the entity, the scenarios, the points
