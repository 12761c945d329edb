"""What one city object tells."""

import shapely

from resolvers.city_objects.records import CityObjectType
from resolvers.stores.engine import Store
from tests.resolvers.city_objects.drafts import CITY, draft, put
from tests.subgraphs.city_objects.conftest import Ask

SQUARE = shapely.box(24.94, 60.17, 24.941, 60.171)
RING = [[24.94, 60.17], [24.941, 60.17], [24.941, 60.171], [24.94, 60.171], [24.94, 60.17]]


async def test_building_when_asked_then_its_typed_fields_come_from_its_attributes(city_store: Store, ask: Ask) -> None:
    attributes = {
        "buildingType": "hotel",
        "address": {"street": "Kaivokatu", "houseNumber": "1"},
        "heightMetres": 21,
        "storeysAboveGround": "many",
        "yearBuilt": 1936,
    }
    [uuid] = await put(city_store, draft("way/1", SQUARE, name="Mylly", attributes=attributes))

    response = await ask(
        """query ($id: ID!) { cityObject(id: $id) { __typename id uuid type name source sourceId version createdAt
        city { id } attributes centroid
        ... on Building { buildingType address { street houseNumber postcode } heightMetres storeysAboveGround yearBuilt } } }""",
        {"id": str(uuid)},
    )

    assert response.errors == []
    assert response.data == {
        "cityObject": {
            "__typename": "Building",
            "id": f"{CITY}/object/{uuid}",
            "uuid": str(uuid),
            "type": "BUILDING",
            "name": "Mylly",
            "source": "test",
            "sourceId": "way/1",
            "version": 1,
            "createdAt": 1_000,
            "city": {"id": CITY},
            "attributes": attributes,
            "centroid": {"type": "Point", "coordinates": [24.9405, 60.1705]},
            "buildingType": "hotel",
            "address": {"street": "Kaivokatu", "houseNumber": "1", "postcode": None},
            "heightMetres": 21.0,
            "storeysAboveGround": None,
            "yearBuilt": 1936,
        }
    }


async def test_typename_when_types_differ_then_each_has_its_own(city_store: Store, ask: Ask) -> None:
    kinds = [CityObjectType.BUILDING_PART, CityObjectType.ROAD, CityObjectType.SENSOR, CityObjectType.BRIDGE]
    await put(city_store, *[draft(kind, type=kind, name=kind) for kind in kinds])

    response = await ask("{ cityObjects(orderBy: NAME_ASC) { nodes { __typename name } } }")

    assert [(node["name"], node["__typename"]) for node in response.data["cityObjects"]["nodes"]] == [
        ("BRIDGE", "GenericCityObject"),
        ("BUILDING_PART", "Building"),
        ("ROAD", "Road"),
        ("SENSOR", "Sensor"),
    ]


async def test_geometry_when_a_level_is_asked_then_the_footprint_is_flat_and_the_rest_is_whole(city_store: Store, ask: Ask) -> None:
    tall = shapely.force_3d(shapely.Polygon(RING), 12.0)
    [uuid] = await put(city_store, draft("way/1", tall))

    response = await ask(
        """query ($id: ID!) { cityObject(id: $id) {
          whole: geometry  flat: geometry(lod: 0)
          far: geometry(view: {west: 24, south: 60, east: 25, north: 61})
          near: geometry(view: {west: 24.94, south: 60.17, east: 24.95, north: 60.175}) } }""",
        {"id": str(uuid)},
    )

    flat = {"type": "Polygon", "coordinates": [RING]}
    whole = {"type": "Polygon", "coordinates": [[[*place, 12.0] for place in RING]]}
    assert response.data == {"cityObject": {"whole": whole, "flat": flat, "far": flat, "near": whole}}


async def test_parent_and_children_when_asked_then_they_mirror_each_other(city_store: Store, ask: Ask) -> None:
    [house] = await put(city_store, draft("house", name="House"))
    rooms = await put(city_store, *[draft(f"room/{n}", name=f"Room {n}", parent=house) for n in range(3)])

    response = await ask(
        """query ($house: ID!, $room: ID!) {
          room: cityObject(id: $room) { parent { name parent { name } } }
          house: cityObject(id: $house) { children(first: 2) { nodes { uuid } totalCount pageInfo { hasNextPage endCursor } } } }""",
        {"house": str(house), "room": str(rooms[0])},
    )

    by_id = sorted(map(str, rooms))
    assert response.data["room"] == {"parent": {"name": "House", "parent": None}}
    children = response.data["house"]["children"]
    assert [node["uuid"] for node in children["nodes"]] == by_id[:2]
    assert (children["totalCount"], children["pageInfo"]["hasNextPage"]) == (3, True)

    rest = await ask(
        "query ($house: ID!, $after: String) { cityObject(id: $house) { children(after: $after) { nodes { uuid } } } }",
        {"house": str(house), "after": children["pageInfo"]["endCursor"]},
    )
    assert [node["uuid"] for node in rest.data["cityObject"]["children"]["nodes"]] == by_id[2:]


async def test_tenant_when_it_is_another_then_nothing_is_there(city_store: Store, ask: Ask) -> None:
    [uuid] = await put(city_store, draft("way/1"))

    response = await ask(
        """query ($id: ID!, $reps: [_Any!]!) { cityObject(id: $id) { id } cityObjects { nodes { id } totalCount }
        _entities(representations: $reps) { ... on Building { name } ... on City { extent cityObjectCounts { count } } } }""",
        {
            "id": str(uuid),
            "reps": [{"__typename": "CityObject", "id": f"{CITY}/object/{uuid}"}, {"__typename": "City", "id": CITY}],
        },
        tenant="DE-BERLIN",
    )

    assert response.errors == []
    assert response.data == {
        "cityObject": None,
        "cityObjects": {"nodes": [], "totalCount": 0},
        "_entities": [None, {"extent": None, "cityObjectCounts": []}],
    }


async def test_city_when_asked_for_its_objects_then_counts_and_extent_hold_all(city_store: Store, ask: Ask) -> None:
    await put(city_store, draft("a", SQUARE), draft("b", shapely.Point(24.9, 60.2), type=CityObjectType.SENSOR))

    response = await ask(
        "query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on City { extent cityObjectCounts { type count } } } }",
        {"reps": [{"__typename": "City", "id": CITY}]},
    )

    ring = [[24.9, 60.17], [24.941, 60.17], [24.941, 60.2], [24.9, 60.2], [24.9, 60.17]]
    assert response.data["_entities"] == [
        {
            "extent": {"type": "Polygon", "coordinates": [ring]},
            "cityObjectCounts": [{"type": "BUILDING", "count": 1}, {"type": "SENSOR", "count": 1}],
        }
    ]
