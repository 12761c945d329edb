"""What hangs under a list costs the same number of statements for few objects and for many."""

import copy
from typing import Any

import pytest

from resolvers.stores.engine import Store
from tests.fakes.statements import count_statements
from tests.resolvers.city_objects.drafts import CITY, draft, put, scattered
from tests.subgraphs.city_objects.conftest import Ask

PAGE = """query ($first: Int) { cityObjects(first: $first, orderBy: NAME_ASC) { totalCount nodes {
  name geometry centroid city { id cityObjectCounts { count } extent }
  parent { name parent { name } }
  children(first: 3) { totalCount nodes { name nearby(radiusMetres: 300, first: 2) { distanceMetres } } }
  nearby(radiusMetres: 2000, first: 4) { distanceMetres node { name city { id } parent { name } } }
} } }"""

ENTITIES = """query ($reps: [_Any!]!) { _entities(representations: $reps) {
  ... on Building { name } ... on Road { name } ... on Sensor { name } ... on GenericCityObject { name } ... on City { id } } }"""


@pytest.fixture
async def full(city_store: Store) -> None:
    """120 objects, of which each but the first has a parent among the others, and half have children."""
    drafts = scattered(120)
    uuids = await put(city_store, *drafts)
    linked = [
        draft(it.source_id or "", it.geometry, type=it.type, name=f"Thing {number}", parent=uuids[number // 2] if number else None)
        for number, it in enumerate(drafts)
    ]
    await put(city_store, *linked)


async def test_statements_when_the_page_grows_then_their_number_does_not(full: None, city_store: Store, ask: Ask) -> None:
    with count_statements(city_store) as for_five:
        few = await ask(PAGE, {"first": 5})
    with count_statements(city_store) as for_hundred:
        many = await ask(PAGE, {"first": 100})

    assert few.errors == many.errors == []
    assert (len(few.data["cityObjects"]["nodes"]), len(many.data["cityObjects"]["nodes"])) == (5, 100)
    assert all(len(node["nearby"]) == 4 for node in many.data["cityObjects"]["nodes"])
    assert sum(node["parent"] is not None for node in many.data["cityObjects"]["nodes"]) >= 99
    # Of many, more parents are on the page themselves, and are not asked for again.
    assert len(for_hundred) <= len(for_five) <= 12


async def test_entities_when_a_thousand_are_asked_then_they_are_one_statement(full: None, city_store: Store, ask: Ask) -> None:
    page = await ask("{ cityObjects(first: 100) { nodes { id __typename name } } }")
    nodes = page.data["cityObjects"]["nodes"]
    names = ("CityObject", None)
    reps = [{"__typename": names[place % 2] or node["__typename"], "id": node["id"]} for place, node in enumerate(nodes * 10)]

    with count_statements(city_store) as statements:
        response = await ask(ENTITIES, {"reps": reps})

    assert response.errors == []
    assert response.data["_entities"] == [{"name": node["name"]} for node in nodes * 10]
    assert len(statements) == 1


async def test_entities_when_some_are_wrong_then_each_is_null_by_itself(full: None, ask: Ask) -> None:
    page = await ask("{ cityObjects(first: 1, filter: {types: [ROAD]}) { nodes { id name } } }")
    [road] = page.data["cityObjects"]["nodes"]
    unknown = f"{CITY}/object/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
    reps: list[Any] = [
        {"__typename": "CityObject", "id": road["id"]},
        {"__typename": "Planet", "id": "3"},
        {"__typename": "CityObject", "id": "nonsense"},
        {"__typename": "CityObject"},
        {"id": road["id"]},
        "text",
        {"__typename": "CityObject", "id": unknown},
        {"__typename": "Building", "id": road["id"]},
        {"__typename": "CityObjectFilter", "id": "1"},
        {"__typename": "Road", "id": road["id"], "extra": 1},
    ]
    sent = copy.deepcopy(reps)

    response = await ask(ENTITIES, {"reps": reps})

    good = {"name": road["name"]}
    assert response.data["_entities"] == [good, None, None, None, None, None, None, None, None, good]
    assert sorted((error["path"][1], error["extensions"]["code"]) for error in response.errors) == [
        (place, "BAD_USER_INPUT") for place in (1, 2, 3, 4, 5, 8)
    ]
    assert reps == sent
