"""Scenarios as a client sees them, through the whole gateway, on both stores (FC-03)."""

import asyncio
from typing import Any

import pytest
import shapely

from resolvers.city_objects.commands import upsert
from resolvers.city_objects.records import CityObjectDraft, CityObjectType
from resolvers.stores.journal import events_after
from tests.fakes.city import ADA, CITY, TENANT, City

CREATE = """mutation ($input: CreateScenarioInput!) { createScenario(input: $input) { scenario {
  id uuid name description entityId createdBy createdAt updatedAt status parameters timeRange { startTs endTs } version
  entity { name } } } }"""
SET = (
    "mutation ($id: ID!, $status: ScenarioStatus!) { setScenarioStatus(input: {id: $id, status: $status}) { scenario { status version } } }"
)
UPDATE = """mutation ($input: UpdateScenarioInput!) { updateScenario(input: $input) { scenario {
  name description parameters timeRange { startTs endTs } version } } }"""
DELETE = "mutation ($id: ID!) { deleteScenario(input: {id: $id}) { deletedId } }"
LIST = """query ($status: [ScenarioStatus!], $orderBy: ScenarioOrder! = NAME_ASC, $first: Int, $after: String, $entityId: ID) {
  scenarios(status: $status, orderBy: $orderBy, first: $first, after: $after, entityId: $entityId) {
    nodes { name } totalCount pageInfo { hasNextPage endCursor } } }"""


async def buildings(city: City, *names: str) -> list[str]:
    """Their identifiers."""
    drafts = [CityObjectDraft(CityObjectType.BUILDING, name, "test", name, shapely.Point(24.9, 60.1), {}) for name in names]
    stored = await upsert(city.store, tenant=TENANT, city=CITY, drafts=drafts, now=1)
    return [f"{CITY}/object/{uuid}" for uuid in stored.uuids]


async def create(city: City, entity: str, name: str = "Heat wave", **more: Any) -> dict[str, Any]:
    answer = await city.ask(CREATE, {"input": {"entityId": entity, "name": name, **more}})
    scenario: dict[str, Any] = answer["createScenario"]["scenario"]
    return scenario


async def test_scenario_when_created_then_it_can_be_read_as_it_was_said(city: City) -> None:
    (mill,) = await buildings(city, "Mill")

    made = await create(
        city, mill, description="+4 K", parameters={"delta": 4.5, "of": ["T"]}, timeRange={"startTs": 0, "endTs": "1970-01-01T01:00:00Z"}
    )

    assert made == {
        "id": f"{CITY}/scenario/{made['uuid']}",
        "uuid": made["uuid"],
        "name": "Heat wave",
        "description": "+4 K",
        "entityId": mill,
        "createdBy": ADA,
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        "status": "CREATED",
        "parameters": {"delta": 4.5, "of": ["T"]},
        "timeRange": {"startTs": 0, "endTs": 3_600_000},
        "version": 1,
        "entity": {"name": "Mill"},
    }
    read = await city.ask("query ($id: ID!) { scenario(id: $id) { name parameters } }", {"id": made["uuid"]})
    assert read == {"scenario": {"name": "Heat wave", "parameters": {"delta": 4.5, "of": ["T"]}}}


async def test_scenario_when_created_twice_under_one_key_then_there_is_one(city: City) -> None:
    (mill,) = await buildings(city, "Mill")

    first, second = await asyncio.gather(create(city, mill, idempotencyKey="k"), create(city, mill, idempotencyKey="k"))

    assert first == second
    assert (await city.ask(LIST))["scenarios"]["totalCount"] == 1
    again = {"input": {"entityId": mill, "name": "Another", "idempotencyKey": "k"}}
    assert await city.codes(CREATE, again) == ["IDEMPOTENCY_KEY_REUSED"]


async def test_scenario_when_of_an_unknown_object_then_not_found_and_nothing_stored(city: City) -> None:
    nobody = f"{CITY}/object/00000000-0000-4000-8000-000000000000"

    assert await city.codes(CREATE, {"input": {"entityId": nobody, "name": "x"}}) == ["NOT_FOUND"]
    assert (await city.ask(LIST))["scenarios"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": " "}, "`name` has 1 characters: expected 1 to 200 characters, not all of them blank, none of them null"),
        ({"name": "x" * 201}, "`name` has 201 characters: expected 1 to 200 characters, not all of them blank, none of them null"),
        ({"description": "a\0b"}, "`description` has 3 characters: expected at most 10,000 characters, none of them null"),
        ({"timeRange": {"startTs": 5, "endTs": 4}}, "timeRange ends at 4, before its start at 5"),
        ({"parameters": {"a": "\0"}}, "`parameters` is nested more than 32 levels deep, or holds a null character"),
        ({"entityId": "nonsense"}, "'nonsense' is not a UUID in its 8-4-4-4-12 form"),
    ],
)
async def test_scenario_when_said_wrongly_then_the_fault_is_named(city: City, wrong: dict[str, Any], message: str) -> None:
    (mill,) = await buildings(city, "Mill")

    answer = await city.answer(CREATE, {"input": {"entityId": mill, "name": "x", **wrong}})

    assert [(error["extensions"]["code"], error["message"]) for error in answer.body["errors"]] == [("BAD_USER_INPUT", message)]


async def test_status_when_taken_along_its_way_then_each_step_is_told(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)

    way = ["QUEUED", "RUNNING", "FAILED", "QUEUED", "RUNNING", "COMPLETED"]
    seen = [(await city.ask(SET, {"id": made["id"], "status": status}))["setScenarioStatus"]["scenario"] for status in way]

    assert [step["status"] for step in seen] == way
    assert [step["version"] for step in seen] == [2, 3, 4, 5, 6, 7]
    events = await events_after(city.store, TENANT, "scenarios", 0, 100)
    assert [event.payload["status"] for event in events] == ["CREATED", *way]
    assert events[0].payload == {"city": CITY, "scenario": made["uuid"], "entity": mill.rpartition("/")[2], "status": "CREATED"}


@pytest.mark.parametrize(
    ("way", "refused"),
    [
        ([], "CREATED"),
        ([], "RUNNING"),
        ([], "COMPLETED"),
        ([], "FAILED"),
        (["QUEUED"], "CREATED"),
        (["QUEUED"], "COMPLETED"),
        (["QUEUED", "RUNNING"], "QUEUED"),
        (["QUEUED", "RUNNING", "COMPLETED"], "QUEUED"),
        (["QUEUED", "RUNNING", "FAILED"], "RUNNING"),
    ],
)
async def test_status_when_there_is_no_such_step_then_conflict_with_the_current_one(city: City, way: list[str], refused: str) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)
    for status in way:
        await city.ask(SET, {"id": made["id"], "status": status})

    answer = await city.answer(SET, {"id": made["id"], "status": refused})

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["currentStatus"]) == ("CONFLICT", way[-1] if way else "CREATED")


async def test_update_when_fields_are_absent_or_null_then_kept_or_cleared(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill, description="old", parameters={"a": 1}, timeRange={"startTs": 1, "endTs": 2})

    first = await city.ask(UPDATE, {"input": {"id": made["id"], "ifVersion": 1, "name": "New", "parameters": None}})
    second = await city.ask(UPDATE, {"input": {"id": made["id"], "ifVersion": 2, "description": None, "timeRange": None}})
    third = await city.ask(UPDATE, {"input": {"id": made["id"], "ifVersion": 3, "name": "New"}})

    kept = {"name": "New", "description": "old", "parameters": None, "timeRange": {"startTs": 1, "endTs": 2}, "version": 2}
    assert first["updateScenario"]["scenario"] == kept
    cleared = {"name": "New", "description": None, "parameters": None, "timeRange": None, "version": 3}
    assert second["updateScenario"]["scenario"] == cleared
    assert third["updateScenario"]["scenario"] == cleared


async def test_update_when_the_version_is_another_then_conflict_with_the_current_one(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)

    answer = await city.answer(UPDATE, {"input": {"id": made["id"], "ifVersion": 2, "name": "New"}})

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["currentVersion"]) == ("CONFLICT", 1)


async def test_scenario_when_deleted_then_gone_and_a_second_time_not_found(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)

    assert (await city.ask(DELETE, {"id": made["id"]}))["deleteScenario"] == {"deletedId": made["id"]}

    assert await city.codes(DELETE, {"id": made["id"]}) == ["NOT_FOUND"]
    assert (await city.ask("query ($id: ID!) { scenario(id: $id) { id } }", {"id": made["id"]})) == {"scenario": None}


async def test_scenarios_when_paged_filtered_and_ordered_then_each_once(city: City) -> None:
    mill, dam = await buildings(city, "Mill", "Dam")
    made = {name: await create(city, mill if name < "c" else dam, name) for name in ("b", "a", "Z", "c")}
    await city.ask(SET, {"id": made["a"]["id"], "status": "QUEUED"})

    seen, after = [], None
    for _ in range(4):
        page = (await city.ask(LIST, {"first": 1, "after": after}))["scenarios"]
        seen += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert (seen, page["totalCount"], page["pageInfo"]["hasNextPage"]) == (["Z", "a", "b", "c"], 4, False)
    queued = (await city.ask(LIST, {"status": ["QUEUED"]}))["scenarios"]
    assert queued["nodes"] == [{"name": "a"}]
    of_dam = (await city.ask(LIST, {"entityId": dam}))["scenarios"]
    assert of_dam["nodes"] == [{"name": "c"}]
    newest = (await city.ask(LIST, {"orderBy": "CREATED_AT_DESC"}))["scenarios"]["nodes"]
    assert sorted(node["name"] for node in newest) == ["Z", "a", "b", "c"]


async def test_scenarios_when_of_many_objects_then_each_has_its_own_page(city: City) -> None:
    document = """query ($n: Int!) { cityObjects(first: $n, orderBy: NAME_ASC) { nodes { name
      scenarios(first: 1, orderBy: NAME_ASC) { nodes { name } totalCount pageInfo { hasNextPage } } } } }"""
    entities = await buildings(city, *[f"b{n:02}" for n in range(12)])
    for name in ("y", "x"):
        await create(city, entities[3], name)

    answer = await city.ask(document, {"n": 12})

    found = {node["name"]: node["scenarios"] for node in answer["cityObjects"]["nodes"]}
    assert found["b03"] == {"nodes": [{"name": "x"}], "totalCount": 2, "pageInfo": {"hasNextPage": True}}
    assert found["b04"] == {"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": False}}


async def test_scenario_when_of_another_tenant_then_not_found(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)
    other = {"tenant": "SE-STOCKHOLM"}

    assert await city.ask("query ($id: ID!) { scenario(id: $id) { id } }", {"id": made["id"]}, **other) == {"scenario": None}
    assert (await city.ask(LIST, **other))["scenarios"]["totalCount"] == 0
    assert await city.codes(SET, {"id": made["id"], "status": "QUEUED"}, **other) == ["NOT_FOUND"]
    assert await city.codes(DELETE, {"id": made["id"]}, **other) == ["NOT_FOUND"]
    assert await city.codes(CREATE, {"input": {"entityId": mill, "name": "x"}}, **other) == ["NOT_FOUND"]
