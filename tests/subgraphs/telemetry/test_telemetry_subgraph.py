"""The subgraph's answers and refusals, as the gateway sees them (FC-01, TC-03)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)

from resolvers.stores.engine import Store
from resolvers.telemetry.records import TelemetryQuality
from subgraphs.telemetry.schema import build
from tests.fakes.statements import count_statements
from tests.resolvers.telemetry.series import SENSOR, TWO_LANES_CLOSED, measured, simulated, store_points
from tests.subgraphs.telemetry.conftest import Run

ENTITY = f"FI-HELSINKI/object/{SENSOR}"
SCENARIO = f"FI-HELSINKI/scenario/{TWO_LANES_CLOSED}"

WINDOW = """
  query ($entity: ID!, $keys: [String!]!, $start: Timestamp!, $end: Timestamp!, $aggregation: Aggregation! = NONE,
         $interval: Long, $source: TelemetrySourceFilter! = BOTH, $scenario: ID, $limit: Int! = 10000) {
    telemetry(entityId: $entity, keys: $keys, startTs: $start, endTs: $end, aggregation: $aggregation,
              intervalMs: $interval, source: $source, scenarioId: $scenario, limit: $limit) {
      entityId keys truncated
      points { timestamp key value unit source scenarioId quality attributes }
      series { key unit source scenarioId timestamps values nextStartTs }
    }
  }
"""
ENTITIES = """
  query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on CityObject {
    id lastSeenAt
    telemetryKeys { key unit firstTs lastTs }
    latestTelemetry { key timestamp value }
    simulated: latestTelemetry(keys: ["temperature"], source: SIMULATED) { timestamp scenarioId }
    telemetry(keys: ["temperature"], startTs: 0, endTs: 100, aggregation: MAX, intervalMs: 50, source: REAL) {
      series { timestamps values }
    }
  } } }
"""


def asking(**variables: Any) -> dict[str, Any]:
    return {"entity": ENTITY, "keys": ["temperature"], "start": 0, "end": 100, **variables}


async def test_telemetry_when_asked_then_points_and_columns_say_the_same(run: Run, store: Store) -> None:
    real = replace(measured([0, 10], [1.5, "offline"]), quality=TelemetryQuality.RAW, attributes=[None, {"probe": 3}])
    await store_points(store, real, simulated([10], [True]))

    answer = await run(WINDOW, asking(keys=["temperature", "wind"]))

    assert answer.errors == []
    assert answer.data["telemetry"] == {
        "entityId": ENTITY,
        "keys": ["temperature", "wind"],
        "truncated": False,
        "points": [
            _point(0, 1.5, unit="Cel", quality="RAW"),
            _point(10, "offline", quality="RAW", attributes={"probe": 3}),
            _point(10, True, source="SIMULATED", scenarioId=SCENARIO),
        ],
        "series": [
            _series([0, 10], [1.5, None]),
            _series([10], [None], source="SIMULATED", scenarioId=SCENARIO),
            _series([], [], key="wind", unit=None),
        ],
    }


def _point(timestamp: int, value: object, **more: object) -> dict[str, object]:
    nothing = {"key": "temperature", "unit": None, "source": "REAL", "scenarioId": None, "quality": None, "attributes": None}
    return {"timestamp": timestamp, "value": value, **nothing, **more}


def _series(timestamps: list[int], values: list[float | None], **more: object) -> dict[str, object]:
    nothing = {"key": "temperature", "unit": "Cel", "source": "REAL", "scenarioId": None, "nextStartTs": None}
    return {"timestamps": timestamps, "values": values, **nothing, **more}


async def test_telemetry_when_times_are_rfc_3339_and_identifiers_bare_then_they_are_read(run: Run, store: Store) -> None:
    await store_points(store, measured([1_700_000_000_000], [1]), simulated([1_700_000_000_001], [2]))

    answer = await run(
        WINDOW,
        asking(
            entity=str(SENSOR).upper(),
            start="2023-11-14T22:13:20Z",
            end="2023-11-15T00:13:20.001+02:00",
            scenario=str(TWO_LANES_CLOSED),
        ),
    )

    assert answer.errors == []
    assert answer.data["telemetry"]["entityId"] == ENTITY
    assert [point["timestamp"] for point in answer.data["telemetry"]["points"]] == [1_700_000_000_000]


async def test_telemetry_when_truncated_then_the_series_say_where_to_go_on(run: Run, store: Store) -> None:
    await store_points(store, measured([0, 10, 20], [1, 2, 3]))

    answer = await run(WINDOW, asking(limit=2))

    assert answer.data["telemetry"]["truncated"] is True
    assert answer.data["telemetry"]["series"] == [_series([0, 10], [1.0, 2.0], nextStartTs=20)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": 101}, "endTs (100) is before startTs (101)"),
        ({"aggregation": "AVG"}, "intervalMs is missing: aggregation AVG needs the length of its buckets"),
        ({"aggregation": "LTTB", "interval": 5}, "intervalMs is 5, but aggregation LTTB has no buckets: leave it out"),
        ({"limit": -1}, "limit is -1: expected 1 to 1,000,000 points a key"),
        ({"keys": ["k"] * 101}, "keys names 101 keys: at most 100 can be asked for at once"),
        ({"entity": SCENARIO}, f"{SCENARIO!r} names a thing of kind 'scenario', where 'object' is expected"),
        ({"scenario": ENTITY}, f"{ENTITY!r} names a thing of kind 'object', where 'scenario' is expected"),
        ({"entity": "sensor-7"}, "'sensor-7' is not a UUID in its 8-4-4-4-12 form"),
    ],
)
async def test_telemetry_when_an_argument_is_wrong_then_it_is_bad_user_input(run: Run, wrong: dict[str, Any], message: str) -> None:
    answer = await run(WINDOW, asking(**wrong))

    assert answer.data == {"telemetry": None}
    assert [(error["message"], error["extensions"], error["path"]) for error in answer.errors] == [
        (message, {"code": "BAD_USER_INPUT"}, ["telemetry"])
    ]


@pytest.mark.parametrize(
    ("entity", "tenant"),
    [
        ("FI-HELSINKI/object/00000000-0000-4000-8000-000000000000", "FI-HELSINKI"),
        (f"EE-TALLINN/object/{SENSOR}", "FI-HELSINKI"),
        (ENTITY, "EE-TALLINN"),
    ],
)
async def test_telemetry_when_the_entity_is_not_the_tenants_then_it_is_not_found(run: Run, entity: str, tenant: str) -> None:
    answer = await run(WINDOW, asking(entity=entity), tenant=tenant)

    assert answer.data == {"telemetry": None}
    assert [(error["message"], error["extensions"]["code"]) for error in answer.errors] == [
        (f"There is no city object {entity!r}", "NOT_FOUND")
    ]


async def test_city_object_when_reached_by_key_then_it_has_its_telemetry(run: Run, store: Store) -> None:
    await store_points(store, measured([1, 60], [3, 4]), simulated([90], [9]))

    answer = await run(ENTITIES, {"representations": [{"__typename": "CityObject", "id": ENTITY}]})

    assert answer.errors == []
    assert answer.data["_entities"] == [
        {
            "id": ENTITY,
            "lastSeenAt": 60,
            "telemetryKeys": [{"key": "temperature", "unit": "Cel", "firstTs": 1, "lastTs": 90}],
            "latestTelemetry": [{"key": "temperature", "timestamp": 60, "value": 4.0}],
            "simulated": [{"timestamp": 90, "scenarioId": SCENARIO}],
            "telemetry": {"series": [{"timestamps": [0, 50], "values": [3.0, 4.0]}]},
        }
    ]


async def test_city_object_when_it_never_reported_then_everything_is_empty(run: Run) -> None:
    answer = await run(ENTITIES, {"representations": [{"__typename": "CityObject", "id": ENTITY}]})

    assert answer.errors == []
    assert answer.data["_entities"] == [
        {
            "id": ENTITY,
            "lastSeenAt": None,
            "telemetryKeys": [],
            "latestTelemetry": [],
            "simulated": [],
            "telemetry": {"series": [{"timestamps": [], "values": []}]},
        }
    ]


async def test_entities_when_one_is_wrong_or_elsewhere_then_it_is_null_alone(run: Run, store: Store) -> None:
    await store_points(store, measured([1], [3]))
    ids = ["sensor-7", ENTITY, f"EE-TALLINN/object/{SENSOR}"]
    asked = "query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on CityObject { lastSeenAt } } }"

    answer = await run(asked, {"representations": [{"__typename": "CityObject", "id": id} for id in ids]})

    assert answer.data["_entities"] == [None, {"lastSeenAt": 1}, None]
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [(["_entities", 0], "BAD_USER_INPUT")]


@pytest.mark.parametrize("count", [5, 100])
async def test_entities_when_there_are_many_then_the_number_of_statements_does_not_grow(run: Run, store: Store, count: int) -> None:
    asked = [{"__typename": "CityObject", "id": f"FI-HELSINKI/object/{number:032x}"} for number in range(count)]
    for one in asked:
        digits = one["id"].rpartition("/")[2]
        one["id"] = f"FI-HELSINKI/object/{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    with count_statements(store) as statements:
        answer = await run(ENTITIES, {"representations": asked})

    assert answer.errors == []
    assert [found["id"] for found in answer.data["_entities"]] == [one["id"] for one in asked]
    # Keys, last sign of life, windows, and one for both kinds of newest points.
    assert len(statements) == 4


def test_schema_when_held_against_the_contract_then_every_field_is_the_contracts() -> None:
    contract = _fields((Path(__file__).parents[2] / "contract" / "schema.graphql").read_text())
    ours = _fields(build().as_str())

    for name in ("TelemetryPoint", "TelemetryResult", "TelemetrySeries", "TelemetryKey"):
        assert ours[name] == contract[name]
    for name in ("Aggregation", "TelemetrySource", "TelemetrySourceFilter", "TelemetryQuality"):
        assert list(ours[name]) == list(contract[name])
    assert ours["Query"]["telemetry"] == contract["Query"]["telemetry"]
    assert ours["CityObject"] == {name: contract["CityObject"][name] for name in ours["CityObject"]}
    assert set(ours["CityObject"]) == {"id", "telemetryKeys", "telemetry", "latestTelemetry", "lastSeenAt"}


def _fields(sdl: str) -> dict[str, dict[str, str]]:
    """By type and field (or value): the field as SDL, without descriptions and directives."""
    found: dict[str, dict[str, str]] = {}
    for definition in parse(sdl, no_location=True).definitions:
        match definition:
            case EnumTypeDefinitionNode():
                found[definition.name.value] = {value.name.value: "" for value in definition.values or ()}
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                fields = definition.fields or ()
                found[definition.name.value] = {field.name.value: _printed(field) for field in fields}
    return found


def _printed(field: FieldDefinitionNode) -> str:
    arguments = (
        f"{argument.name.value}: {print_ast(argument.type)} = {argument.default_value and print_ast(argument.default_value)}"
        for argument in field.arguments or ()
    )
    return f"({', '.join(arguments)}): {print_ast(field.type)}"
