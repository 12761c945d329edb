"""Fifty parents cost no more statements than five: every field under a list of the public API, as the schema has them today."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type, is_composite_type

from graph.app import city_schema
from tests.fakes.city import CITY, City
from tests.fakes.statements import count_all_statements
from tests.subgraphs.full_city import fill, identifier
from tests.subgraphs.schema_walk import paths, selections

FEW, MANY = 5, 50

NARROWED = {"cityObjects": 'filter: {source: "middle"}, orderBy: NAME_ASC'}
"""Objects that have a parent and a child; the first five by name are of every kind."""
NOT_UNDER_A_SIZED_LIST = {
    "Viewer": "one to a request",
    "Federation": "no store is asked",
    "SubgraphStatus": "no store is asked",
    "BackupStatus": "one to a city",
    "BackupPolicy": "one to a city",
    "Backup": "a list of a fixed length, read whole by one statement",
    "ScenarioComparison": "one to a request",
    "ScenarioComparisonColumn": "one statement reads every column",
    "Node": "reached by `nodes`, below",
}
"""Types that queries lead to, but through no list whose length the caller chooses, and why that is well."""
WRITTEN_BESIDE = re.compile(r"audit|lease|idempotency", re.IGNORECASE)
"""Tables that are written to beside a request, at times of their own."""


async def test_statements_when_parents_are_ten_times_as_many_then_their_number_is_the_same(city: City, composed_dir: Path) -> None:
    schema = build_schema(city_schema())
    await fill(city, MANY, composed_dir / "artefacts")
    wrong: list[str] = []

    for name, path in paths(schema, NARROWED).items():
        fields = dict(selections(schema, path.kind))
        whole = path.query(" ".join(fields.values()))
        few, many = await cost(city, whole, FEW), await cost(city, whole, MANY)
        if few.total() != many.total():
            wrong += [f"{name}.{field}" for field, printed in fields.items() if await grows(city, path.query(printed))] or [name]

    assert not wrong, f"more parents cost more statements in {', '.join(wrong)}"


async def grows(city: City, query: str) -> bool:
    return (await cost(city, query, FEW)).total() != (await cost(city, query, MANY)).total()


async def cost(city: City, query: str, count: int) -> Counter[str]:
    """The statements that the query takes, which is known to find so many."""
    with count_all_statements() as statements:
        answer = await city.ask(query, {"count": count})
    assert longest_list(answer) >= count, f"the city has fewer than {count} for {query}"
    return Counter(statement for statement in statements if not WRITTEN_BESIDE.search(statement))


def longest_list(value: Any) -> int:
    if isinstance(value, dict):
        return max((longest_list(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return max([len(value), *(longest_list(item) for item in value)])
    return 0


def test_walk_when_it_leaves_a_type_out_then_there_is_a_reason() -> None:
    schema = build_schema(city_schema())

    assert queried(schema) - set(paths(schema, NARROWED)) == set(NOT_UNDER_A_SIZED_LIST)


def queried(schema: GraphQLSchema) -> set[str]:
    """The types that a query may lead to."""
    assert schema.query_type is not None
    found: dict[str, Any] = {}
    waiting: list[Any] = [get_named_type(field.type) for field in schema.query_type.fields.values()]
    while waiting:
        kind = waiting.pop()
        if not is_composite_type(kind) or kind.name in found:
            continue
        found[kind.name] = kind
        waiting += [get_named_type(field.type) for field in kind.fields.values()]
        if not isinstance(kind, GraphQLObjectType) and kind.name != "Node":
            waiting += schema.get_possible_types(kind)
    return set(found)


async def test_statements_when_places_and_identifiers_are_asked_then_their_number_does_not_grow(city: City) -> None:
    """Box, containment, nearness, and whatever stands under an identifier."""
    await fill_objects(city)
    box = {"west": 24.9, "south": 60.1, "east": 25.0, "north": 60.2}
    ring = [[24.9, 60.1], [25.0, 60.1], [25.0, 60.2], [24.9, 60.2], [24.9, 60.1]]
    filters: list[dict[str, Any]] = [
        {"boundingBox": box},
        {"intersects": {"type": "Polygon", "coordinates": [ring]}},
        {"near": {"point": {"longitude": 24.94, "latitude": 60.17}, "radiusMetres": 5_000}},
    ]
    inside = "id geometry centroid telemetryKeys { key } nearby(radiusMetres: 300, first: 2) { distanceMetres node { id lastSeenAt } }"
    listed = f"query ($filter: CityObjectFilter, $count: Int!) {{ cityObjects(filter: $filter, first: $count) {{ nodes {{ {inside} }} }} }}"
    named = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id ... on CityObject {{ {inside} }} }} }}"
    ids = [identifier("top", n) for n in range(MANY)]

    counts = [[await statements(city, listed, {"filter": filter, "count": count}) for count in (FEW, MANY)] for filter in filters]
    counts.append([await statements(city, named, {"ids": ids[:count]}) for count in (FEW, MANY)])

    assert all(few == many > 0 for few, many in counts), counts


async def statements(city: City, query: str, variables: dict[str, Any]) -> int:
    with count_all_statements() as sent:
        answer = await city.ask(query, variables)
    assert longest_list(answer) >= len(variables.get("ids", "x" * variables.get("count", 0)))
    return sum(not WRITTEN_BESIDE.search(statement) for statement in sent)


async def fill_objects(city: City) -> None:
    objects = [
        {"type": "SENSOR", "source": "top", "sourceId": str(n), "geometry": {"type": "Point", "coordinates": [24.94 + n * 1e-5, 60.17]}}
        for n in range(MANY)
    ]
    upsert = "mutation ($input: UpsertCityObjectsInput!) { upsertCityObjects(input: $input) { created } }"
    assert (await city.ask(upsert, {"input": {"objects": objects, "city": CITY}}))["upsertCityObjects"] == {"created": MANY}
