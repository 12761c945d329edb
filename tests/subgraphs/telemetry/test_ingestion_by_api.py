"""Points taken in through the whole gateway, on both stores: what is stored, what is not and why (FC-02, AC-11, TC-04)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from resolvers.stores.engine import Store
from resolvers.telemetry.store import point_table
from tests.fakes.city import CITY, City
from tests.subgraphs.telemetry.objects import INGEST, SUBMIT, ingest, point, scenario, sensors, series, stored, submit

STRANGER = f"{CITY}/object/{uuid4()}"


async def points_in(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.execute(sa.select(sa.func.count()).select_from(point_table))).scalar_one()


async def test_ingestion_when_points_have_every_kind_of_value_then_they_are_stored_as_they_were_sent(city: City) -> None:
    (sensor,) = await sensors(city, "mast")

    result = await ingest(
        city,
        {
            "entityId": sensor,
            "points": [
                point(1, 20.5, unit="Cel", quality="RAW", attributes={"probe": [1, {"of": "é"}]}),
                point("1970-01-01T00:00:00.002Z", 21, unit="Cel"),
                point(3, "calm", key="state"),
                point(4, True, key="state", quality="VALIDATED"),
                point(5, {"gust": {"from": "NW"}}, key="state"),
            ],
            "series": [series([6, 7.0], [1, 2.5], key="power", unit="kW")],
        },
    )

    assert result == {"acceptedPoints": 7, "rejectedPoints": 0, "ingestionStatus": "STORED", "rejections": []}
    assert await stored(city, sensor, "temperature", "state", "power") == [
        point(1, 20.5, unit="Cel", source="REAL", quality="RAW", attributes={"probe": [1, {"of": "é"}]}),
        point(2, 21.0, unit="Cel", source="REAL"),
        point(3, "calm", key="state", source="REAL"),
        point(4, True, key="state", source="REAL", quality="VALIDATED"),
        point(5, {"gust": {"from": "NW"}}, key="state", source="REAL"),
        point(6, 1.0, key="power", unit="kW", source="REAL"),
        point(7, 2.5, key="power", unit="kW", source="REAL"),
    ]


async def test_ingestion_when_some_points_are_wrong_then_they_are_listed_with_their_places_and_the_others_stored(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")
    elsewhere = mast.replace(CITY, "SE-STOCKHOLM")

    result = await ingest(
        city,
        {
            "entityId": mast,
            "points": [
                point(1, 20.5, unit="Cel"),
                point(2, 20.5),
                point(3, 20.5, unit="celsius"),
                point(2**53 + 1, 20.5, unit="Cel"),
                point("yesterday", 20.5, unit="Cel"),
                point(6, [20.5], unit="Cel"),
                point(7, 20.5, key="", unit="Cel"),
                point(8, "x" * 16_385),
                point(9, "a\0b"),
                point(10, True, attributes={"text": "x" * 16_400}),
            ],
            "series": [
                series([1, 2, 3], [1.0, 2.0], key="power", unit="W"),
                series([1, 2**60, "?"], [1.0, 2.0, 3.0], key="power", unit="W"),
                series([1], [1.0], key="x" * 256),
                series([1, 2], [1.0, 2.0], unit="m/"),
            ],
        },
        {"entityId": STRANGER, "points": [point(1, True)], "series": [series([1, 2], [1.0, 2.0])]},
        {"entityId": elsewhere, "points": [point(1, True)]},
        {"entityId": "mast", "points": [point(1, True)]},
        {"entityId": buoy, "series": [series([1], [4.0])]},
    )

    listed = result.pop("rejections")
    assert [(one["pointer"], one["code"]) for one in listed] == [
        ("/entities/0/points/1", "BAD_USER_INPUT"),
        ("/entities/0/points/2", "BAD_USER_INPUT"),
        ("/entities/0/points/3", "BAD_USER_INPUT"),
        ("/entities/0/points/4", "BAD_USER_INPUT"),
        ("/entities/0/points/5", "BAD_USER_INPUT"),
        ("/entities/0/points/6", "BAD_USER_INPUT"),
        ("/entities/0/points/7", "BAD_USER_INPUT"),
        ("/entities/0/points/8", "BAD_USER_INPUT"),
        ("/entities/0/points/9", "BAD_USER_INPUT"),
        ("/entities/0/series/0", "BAD_USER_INPUT"),
        ("/entities/0/series/1/timestamps/1", "BAD_USER_INPUT"),
        ("/entities/0/series/1/timestamps/2", "BAD_USER_INPUT"),
        ("/entities/0/series/2", "BAD_USER_INPUT"),
        ("/entities/0/series/3", "BAD_USER_INPUT"),
        ("/entities/1", "NOT_FOUND"),
        ("/entities/2", "NOT_FOUND"),
        ("/entities/3", "BAD_USER_INPUT"),
    ]
    assert [listed[at]["message"] for at in (0, 1, 9)] == [
        "'temperature' is a number without a unit (UCUM): a pure number has '1'",
        "'celsius' is not a unit: expected a UCUM code such as 'Cel' or 'kW.h', '1' for a pure number",
        "'power' has 3 timestamps and 2 values: expected one for each",
    ]
    assert result == {"acceptedPoints": 3, "rejectedPoints": 9 + 3 + 2 + 1 + 2 + 3 + 1 + 1, "ingestionStatus": "STORED"}
    assert await stored(city, mast, "temperature", "power") == [
        point(1, 20.5, unit="Cel", source="REAL"),
        point(1, 1.0, key="power", unit="W", source="REAL"),
    ]
    assert await stored(city, buoy, "temperature") == [point(1, 4.0, unit="Cel", source="REAL")]


async def test_ingestion_when_a_literal_is_no_finite_number_then_that_value_alone_is_refused(city: City) -> None:
    (sensor,) = await sensors(city, "mast")

    answer = await city.ask(
        f"""mutation {{ ingestTelemetry(input: {{entities: [{{entityId: "{sensor}", series: [
          {{key: "t", unit: "1", quality: RAW, timestamps: [1, "1970-01-01T00:00:00.002Z"], values: [1e999, 3]}}]}}]}}) {{
          acceptedPoints rejectedPoints rejections {{ pointer code }} }} }}"""
    )

    assert answer["ingestTelemetry"] == {
        "acceptedPoints": 1,
        "rejectedPoints": 1,
        "rejections": [{"pointer": "/entities/0/series/0/values/0", "code": "BAD_USER_INPUT"}],
    }
    assert await stored(city, sensor, "t") == [point(2, 3.0, key="t", unit="1", source="REAL", quality="RAW")]


async def test_ingestion_when_nothing_can_be_stored_then_it_has_failed(city: City) -> None:
    result = await ingest(city, {"entityId": STRANGER, "points": [point(1, True)]})

    assert result["ingestionStatus"] == "FAILED"
    assert (result["acceptedPoints"], result["rejectedPoints"]) == (0, 1)
    assert await points_in(city.store) == 0


async def test_ingestion_when_there_is_nothing_to_store_then_nothing_has_failed(city: City) -> None:
    result = await ingest(city)

    assert result == {"acceptedPoints": 0, "rejectedPoints": 0, "ingestionStatus": "STORED", "rejections": []}


async def test_ingestion_when_the_unit_is_not_that_of_the_series_then_those_points_are_refused(city: City) -> None:
    (sensor,) = await sensors(city, "mast")
    await ingest(city, {"entityId": sensor, "points": [point(1, 20.5, unit="Cel")]})

    result = await ingest(
        city,
        {
            "entityId": sensor,
            "points": [point(2, 293, unit="K"), point(3, 21, unit="Cel"), point(4, "off"), point(5, 294, unit="K")],
            "series": [
                series([6, 7], [293.0, 294.0], unit="K"),
                series([8], [4.0], key="new", unit="W"),
                series([9], [5.0], key="new", unit="kW"),
            ],
        },
    )

    assert [(one["pointer"], one["message"]) for one in result.pop("rejections")] == [
        ("/entities/0/points/0", "'temperature' is in 'Cel': points in 'K' must be converted first"),
        ("/entities/0/points/3", "'temperature' is in 'Cel': points in 'K' must be converted first"),
        ("/entities/0/series/0", "'temperature' is in 'Cel': points in 'K' must be converted first"),
        ("/entities/0/series/2", "'new' is in 'W': points in 'kW' must be converted first"),
    ]
    assert result == {"acceptedPoints": 3, "rejectedPoints": 5, "ingestionStatus": "STORED"}
    assert [(one["timestamp"], one["value"]) for one in await stored(city, sensor, "temperature", "new")] == [
        (1, 20.5),
        (3, 21.0),
        (4, "off"),
        (8, 4.0),
    ]


async def test_ingestion_when_a_time_comes_more_than_once_then_its_last_value_stays(city: City) -> None:
    (sensor,) = await sensors(city, "mast")

    result = await ingest(
        city,
        {
            "entityId": sensor,
            "points": [point(1, 1, unit="Cel"), point(1, "one"), point(1, 3, unit="Cel"), point(2, 4, unit="Cel")],
            "series": [series([2, 2], [5.0, 6.0])],
        },
    )

    assert (result["acceptedPoints"], result["rejectedPoints"]) == (6, 0)
    assert [(one["timestamp"], one["value"]) for one in await stored(city, sensor, "temperature")] == [(1, 3.0), (2, 6.0)]


async def test_ingestion_when_asked_by_another_tenant_then_the_entity_is_not_found(city: City) -> None:
    (sensor,) = await sensors(city, "mast")

    answer = await city.ask(INGEST, {"input": {"entities": [{"entityId": sensor, "points": [point(1, True)]}]}}, tenant="another")

    assert [one["code"] for one in answer["ingestTelemetry"]["rejections"]] == ["NOT_FOUND"]
    assert await points_in(city.store) == 0


@pytest.mark.parametrize(
    "entities",
    [
        [{"entityId": STRANGER, "series": [series(list(range(100_001)), [1.0] * 100_001)]}],
        [{"entityId": STRANGER, "points": [point(1, True)]}, {"entityId": STRANGER, "series": [series(list(range(100_000)), [])]}],
        [{"entityId": STRANGER}] * 100_001,
    ],
)
async def test_ingestion_when_a_call_brings_too_much_then_all_of_it_is_refused(city: City, entities: list[dict[str, Any]]) -> None:
    assert await city.codes(INGEST, {"input": {"entities": entities}}) == ["BAD_USER_INPUT"]


async def test_ingestion_when_thousands_are_refused_then_the_first_are_listed_and_all_counted(city: City) -> None:
    (sensor,) = await sensors(city, "mast")

    result = await ingest(city, {"entityId": sensor, "points": [point(time, 1) for time in range(1_500)]})

    assert (result["acceptedPoints"], result["rejectedPoints"], len(result["rejections"])) == (0, 1_500, 1_000)
    assert result["rejections"][-1]["pointer"] == "/entities/0/points/999"


async def test_ingestion_when_repeated_under_one_key_then_the_first_answer_comes_again_and_nothing_is_stored_twice(city: City) -> None:
    """TC-04."""
    (sensor,) = await sensors(city, "mast")
    asked = {"input": {"entities": [{"entityId": sensor, "points": [point(1, 20.5, unit="Cel"), point(2, 1)]}], "idempotencyKey": "a"}}
    first = await city.ask(INGEST, asked)
    await ingest(city, {"entityId": sensor, "points": [point(1, 99, unit="Cel")]})

    again = await city.ask(INGEST, asked)

    assert again == first
    assert first["ingestTelemetry"]["acceptedPoints"] == 1
    assert [one["value"] for one in await stored(city, sensor, "temperature")] == [99.0]


async def test_ingestion_when_a_key_is_used_for_another_input_then_it_is_a_conflict(city: City) -> None:
    """TC-04."""
    (sensor,) = await sensors(city, "mast")
    await ingest(city, {"entityId": sensor, "points": [point(1, 20.5, unit="Cel")]}, idempotencyKey="a")
    other = {"input": {"entities": [{"entityId": sensor, "points": [point(1, 20.6, unit="Cel")]}], "idempotencyKey": "a"}}

    answer = await city.answer(INGEST, other)

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["status"]) == ("IDEMPOTENCY_KEY_REUSED", 409)
    assert [one["value"] for one in await stored(city, sensor, "temperature")] == [20.5]


async def test_ingestion_when_two_come_at_once_under_one_key_then_both_have_the_first_ones_answer(city: City) -> None:
    """TC-04."""
    (sensor,) = await sensors(city, "mast")
    asked = {"input": {"entities": [{"entityId": sensor, "points": [point(1, 20.5, unit="Cel")]}], "idempotencyKey": "a"}}

    first, second = await asyncio.gather(city.ask(INGEST, asked), city.ask(INGEST, asked))

    assert first == second
    assert await points_in(city.store) == 1


async def test_simulated_points_when_submitted_then_they_carry_their_scenario_and_quality(city: City) -> None:
    """FC-02, AC-11."""
    (sensor,) = await sensors(city, "mast")
    heat = await scenario(city, sensor)

    result = await submit(
        city, sensor, heat, points=[point(1, 30, unit="Cel"), point(2, "hot", quality="VALIDATED")], series=[series([3], [31.0])]
    )

    assert result == {
        "scenarioId": heat,
        "entityId": sensor,
        "acceptedPoints": 3,
        "rejectedPoints": 0,
        "ingestionStatus": "STORED",
        "rejections": [],
    }
    assert await stored(city, sensor, "temperature") == [
        point(1, 30.0, unit="Cel", source="SIMULATED", scenarioId=heat, quality="SIMULATED"),
        point(2, "hot", source="SIMULATED", scenarioId=heat, quality="VALIDATED"),
        point(3, 31.0, unit="Cel", source="SIMULATED", scenarioId=heat, quality="SIMULATED"),
    ]


async def test_simulated_points_when_some_are_wrong_then_they_are_listed_with_their_places(city: City) -> None:
    (sensor,) = await sensors(city, "mast")
    heat = await scenario(city, sensor)

    result = await submit(city, sensor, heat, points=[point(1, 30)], series=[series([1], [1.0, 2.0]), series([3], [31.0])])

    assert [(one["pointer"], one["code"]) for one in result["rejections"]] == [
        ("/points/0", "BAD_USER_INPUT"),
        ("/series/0", "BAD_USER_INPUT"),
    ]
    assert (result["acceptedPoints"], result["rejectedPoints"]) == (1, 3)


async def test_simulated_points_when_repeated_under_one_key_then_they_are_stored_once(city: City) -> None:
    """TC-04: the key is this operation's own, so the other mutation may use it too."""
    (sensor,) = await sensors(city, "mast")
    heat = await scenario(city, sensor)
    await ingest(city, {"entityId": sensor, "points": [point(1, 20.5, unit="Cel")]}, idempotencyKey="a")
    asked = {"input": {"entityId": sensor, "scenarioId": heat, "points": [point(1, 30, unit="Cel")], "idempotencyKey": "a"}}

    first, again = await city.ask(SUBMIT, asked), await city.ask(SUBMIT, asked)
    codes = await city.codes(SUBMIT, {"input": {**asked["input"], "points": [point(1, 31, unit="Cel")]}})

    assert again == first
    assert codes == ["IDEMPOTENCY_KEY_REUSED"]
    assert await points_in(city.store) == 2


async def test_simulated_points_when_the_scenario_is_unknown_or_anothers_then_none_is_stored(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")
    heat = await scenario(city, mast)
    good = {"entityId": mast, "scenarioId": heat, "points": [point(1, True)]}

    codes = [
        await city.codes(SUBMIT, {"input": {**good, **wrong}}, **caller)
        for wrong, caller in (
            ({"scenarioId": f"{CITY}/scenario/{uuid4()}"}, {}),
            ({"scenarioId": heat.replace(CITY, "SE-STOCKHOLM")}, {}),
            ({"entityId": mast.replace(CITY, "SE-STOCKHOLM")}, {}),
            ({}, {"tenant": "another"}),
            ({"entityId": buoy}, {}),
            ({"scenarioId": "heat"}, {}),
        )
    ]

    assert codes == [["NOT_FOUND"]] * 4 + [["BAD_USER_INPUT"]] * 2
    assert await points_in(city.store) == 0
