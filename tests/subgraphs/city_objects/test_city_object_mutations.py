"""`upsertCityObjects` and `deleteCityObject`, through the gateway, on either store."""

import asyncio
from typing import Any

import pytest

from graph.contracts import source_uuid
from resolvers.stores.journal import events_after
from tests.fakes.city import CITY, TENANT, City

UPSERT = """mutation ($input: UpsertCityObjectsInput!) { upsertCityObjects(input: $input) {
  created updated unchanged rejections { pointer code message }
  objects { id type name source sourceId version attributes geometry parent { id } } } }"""
DELETE = "mutation ($id: ID!) { deleteCityObject(input: {id: $id}) { deletedId } }"
POINT = {"type": "Point", "coordinates": [24.94, 60.17]}
SQUARE = [[24.94, 60.17], [24.941, 60.17], [24.941, 60.171], [24.94, 60.171], [24.94, 60.17]]


def thing(source_id: str, **members: Any) -> dict[str, Any]:
    return {"type": "BUILDING", "source": "test", "sourceId": source_id, "geometry": POINT, **members}


def identifier(source_id: str) -> str:
    return f"{CITY}/object/{source_uuid(TENANT, 'test', source_id)}"


async def upsert(city: City, *objects: dict[str, Any], **members: Any) -> Any:
    answer = await city.ask(UPSERT, {"input": {"objects": list(objects), **members}}, roles=("city_editor", "dt_viewer"))
    return answer["upsertCityObjects"]


async def rejections(city: City, *objects: dict[str, Any]) -> list[tuple[str, str]]:
    answer = await upsert(city, *objects)
    return [(it["pointer"], it["code"]) for it in answer["rejections"]]


async def test_upsert_when_objects_are_new_changed_and_same_then_each_is_counted_and_told(city: City) -> None:
    first = await upsert(city, thing("a", name="A"), thing("b", name="B", attributes={"levels": 3}))
    again = await upsert(city, thing("b", name="B"), thing("c"), thing("a", name="New", attributes={}))

    assert (first["created"], first["updated"], first["unchanged"], first["rejections"]) == (2, 0, 0, [])
    assert (again["created"], again["updated"], again["unchanged"], again["rejections"]) == (1, 1, 1, [])
    assert [(it["id"], it["name"], it["version"], it["attributes"]) for it in again["objects"]] == [
        (identifier("b"), "B", 1, {"levels": 3}),
        (identifier("c"), None, 1, {}),
        (identifier("a"), "New", 2, {}),
    ]
    events = await events_after(city.store, TENANT, "objects", 0, 10)
    uuids = {name: identifier(name).rpartition("/")[2] for name in "abc"}
    assert [(event.kind, event.payload["objects"]) for event in events] == [
        ("CityObjectsChanged", [[uuids["a"], "CREATED"], [uuids["b"], "CREATED"]]),
        ("CityObjectsChanged", [[uuids["c"], "CREATED"], [uuids["a"], "UPDATED"]]),
    ]


async def test_upsert_when_members_are_absent_then_they_stay_and_null_clears_them(city: City) -> None:
    await upsert(city, thing("house"), thing("a", name="A", attributes={"levels": 3}, parentId=identifier("house")))
    await upsert(city, thing("house"))

    kept = await upsert(city, {"id": identifier("a"), "type": "ROAD", "geometry": POINT})
    cleared = await upsert(
        city, {"id": identifier("a"), "type": "ROAD", "geometry": POINT, "name": None, "attributes": None, "parentId": None}
    )

    [it] = kept["objects"]
    assert (it["type"], it["name"], it["source"], it["sourceId"], it["attributes"]) == ("ROAD", "A", "test", "a", {"levels": 3})
    assert it["parent"] == {"id": identifier("house")}
    [it] = cleared["objects"]
    assert (it["name"], it["sourceId"], it["attributes"], it["parent"], it["version"]) == (None, "a", {}, None, 3)


async def test_upsert_when_some_objects_are_wrong_then_the_others_are_stored(city: City) -> None:
    bow_tie = [[24.94, 60.17], [24.95, 60.18], [24.95, 60.17], [24.94, 60.18], [24.94, 60.17]]
    unknown = "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
    deep: Any = 1
    for _ in range(20):
        deep = {"a": deep}

    answer = await upsert(
        city,
        thing("good/0"),
        thing("1", geometry={"type": "Polygon", "coordinates": [bow_tie]}),
        thing("2", geometry={"type": "GeometryCollection", "geometries": []}),
        thing("3", parentId=unknown[:-1] + "b"),
        thing("4", id=f"{CITY}/model/{unknown}"),
        thing("5", id=f"DE-BERLIN/object/{unknown}"),
        thing("6", attributes={"deep": deep}),
        thing("7", attributes={"long": "x" * 70_000}),
        thing("8", name="null\0"),
        thing("9", name="x" * 501),
        thing("10", attributes={"nul\0l": 1}),
        thing("11", parentId=f"{CITY}/scenario/{unknown}"),
        thing("good/0", id=unknown, name="by its source"),
        {"id": unknown, "type": "SENSOR", "geometry": POINT},
        thing("good/0", id=unknown),
    )

    assert [(it["pointer"], it["code"]) for it in answer["rejections"]] == [
        ("/objects/1/geometry", "BAD_USER_INPUT"),
        ("/objects/2/geometry", "BAD_USER_INPUT"),
        ("/objects/3/parentId", "NOT_FOUND"),
        ("/objects/4/id", "BAD_USER_INPUT"),
        ("/objects/5/id", "NOT_FOUND"),
        ("/objects/6/attributes", "BAD_USER_INPUT"),
        ("/objects/7/attributes", "BAD_USER_INPUT"),
        ("/objects/8/name", "BAD_USER_INPUT"),
        ("/objects/9/name", "BAD_USER_INPUT"),
        ("/objects/10/attributes", "BAD_USER_INPUT"),
        ("/objects/11/parentId", "BAD_USER_INPUT"),
        ("/objects/12/sourceId", "CONFLICT"),
        ("/objects/14/sourceId", "CONFLICT"),
    ]
    assert [it["id"] for it in answer["objects"]] == [identifier("good/0"), f"{CITY}/object/{unknown}"]
    assert "Self-intersection" in answer["rejections"][0]["message"]
    assert "expected Point, MultiPoint, LineString" in answer["rejections"][1]["message"]


async def test_parents_when_they_come_in_the_same_call_then_order_does_not_matter(city: City) -> None:
    house, room = "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a", "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1b"

    answer = await upsert(city, thing("room", id=room, parentId=house), thing("house", id=house))

    assert answer["rejections"] == []
    assert answer["objects"][0]["parent"] == {"id": f"{CITY}/object/{house}"}


async def test_parents_when_they_are_refused_or_form_a_circle_then_their_objects_are_refused(city: City) -> None:
    await upsert(city, thing("top"), thing("middle", parentId=identifier("top")))
    await upsert(city, thing("middle", parentId=identifier("top")), thing("bottom", parentId=identifier("middle")))

    circle = await rejections(city, thing("top", parentId=identifier("bottom")))
    itself = await rejections(city, thing("top", parentId=identifier("top")))
    by_refused = await rejections(
        city,
        thing("new/child", parentId=identifier("new/parent")),
        thing("new/parent", parentId="2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"),
        thing("top/child", parentId=identifier("top")),
    )
    chain = [thing(f"level/{n}", parentId=identifier(f"level/{n - 1}") if n else None) for n in range(120)]
    too_deep = await rejections(city, *chain)

    assert circle == itself == [("/objects/0/parentId", "BAD_USER_INPUT")]
    assert by_refused == [("/objects/0/parentId", "NOT_FOUND"), ("/objects/1/parentId", "NOT_FOUND")]
    assert too_deep[0] == ("/objects/101/parentId", "BAD_USER_INPUT")
    assert len(too_deep) == 19


async def test_geometry_when_it_is_solid_and_clockwise_then_heights_stay_and_rings_turn(city: City) -> None:
    roof = [[*place, 12.345678] for place in SQUARE]
    floor = [[*place, 0.1] for place in SQUARE]
    wall = [[24.94, 60.17, 0.1], [24.94, 60.17, 12.3], [24.941, 60.17, 12.3], [24.941, 60.17, 0.1], [24.94, 60.17, 0.1]]
    sent = {
        "flat": {"type": "Polygon", "coordinates": [SQUARE[::-1]]},
        "roof": {"type": "Polygon", "coordinates": [roof]},
        "solid": {"type": "MultiPolygon", "coordinates": [[floor], [roof], [wall]]},
        "line": {"type": "LineString", "coordinates": [[24.94, 60.17, -1.5], [24.95, 60.18, 2.25]]},
        "points": {"type": "MultiPoint", "coordinates": [[-180, 90, 1], [180, -90, 2]]},
    }

    answer = await upsert(city, *(thing(name, geometry=geometry) for name, geometry in sent.items()))

    assert answer["rejections"] == []
    came = {it["sourceId"]: it["geometry"] for it in answer["objects"]}
    assert came["flat"] == {"type": "Polygon", "coordinates": [SQUARE]}
    assert came["solid"]["coordinates"][:2] == [[floor], [roof]]
    assert {name: came[name] for name in ("roof", "line", "points")} == {name: sent[name] for name in ("roof", "line", "points")}
    # A solid, invalid from above, is found by shape as any other.
    query = """query ($filter: CityObjectFilter) { cityObjects(filter: $filter) { nodes { sourceId } } }"""
    outline = {"type": "Polygon", "coordinates": [[[24.9405, 60.16], [24.95, 60.16], [24.9405, 60.1703], [24.9405, 60.16]]]}
    found = await city.ask(query, {"filter": {"intersects": outline}})
    assert {node["sourceId"] for node in found["cityObjects"]["nodes"]} == {"flat", "roof", "solid"}


async def test_geometry_when_it_is_against_rfc_7946_then_it_is_refused_with_a_reason(city: City) -> None:
    hole_outside = [[24.0, 60.0], [24.1, 60.0], [24.1, 60.1], [24.0, 60.0]]
    nested: Any = 1.0
    for _ in range(200):
        nested = [nested]
    wrong = [
        ({"type": "Polygon", "coordinates": [SQUARE[:-1]]}, "last equals the first"),
        ({"type": "Polygon", "coordinates": [SQUARE, hole_outside]}, "Hole lies outside shell"),
        ({"type": "Point", "coordinates": [180.1, 0]}, "off the globe"),
        ({"type": "Point", "coordinates": [0]}, "expected [longitude, latitude]"),
        ({"type": "Point", "coordinates": [0, 0, 0, 0]}, "expected [longitude, latitude]"),
        ({"type": "Point", "coordinates": [0, "0"]}, "expected [longitude, latitude]"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "make no geometry"),
        ({"type": "LineString", "coordinates": [[0, 0], [0, 0]]}, "invalid"),
        ({"type": "LineString", "coordinates": [[179.9, 0], [-179.9, 0]]}, "crosses the antimeridian"),
        ({"type": "Polygon", "coordinates": [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]]}, "crosses the antimeridian"),
        ({"type": "Point", "coordinates": nested}, "expected [longitude, latitude]"),
        ({"type": "MultiPolygon", "coordinates": nested}, "expected [longitude, latitude]"),
        ({"type": "Point"}, "expected a list"),
        ({"type": "MultiPoint", "coordinates": [[0, 0]] * 100_001}, "at most 100,000 positions"),
    ]

    answer = await upsert(city, *(thing(str(place), geometry=geometry) for place, (geometry, _) in enumerate(wrong)))

    assert [it["pointer"] for it in answer["rejections"]] == [f"/objects/{place}/geometry" for place in range(len(wrong))]
    for rejection, (geometry, reason) in zip(answer["rejections"], wrong, strict=True):
        assert reason in rejection["message"], geometry["type"]
        assert rejection["code"] == "BAD_USER_INPUT"


async def test_geometry_when_it_is_cut_at_the_antimeridian_then_it_is_found_on_both_sides(city: City) -> None:
    cut = [[[[179.9, 0], [180, 0], [180, 1], [179.9, 1], [179.9, 0]]], [[[-180, 0], [-179.9, 0], [-179.9, 1], [-180, 1], [-180, 0]]]]
    await upsert(city, thing("taveuni", geometry={"type": "MultiPolygon", "coordinates": cut}))
    query = "query ($box: BoundingBoxInput!) { cityObjects(filter: {boundingBox: $box}) { totalCount } }"

    counts = [
        (await city.ask(query, {"box": {"west": west, "south": 0.2, "east": east, "north": 0.4}}))["cityObjects"]["totalCount"]
        for west, east in ((179, -179), (179.95, 180), (-180, -179.95), (-179, 179))
    ]

    # The last box has all of the globe but these two degrees.
    assert counts == [1, 1, 1, 0]


async def test_key_when_used_again_then_the_first_answer_and_one_effect(city: City) -> None:
    first = await upsert(city, thing("a"), thing("b", geometry={"type": "Point", "coordinates": [999, 0]}), idempotencyKey="k")
    again = await upsert(city, thing("a"), thing("b", geometry={"type": "Point", "coordinates": [999, 0]}), idempotencyKey="k")
    other = {"input": {"objects": [thing("a", name="x")], "idempotencyKey": "k"}}

    assert again == first
    assert first["created"] == 1
    assert len(await events_after(city.store, TENANT, "objects", 0, 10)) == 1
    assert await city.codes(UPSERT, other) == ["IDEMPOTENCY_KEY_REUSED"]


@pytest.mark.parametrize(
    ("members", "code"), [({"objects": [], "city": "DE-BERLIN"}, "NOT_FOUND"), ({"objects": [thing("a")] * 1_001}, "BAD_USER_INPUT")]
)
async def test_upsert_when_the_call_is_wrong_then_it_is_refused_whole(city: City, members: dict[str, Any], code: str) -> None:
    assert await city.codes(UPSERT, {"input": members}) == [code]


async def test_upsert_when_many_store_one_source_at_once_then_there_is_one_object(city: City) -> None:
    answers = await asyncio.gather(*(upsert(city, thing("a", name=f"by {n}"), thing(f"own/{n}")) for n in range(8)))

    assert sum(answer["created"] for answer in answers) == 9
    assert sum(answer["updated"] for answer in answers) == 7
    found = await city.ask('{ cityObjects(filter: {sourceIds: ["a"]}) { nodes { version } } }')
    assert found["cityObjects"]["nodes"] == [{"version": 8}]


async def test_delete_when_it_has_children_points_and_scenarios_then_only_children_stay(city: City) -> None:
    await upsert(city, thing("house"), thing("room"))
    await upsert(city, thing("room", parentId=identifier("house")))
    house = identifier("house")
    point = {"key": "level", "unit": "m", "timestamps": [1_000], "values": [1.5]}
    await city.ask(
        "mutation ($input: IngestTelemetryInput!) { ingestTelemetry(input: $input) { acceptedPoints } }",
        {"input": {"entities": [{"entityId": house, "series": [point]}]}},
    )
    scenario = await city.ask(
        'mutation ($id: ID!) { createScenario(input: {name: "flood", entityId: $id}) { scenario { id } } }', {"id": house}
    )

    deleted = await city.ask(DELETE, {"id": house}, roles=("city_editor",))
    await upsert(city, thing("house"))

    assert deleted == {"deleteCityObject": {"deletedId": house}}
    after = await city.ask(
        """query ($house: ID!, $room: ID!, $scenario: ID!) { room: cityObject(id: $room) { version parent { id } }
        house: cityObject(id: $house) { version telemetryKeys { key } } scenario(id: $scenario) { id } }""",
        {"house": house, "room": identifier("room"), "scenario": scenario["createScenario"]["scenario"]["id"]},
    )
    assert after == {"room": {"version": 3, "parent": None}, "house": {"version": 1, "telemetryKeys": []}, "scenario": None}
    events = await events_after(city.store, TENANT, "objects", 0, 10)
    uuids = [identifier(name).rpartition("/")[2] for name in ("house", "room")]
    assert events[-2].payload["objects"] == [[uuids[0], "DELETED"], [uuids[1], "UPDATED"]]


async def test_delete_when_it_is_not_there_or_another_tenants_then_not_found(city: City) -> None:
    await upsert(city, thing("a"))

    assert await city.codes(DELETE, {"id": identifier("b")}) == ["NOT_FOUND"]
    assert await city.codes(DELETE, {"id": identifier("a")}, tenant="DE-BERLIN") == ["NOT_FOUND"]
    assert await city.codes(DELETE, {"id": identifier("a").replace(CITY, "DE-BERLIN")}) == ["NOT_FOUND"]


async def test_mutations_when_the_role_is_missing_then_forbidden(city: City) -> None:
    assert await city.codes(UPSERT, {"input": {"objects": []}}, roles=("dt_viewer",)) == ["FORBIDDEN"]
    assert await city.codes(DELETE, {"id": identifier("a")}, roles=("dt_viewer",)) == ["FORBIDDEN"]
