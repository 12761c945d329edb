"""Filters, orders, pages and refusals of `cityObjects`."""

from typing import Any
from uuid import UUID

import pytest
import shapely

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import queries
from resolvers.city_objects.records import CityObjectType
from resolvers.stores.engine import Store
from subgraphs.city_objects import schema as city_objects
from subgraphs.city_objects.inputs import read_filter
from subgraphs.connections import Cursors
from tests.fakes.statements import count_statements, record_statements
from tests.resolvers.city_objects.drafts import CITY, TENANT, draft, put, scattered
from tests.subgraphs.city_objects.conftest import Ask, asking

LIST = """query ($filter: CityObjectFilter, $orderBy: CityObjectOrder! = ID_ASC, $first: Int, $after: String, $last: Int, $before: String) {
  cityObjects(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor distanceMetres node { sourceId uuid } } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor unansweredCities } } }"""


async def found(ask: Ask, filter: dict[str, Any]) -> list[str]:
    response = await ask(LIST, {"filter": filter})
    assert response.errors == []
    edges = response.data["cityObjects"]["edges"]
    assert response.data["cityObjects"]["totalCount"] == len(edges)
    return sorted(edge["node"]["sourceId"] for edge in edges)


@pytest.fixture
async def street(city_store: Store) -> None:
    triangle = shapely.Polygon([(24.90, 60.10), (24.92, 60.10), (24.90, 60.12)])
    await put(
        city_store,
        draft("triangle", triangle, name="ÄÄNEKOSKI 100%", attributes={"levels": 3, "tags": ["a", "b"], "a/b": True, "note": None}),
        draft("sensor", shapely.Point(24.95, 60.15), type=CityObjectType.SENSOR, name="air_1", attributes={"levels": "3"}),
        draft("east", shapely.Point(179.9, 0.0), attributes={"levels": 4.5, "address": {"street": "Kaivokatu"}}),
        draft("west", shapely.Point(-179.9, 0.0)),
    )


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["east", "sensor", "triangle", "west"]),
    ({"types": ["SENSOR"]}, ["sensor"]),
    ({"types": []}, []),
    # The triangle's bounds reach into this box, the triangle does not.
    ({"boundingBox": {"west": 24.915, "south": 60.115, "east": 25, "north": 60.2}}, ["sensor"]),
    ({"boundingBox": {"west": 24.89, "south": 60.09, "east": 25, "north": 60.2}}, ["sensor", "triangle"]),
    ({"boundingBox": {"west": 179, "south": -1, "east": -179, "north": 1}}, ["east", "west"]),
    ({"name": "äänek"}, ["triangle"]),
    ({"name": "0%"}, ["triangle"]),
    ({"name": "%"}, ["triangle"]),
    ({"name": "R_1"}, ["sensor"]),
    ({"name": "r%1"}, []),
    ({"source": "test", "sourceIds": ["east", "none"]}, ["east"]),
    ({"source": "other"}, []),
    ({"updatedSince": 1_000}, ["east", "sensor", "triangle", "west"]),
    ({"updatedSince": "1970-01-01T00:00:01.001Z"}, []),
    ({"attributes": [{"path": "/levels", "value": 3}]}, ["triangle"]),
    ({"attributes": [{"path": "/levels", "value": "3"}]}, ["sensor"]),
    ({"attributes": [{"path": "/levels", "op": "GTE", "value": 3}]}, ["east", "triangle"]),
    ({"attributes": [{"path": "/levels", "op": "NE", "value": 3}]}, ["east", "sensor"]),
    ({"attributes": [{"path": "/levels", "op": "IN", "value": [4.5, "3", None]}]}, ["east", "sensor"]),
    ({"attributes": [{"path": "/levels", "op": "EXISTS"}]}, ["east", "sensor", "triangle"]),
    ({"attributes": [{"path": "/levels", "op": "EXISTS", "value": False}]}, ["west"]),
    ({"attributes": [{"path": "/tags/1", "value": "b"}]}, ["triangle"]),
    ({"attributes": [{"path": "/tags/01", "value": "b"}]}, []),
    ({"attributes": [{"path": "/a~1b", "value": True}]}, ["triangle"]),
    ({"attributes": [{"path": "/note", "value": None}]}, ["triangle"]),
    ({"attributes": [{"path": "/address/street", "op": "LT", "value": "L"}, {"path": "/levels", "op": "LT", "value": 5}]}, ["east"]),
    ({"attributes": [{"path": "/levels/deeper", "op": "EXISTS"}]}, []),
    ({"near": {"point": {"longitude": 24.95, "latitude": 60.15}, "radiusMetres": 0}}, ["sensor"]),
    ({"near": {"point": {"longitude": 180, "latitude": 0}, "radiusMetres": 12_000}}, ["east", "west"]),
]


async def test_filter_when_given_then_only_what_meets_it_is_found(street: None, ask: Ask) -> None:
    assert [(filter, await found(ask, filter)) for filter, _ in FILTERS] == FILTERS


async def test_intersects_when_an_outline_touches_then_bounds_alone_do_not_count(street: None, ask: Ask) -> None:
    corner = {"type": "Polygon", "coordinates": [[[24.93, 60.13], [24.915, 60.115], [24.93, 60.115], [24.93, 60.13]]]}
    edge = {"type": "MultiPolygon", "coordinates": [[[[24.92, 60.10], [24.93, 60.10], [24.93, 60.11], [24.92, 60.10]]]]}

    assert await found(ask, {"intersects": corner}) == []
    assert await found(ask, {"intersects": edge}) == ["triangle"]


async def test_names_when_ordered_then_by_code_point_and_the_nameless_last(city_store: Store, ask: Ask) -> None:
    for name in ("b", "Z", "ä", "\U0001f3e0", "\uffee", None):
        await put(city_store, draft(str(name), name=name))

    ascending = await ask(LIST, {"orderBy": "NAME_ASC"})
    descending = await ask(LIST, {"orderBy": "NAME_DESC"})

    names = ["Z", "b", "ä", "\uffee", "\U0001f3e0"]
    assert [edge["node"]["sourceId"] for edge in ascending.data["cityObjects"]["edges"]] == [*names, "None"]
    assert [edge["node"]["sourceId"] for edge in descending.data["cityObjects"]["edges"]] == [*reversed(names), "None"]


async def test_pages_when_walked_both_ways_then_they_show_the_same_objects_once(city_store: Store, ask: Ask) -> None:
    for moment in (1_000, 2_000):
        await put(city_store, *scattered(20, seed=moment)[:10] if moment == 1_000 else scattered(20, seed=2)[10:], now=moment)
    for order in ("ID_ASC", "NAME_ASC", "NAME_DESC", "UPDATED_AT_ASC", "UPDATED_AT_DESC", "DISTANCE_ASC"):
        await _walk(ask, order)


async def _walk(ask: Ask, order: str) -> None:
    near = {"near": {"point": {"longitude": 24.94, "latitude": 60.17}, "radiusMetres": 50_000}}
    wanted = {"filter": near if order == "DISTANCE_ASC" else None, "orderBy": order}
    whole = (await ask(LIST, wanted)).data["cityObjects"]

    forward, after = [], None
    for page in range(4):
        got = (await ask(LIST, {**wanted, "first": 6, "after": after})).data["cityObjects"]
        assert got["pageInfo"]["hasPreviousPage"] is (page > 0)
        assert got["pageInfo"]["hasNextPage"] is (page < 3)
        forward, after = forward + got["edges"], got["pageInfo"]["endCursor"]
    backward, before = [], None
    while True:
        got = (await ask(LIST, {**wanted, "last": 6, "before": before})).data["cityObjects"]
        backward, before = got["edges"] + backward, got["pageInfo"]["startCursor"]
        if not got["pageInfo"]["hasPreviousPage"]:
            break

    assert len(whole["edges"]) == whole["totalCount"] == 20
    assert forward == whole["edges"]
    assert backward == whole["edges"]


BOX = {"west": 24, "south": 60, "east": 25, "north": 61}


def _cursor(nameless: int, name: str) -> str:
    """One that no field returned, but that looks like it."""
    return Cursors.under("cityObjects", "NAME_ASC", (int, str, str, UUID), read_filter(None, None, CITY)).write(
        (nameless, name, CITY, UUID(int=0))
    )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"first": -1}, "`first` is -1: expected 0 to 1,000"),
    ({"first": 1_001}, "`first` is 1001: expected 0 to 1,000"),
    ({"last": -1}, "`last` is -1: expected 0 to 1,000"),
    ({"first": 1, "last": 1}, "not by both"),
    ({"after": "nonsense"}, "'nonsense' is not a cursor"),
    ({"orderBy": "DISTANCE_ASC"}, "needs `filter.near`"),
    ({"filter": {"boundingBox": BOX | {"north": 91}}}, "outside the globe: `north` is 91.0"),
    ({"filter": {"boundingBox": BOX | {"west": -181}}}, "outside the globe: `west` is -181.0"),
    ({"filter": {"boundingBox": BOX | {"south": 62}}}, "upside down"),
    ({"filter": {"near": {"point": {"longitude": 0, "latitude": 0}, "radiusMetres": 50_001}}}, "expected 0 to 50,000"),
    ({"filter": {"near": {"point": {"longitude": 0, "latitude": 0}, "radiusMetres": -1}}}, "expected 0 to 50,000"),
    ({"filter": {"near": {"point": {"longitude": 0, "latitude": 100}, "radiusMetres": 1}}}, "outside the globe"),
    ({"filter": {"attributes": [{"path": "levels", "value": 1}]}}, "not an RFC 6901 pointer"),
    ({"filter": {"attributes": [{"path": "/a~2", "value": 1}]}}, "not an RFC 6901 pointer"),
    ({"filter": {"attributes": [{"path": "/a", "op": "LT", "value": True}]}}, "LT takes a number or a string"),
    ({"filter": {"attributes": [{"path": "/a", "op": "IN", "value": 3}]}}, "IN takes a list"),
    ({"filter": {"attributes": [{"path": "/a", "value": {"b": 1}}]}}, "EQ compares with"),
    ({"filter": {"intersects": {"type": "Point", "coordinates": [0, 0]}}}, "expected Polygon, MultiPolygon"),
    ({"filter": {"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0]]]}}}, "last equals the first"),
    ({"filter": {"parentId": "FI-HELSINKI/model/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"}}, "kind 'model'"),
    ({"filter": {"sourceIds": ["x"] * 1_001}}, "1,001 items: expected at most 1,000"),
    ({"filter": {"updatedSince": "yesterday"}}, "'yesterday' is not a Timestamp"),
    ({"orderBy": "SIZE_ASC"}, "SIZE_ASC"),
]


async def test_input_when_it_is_wrong_then_it_is_refused_with_a_word(ask: Ask) -> None:
    for variables, message in WRONG:
        response = await ask(LIST, variables)

        assert [error["extensions"]["code"] for error in response.errors] == ["BAD_USER_INPUT"], variables
        assert message in response.errors[0]["message"]


async def test_cursor_when_it_comes_from_elsewhere_then_it_is_refused(city_store: Store, ask: Ask) -> None:
    [house] = await put(city_store, draft("house"))
    await put(city_store, draft("room", parent=house))
    children = await ask("query ($id: ID!) { cityObject(id: $id) { children { edges { cursor } } } }", {"id": str(house)})
    by_name = await ask(LIST, {"orderBy": "NAME_ASC"})
    from_children = children.data["cityObject"]["children"]["edges"][0]["cursor"]
    from_names = by_name.data["cityObjects"]["edges"][0]["cursor"]

    other_field = await ask(LIST, {"after": from_children})
    other_order = await ask(LIST, {"after": from_names})
    other_filter = await ask(LIST, {"after": from_names, "orderBy": "NAME_ASC", "filter": {"name": "x"}})

    assert other_field.errors[0]["message"] == "The cursor comes from 'children' and means nothing in 'cityObjects'"
    assert other_order.errors[0]["message"] == "The cursor belongs to the order NAME_ASC and not to ID_ASC"
    assert other_filter.errors[0]["message"] == "The cursor comes from a list with another filter"
    assert {error["extensions"]["code"] for r in (other_field, other_order, other_filter) for error in r.errors} == {"BAD_USER_INPUT"}


async def test_count_when_it_is_not_selected_then_nothing_is_counted(city_store: Store, ask: Ask) -> None:
    with count_statements(city_store) as without:
        await ask("{ cityObjects { nodes { id } } }")
    with count_statements(city_store) as counted:
        await ask("{ cityObjects { nodes { id } totalCount } }")

    assert (len(without), len(counted)) == (1, 2)
    assert not any("count(" in statement for statement in without)


async def test_plan_when_a_box_is_asked_then_the_spatial_index_answers(sqlite_store: Store) -> None:
    plan = await _sqlite_plan(sqlite_store, {"filter": {"boundingBox": BOX}})

    assert any("city_object_geometry_rt VIRTUAL TABLE INDEX 2:" in step for step in plan)
    assert plan[0] == "SEARCH city_object USING INTEGER PRIMARY KEY (rowid=?)"


async def test_plan_when_a_box_holds_much_then_an_index_has_the_order(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_FEW", 5)

    plan = await _sqlite_plan(sqlite_store, {"filter": {"boundingBox": BOX}})

    assert plan[0].startswith("SEARCH city_object USING INDEX")
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


async def test_plan_when_everything_is_listed_then_an_index_has_the_order(sqlite_store: Store) -> None:
    for order in ("ID_ASC", "NAME_ASC", "NAME_DESC", "UPDATED_AT_ASC", "UPDATED_AT_DESC"):
        plan = await _sqlite_plan(sqlite_store, {"orderBy": order, "first": 5})

        assert len(plan) == 1
        assert plan[0].startswith("SEARCH city_object USING INDEX")


async def _sqlite_plan(store: Store, variables: dict[str, Any]) -> list[str]:
    """The steps by which the page after the first one is found."""
    ask = asking(city_objects, store)
    await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki")
    await put(store, *scattered(30))
    page = LIST.replace("totalCount", "")
    first = await ask(page, variables)
    with record_statements(store) as sent:
        await ask(page, {**variables, "after": first.data["cityObjects"]["pageInfo"]["endCursor"]})
    sql, parameters = sent[-1]
    async with store.read() as connection:
        return [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
