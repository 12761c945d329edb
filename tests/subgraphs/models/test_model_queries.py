"""What can be asked of models: lists, versions, differences, elements, entities; few statements, however many ask (FC-04)."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.models import loaders
from tests.fakes.city import CITY
from tests.fakes.statements import count_statements
from tests.subgraphs.models.conftest import Subgraph

LIST = """query ($search: String, $type: ModelType, $cities: [ID!], $orderBy: ModelOrder! = UPDATED_AT_DESC,
  $first: Int, $after: String, $last: Int, $before: String) {
  models(search: $search, modelType: $type, cities: $cities, orderBy: $orderBy,
    first: $first, after: $after, last: $last, before: $before) {
    nodes { name } edges { cursor node { name } } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
VERSIONS = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { model(id: $id) {
  versions(first: $first, after: $after, last: $last, before: $before) {
    nodes { version } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
PATCH = "mutation ($input: PatchModelInput!) { patchModel(input: $input) { newVersion model { id } } }"
ENTITIES = """query ($representations: [_Any!]!) { _entities(representations: $representations) {
  __typename ... on Model { name version } ... on ModelVersion { version content } ... on ModelElement { elementId path value } } }"""


async def names(subgraph: Subgraph, **variables: Any) -> list[str]:
    return [node["name"] for node in (await subgraph.ask(LIST, variables))["models"]["nodes"]]


async def patch(subgraph: Subgraph, id: str, base: int, path: str, value: Any) -> None:
    operation = {"op": "replace", "path": path, "value": value}
    await subgraph.ask(PATCH, {"input": {"id": id, "baseVersion": base, "patch": [operation]}})


async def with_versions(subgraph: Subgraph, count: int) -> str:
    id = await subgraph.create("Mill", {"n": 1})
    for version in range(1, count):
        await patch(subgraph, id, version, "/n", version + 1)
    return id


async def test_models_when_listed_then_in_each_order_with_ties_by_identifier(subgraph: Subgraph) -> None:
    await subgraph.create("Öl", {}, now=3)
    await subgraph.create("a", {}, now=2)
    await subgraph.create("B", {}, now=1)
    last = await subgraph.create("a", {}, now=4)
    await patch(subgraph, last, 1, "", {"changed": True})

    assert await names(subgraph, orderBy="NAME_ASC") == ["B", "a", "a", "Öl"]
    assert await names(subgraph, orderBy="NAME_DESC") == ["Öl", "a", "a", "B"]
    assert await names(subgraph, orderBy="CREATED_AT_ASC") == ["B", "a", "Öl", "a"]
    assert await names(subgraph, orderBy="CREATED_AT_DESC") == ["a", "Öl", "a", "B"]
    assert await names(subgraph, orderBy="UPDATED_AT_ASC") == ["B", "a", "Öl", "a"]
    assert await names(subgraph) == ["a", "Öl", "a", "B"]


@pytest.mark.parametrize("order", ["NAME_ASC", "NAME_DESC", "CREATED_AT_DESC", "UPDATED_AT_ASC"])
async def test_models_when_paged_either_way_then_each_comes_once(subgraph: Subgraph, order: str) -> None:
    for number in range(7):
        await subgraph.create(f"model {number // 2}", {}, now=number // 3)
    whole = (await subgraph.ask(LIST, {"orderBy": order}))["models"]
    cursors = [edge["cursor"] for edge in whole["edges"]]

    forward, after = [], None
    for _ in range(3):
        page = (await subgraph.ask(LIST, {"orderBy": order, "first": 3, "after": after}))["models"]
        forward += [edge["cursor"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    backward = (await subgraph.ask(LIST, {"orderBy": order, "last": 2, "before": cursors[4]}))["models"]

    assert forward == cursors
    assert [edge["cursor"] for edge in backward["edges"]] == cursors[2:4]
    assert (backward["pageInfo"]["hasNextPage"], backward["pageInfo"]["hasPreviousPage"], whole["totalCount"]) == (True, True, 7)


async def test_models_when_searched_then_part_of_name_or_description_in_any_case(subgraph: Subgraph) -> None:
    await subgraph.create("Water mill", {}, description="By the RIVER", now=1)
    await subgraph.create("100 %_\\ wind", {}, now=2)
    await subgraph.create("Übergang", {}, description=None, now=3)

    assert await names(subgraph, search="MILL") == ["Water mill"]
    assert await names(subgraph, search="river") == ["Water mill"]
    assert await names(subgraph, search="%_\\") == ["100 %_\\ wind"]
    assert await names(subgraph, search="U\u0308BER") == ["Übergang"]
    assert await names(subgraph, search="w") == ["100 %_\\ wind", "Water mill"]
    assert await names(subgraph, search="") == ["Übergang", "100 %_\\ wind", "Water mill"]
    assert await names(subgraph, search="none") == []


async def test_models_when_filtered_then_by_city_and_type_and_never_another_tenants(subgraph: Subgraph) -> None:
    await subgraph.create("Mine", {})
    theirs = await subgraph.create("Theirs", {}, tenant="other")

    assert await names(subgraph, cities=[CITY], type="CVCM") == ["Mine"]
    assert await names(subgraph, cities=["KR-SEOUL-2025"]) == []
    assert await names(subgraph, cities=[]) == []
    assert await subgraph.ask("query ($id: ID!) { model(id: $id) { name } }", {"id": theirs}) == {"model": None}


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"first": 501}, "`first` is 501: expected 0 to 500"),
        ({"last": -1}, "`last` is -1"),
        ({"first": 1, "last": 1}, "not by both"),
        ({"search": "x" * 201}, "`search` has 201 characters"),
        ({"search": "\0"}, "none of them null"),
        ({"cities": ["x"] * 1_001}, "`cities` names 1,001 cities"),
        ({"after": "x"}, "is not a cursor"),
    ],
)
async def test_models_when_asked_wrongly_then_bad_user_input(subgraph: Subgraph, variables: dict[str, Any], problem: str) -> None:
    code, message = await subgraph.error(LIST, variables)

    assert code == "BAD_USER_INPUT"
    assert problem in message


async def test_versions_when_paged_then_newest_first_without_a_gap(subgraph: Subgraph) -> None:
    id = await with_versions(subgraph, 6)

    async def page(**variables: Any) -> tuple[list[int], bool, bool, str]:
        found = (await subgraph.ask(VERSIONS, {"id": id, **variables}))["model"]["versions"]
        info = found["pageInfo"]
        assert found["totalCount"] == 6
        return [node["version"] for node in found["nodes"]], info["hasNextPage"], info["hasPreviousPage"], info["endCursor"]

    first = await page(first=2)
    second = await page(first=3, after=first[3])
    third = await page(first=3, after=second[3])
    back = await page(last=2, before=second[3])

    assert first[:3] == ([6, 5], True, False)
    assert second[:3] == ([4, 3, 2], True, True)
    assert third[:3] == ([1], False, True)
    assert back[:3] == ([4, 3], True, True)
    assert (await page(last=10, before=second[3]))[:3] == ([6, 5, 4, 3], True, False)
    assert (await page(last=2))[:3] == ([2, 1], False, True)
    assert (await page(first=0))[0] == []
    assert (await page(first=5, after=third[3]))[:3] == ([], False, True)


async def test_version_when_there_is_none_of_that_number_then_null_and_a_diff_is_not_found(subgraph: Subgraph) -> None:
    id = await with_versions(subgraph, 2)
    at = "query ($id: ID!, $v: Int!) { model(id: $id) { versionAt(version: $v) { version } } }"
    diff = "query ($id: ID!, $v: Int!) { model(id: $id) { diff(from: 1, to: $v) } }"

    for version in (0, 3, -1, 2**31 - 1, -(2**31)):
        assert await subgraph.ask(at, {"id": id, "v": version}) == {"model": {"versionAt": None}}
        code, message = await subgraph.error(diff, {"id": id, "v": version})
        assert (code, f"has no version {version}: it has 1 to 2" in message) == ("NOT_FOUND", True)


async def test_diff_when_asked_either_way_then_the_patch_between_the_two(subgraph: Subgraph) -> None:
    id = await with_versions(subgraph, 3)

    found = await subgraph.ask(
        "query ($id: ID!) { model(id: $id) { a: diff(from: 1, to: 3) b: diff(from: 3, to: 2) c: diff(from: 2, to: 2) } }", {"id": id}
    )

    assert found["model"] == {
        "a": [{"op": "replace", "path": "/n", "value": 3}],
        "b": [{"op": "replace", "path": "/n", "value": 2}],
        "c": [],
    }


async def test_element_when_looked_up_then_the_first_object_with_that_string_as_id(subgraph: Subgraph) -> None:
    content = {"x/y": [{"id": 1}, {"id": "a", "in": {"id": "b"}}], "z": {"id": "a"}, "id": "root"}
    id = await subgraph.create("Mill", content)
    query = "query ($id: ID!, $e: String!) { model(id: $id) { element(elementId: $e) { modelId elementId path value } } }"

    async def element(element_id: str) -> Any:
        return (await subgraph.ask(query, {"id": id, "e": element_id}))["model"]["element"]

    assert await element("a") == {"modelId": id, "elementId": "a", "path": "/x~1y/1", "value": content["x/y"][1]}  # type: ignore[index]
    assert await element("b") == {"modelId": id, "elementId": "b", "path": "/x~1y/1/in", "value": {"id": "b"}}
    assert (await element("root"))["path"] == ""
    assert [await element(missing) for missing in ("1", "c", "")] == [None] * 3
    assert (await subgraph.error(query, {"id": id, "e": "x" * 501}))[0] == "BAD_USER_INPUT"


async def test_entities_when_asked_then_each_kind_is_found_and_what_is_not_there_is_null(subgraph: Subgraph) -> None:
    id = await subgraph.create("Mill", {"parts": [{"id": "wheel"}]})
    await patch(subgraph, id, 1, "/parts/0", {"id": "wheel", "new": True})
    theirs = await subgraph.create("Theirs", {}, tenant="other")
    versions = "query ($id: ID!) { model(id: $id) { versions { nodes { id } } } }"
    [second, first] = [node["id"] for node in (await subgraph.ask(versions, {"id": id}))["model"]["versions"]["nodes"]]
    nowhere = UUID(int=1)
    asked: list[dict[str, Any]] = [
        {"__typename": "Model", "id": id},
        {"__typename": "ModelVersion", "id": first},
        {"__typename": "ModelVersion", "id": second},
        {"__typename": "ModelElement", "modelId": id, "elementId": "wheel"},
        {"__typename": "Model", "id": theirs},
        {"__typename": "Model", "id": id.replace(CITY, "KR-SEOUL-2025")},
        {"__typename": "Model", "id": f"{CITY}/model/{nowhere}"},
        {"__typename": "ModelVersion", "id": f"{CITY}/version/{nowhere}"},
        {"__typename": "ModelElement", "modelId": id, "elementId": "stone"},
        {"__typename": "ModelElement", "modelId": theirs, "elementId": "wheel"},
    ]

    found = (await subgraph.ask(ENTITIES, {"representations": asked}))["_entities"]

    assert found == [
        {"__typename": "Model", "name": "Mill", "version": 2},
        {"__typename": "ModelVersion", "version": 1, "content": {"parts": [{"id": "wheel"}]}},
        {"__typename": "ModelVersion", "version": 2, "content": {"parts": [{"id": "wheel", "new": True}]}},
        {"__typename": "ModelElement", "elementId": "wheel", "path": "/parts/0", "value": {"id": "wheel", "new": True}},
        *[None] * 6,
    ]


@pytest.mark.parametrize(
    ("fields", "statements"),
    [
        ("name etag", 1),
        ("content", 2),
        ("versions(first: 2) { nodes { version } totalCount }", 2),
        ("versions(first: 2) { nodes { content patch } }", 4),
        ("versionAt(version: 1) { content }", 3),
        ("diff(from: 1, to: 2)", 3),
        ('element(elementId: "e") { path value }', 2),
        ('a: element(elementId: "e") { path } b: element(elementId: "f") { path } content', 2),
    ],
)
async def test_models_when_many_are_asked_for_then_as_many_statements_as_for_few(subgraph: Subgraph, fields: str, statements: int) -> None:
    for number in range(12):
        id = await subgraph.create(f"model {number}", {"id": "e", "n": 0})
        await patch(subgraph, id, 1, "/n", number + 1)

    for count in (2, 12):
        with count_statements(subgraph.store) as sent:
            found = await subgraph.ask(f"query ($n: Int!) {{ models(first: $n) {{ nodes {{ {fields} }} }} }}", {"n": count})
        assert len(found["models"]["nodes"]) == count
        assert len(sent) == statements, sent


async def test_models_when_contents_are_not_selected_then_they_are_not_read(subgraph: Subgraph) -> None:
    await subgraph.create("Mill", {"a": 1})

    with count_statements(subgraph.store) as sent:
        await subgraph.ask(LIST)

    assert all("content" not in sql.replace("json_each", "") for sql in sent)


async def test_contents_when_too_many_for_one_request_then_those_over_it_are_refused(
    subgraph: Subgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders, "MAX_CONTENTS", 250)
    for number in range(3):
        await subgraph.create(f"model {number}", ["x" * 100])

    answer = await subgraph.answer("{ models(orderBy: NAME_ASC, first: 2) { nodes { content } } }")
    assert answer.errors == []
    code, message = await subgraph.error("{ models(orderBy: NAME_ASC) { nodes { content } } }")

    assert code == "BAD_USER_INPUT"
    assert "more than 250 characters of contents" in message
