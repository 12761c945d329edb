"""`node` and `nodes`: whatever an identifier names, whoever owns it, and never a phantom."""

import pytest
import shapely

from resolvers.city_objects.commands import upsert
from resolvers.city_objects.records import CityObjectDraft, CityObjectType
from tests.fakes.city import CITY, TENANT, City
from tests.fakes.statements import count_all_statements

NODE = """query ($id: ID!) { node(id: $id) { __typename id ... on CityObject { name version } ... on Building { heightMetres }
  ... on Scenario { title: name state: status entity { name } } ... on City { cityName: name status } } }"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on CityObject { name } ... on Scenario { title: name } } }"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def mill_and_road(city: City) -> list[str]:
    drafts = [
        CityObjectDraft(CityObjectType.BUILDING, "Mill", "test", "1", shapely.Point(24.9, 60.1), {"heightMetres": 12.5}),
        CityObjectDraft(CityObjectType.ROAD, "Lane", "test", "2", shapely.LineString([(24.9, 60.1), (24.91, 60.1)]), {}),
    ]
    stored = await upsert(city.store, tenant=TENANT, city=CITY, drafts=drafts, now=1)
    return [f"{CITY}/object/{uuid}" for uuid in stored.uuids]


async def heat_wave(city: City, entity: str) -> str:
    made = await city.ask(
        'mutation ($e: ID!) { createScenario(input: {entityId: $e, name: "Heat wave"}) { scenario { id } } }', {"e": entity}
    )
    id: str = made["createScenario"]["scenario"]["id"]
    return id


async def test_node_when_a_city_object_then_as_its_own_type(city: City) -> None:
    mill, _ = await mill_and_road(city)

    answer = await city.ask(NODE, {"id": mill})

    assert answer == {"node": {"__typename": "Building", "id": mill, "name": "Mill", "version": 1, "heightMetres": 12.5}}


async def test_node_when_of_any_kind_then_answered_by_its_owner(city: City) -> None:
    mill, _ = await mill_and_road(city)
    scenario = await heat_wave(city, mill)

    a, b = await city.ask(NODE, {"id": scenario}), await city.ask(NODE, {"id": CITY})

    assert a["node"] == {"__typename": "Scenario", "id": scenario, "title": "Heat wave", "state": "CREATED", "entity": {"name": "Mill"}}
    assert b["node"] == {"__typename": "City", "id": CITY, "cityName": "Helsinki", "status": "AVAILABLE"}


@pytest.mark.parametrize(
    "id", [f"{CITY}/object/{NOBODY}", f"{CITY}/scenario/{NOBODY}", "SE-NOWHERE", NOBODY, f"SE-NOWHERE/object/{NOBODY}"]
)
async def test_node_when_there_is_no_such_thing_then_null_even_where_its_id_alone_is_asked(city: City, id: str) -> None:
    assert await city.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": id}) == {"node": None}


async def test_node_when_another_tenants_then_null(city: City) -> None:
    mill, _ = await mill_and_road(city)

    assert await city.ask(NODE, {"id": mill}, tenant="SE-STOCKHOLM") == {"node": None}


@pytest.mark.parametrize("id", [f"{CITY}/viewer/{NOBODY}", f"{CITY}/object/1", "a/b", "/object/" + NOBODY])
async def test_node_when_no_identifier_then_bad_user_input(city: City, id: str) -> None:
    answer = await city.answer(NODE, {"id": id})

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["path"], answer.body["data"]) == ("BAD_USER_INPUT", ["node"], {"node": None})


async def test_nodes_when_of_several_kinds_then_in_the_order_asked_and_one_fault_is_its_own(city: City) -> None:
    mill, lane = await mill_and_road(city)
    scenario = await heat_wave(city, mill)

    answer = await city.answer(NODES, {"ids": [lane, scenario, f"{CITY}/object/{NOBODY}", "a/b", mill, lane]})

    assert answer.body["data"]["nodes"] == [
        {"id": lane, "name": "Lane"},
        {"id": scenario, "title": "Heat wave"},
        None,
        None,
        {"id": mill, "name": "Mill"},
        {"id": lane, "name": "Lane"},
    ]
    assert [(error["path"], error["extensions"]["code"]) for error in answer.body["errors"]] == [(["nodes", 3], "BAD_USER_INPUT")]


async def test_nodes_when_many_then_one_statement_for_each_owner(city: City) -> None:
    ids = await mill_and_road(city)

    counts = []
    for asked in (ids, ids * 20):
        with count_all_statements() as statements:
            await city.ask(NODES, {"ids": asked})
        counts.append(len(statements))

    assert counts == [1, 1]


async def test_nodes_when_more_than_a_thousand_then_bad_user_input(city: City) -> None:
    assert await city.codes(NODES, {"ids": [CITY] * 1_001}) == ["BAD_USER_INPUT"]


async def test_node_when_the_caller_may_not_see_its_kind_then_forbidden_whether_there_is_one_or_not(city: City) -> None:
    mill, _ = await mill_and_road(city)

    answers = [await city.answer(NODES, {"ids": [id, CITY]}, roles=("admin",)) for id in (mill, f"{CITY}/object/{NOBODY}")]

    for answer in answers:
        (error,) = answer.body["errors"]
        assert answer.body["data"]["nodes"] == [None, {"id": CITY}]
        assert (error["path"], error["extensions"]["code"]) == (["nodes", 0], "FORBIDDEN")
        assert error["extensions"]["requiredScopes"] == [["objects:read"], ["objects:write"]]
