"""What hangs under many models, elements and mentions costs as many statements as under few, and one fault stays one null."""

from typing import Any
from uuid import UUID

import pytest

from tests.fakes.city import CITY
from tests.fakes.statements import count_statements
from tests.resolvers.annotations.contributions import hang_on
from tests.subgraphs.annotations.conftest import Subgraph
from tests.subgraphs.annotations.documents import BOB

UNDER = """query ($reps: [_Any!]!, $first: Int!) {
  _entities(representations: $reps) {
    ... on Model {
      annotations(first: 2, tags: ["x"], orderBy: CREATED_AT_ASC) { totalCount nodes { text model { id } } }
      ofWheel: annotations(elementId: "wheel", type: RISK, first: 1) { totalCount edges { cursor node { text } } }
      notes(first: 1) { totalCount nodes { text } } }
    ... on ModelElement { elementId annotations(first: 1) { totalCount nodes { text } pageInfo { hasNextPage } } } }
  mentions(first: $first) { totalCount nodes { annotation { text } note { text } model { id } } } }"""
WHOLE = """query ($reps: [_Any!]!) { _entities(representations: $reps) {
  ... on Annotation { id text } ... on CollaborationNote { id text } ... on Mention { id by } } }"""


async def _filled(subgraph: Subgraph, count: int) -> list[str]:
    """The identifiers of so many models with annotations and notes; of the models themselves the subgraph asks nothing here."""
    models = [UUID(int=number + 1) for number in range(count)]
    await hang_on(subgraph.store, models, UUID(BOB))
    return [f"{CITY}/model/{model}" for model in models]


async def test_statements_when_the_models_are_many_then_their_number_is_that_of_few(subgraph: Subgraph) -> None:
    models = await _filled(subgraph, 50)
    counted = {}

    for count in (5, 50):
        reps = [{"__typename": "Model", "id": model} for model in models[:count]]
        reps += [{"__typename": "ModelElement", "modelId": model, "elementId": "wheel"} for model in models[:count]]
        with count_statements(subgraph.store) as statements:
            answer = await subgraph.ask(UNDER, {"reps": reps, "first": 5 * count}, subject=BOB)
        counted[count] = len(statements)

    # A page and a count each: of models, of their wheels, of elements, of notes, of mentions; and what mentions stand in.
    assert counted == {5: 12, 50: 12}
    of_models, of_elements = answer["_entities"][:50], answer["_entities"][50:]
    assert [found["annotations"]["totalCount"] for found in of_models] == [3] * 50
    assert [len(found["annotations"]["nodes"]) for found in of_models] == [2] * 50
    assert [found["annotations"]["nodes"][0]["model"]["id"] for found in of_models] == models
    assert [found["ofWheel"]["totalCount"] for found in of_models] == [2] * 50
    assert [found["notes"]["totalCount"] for found in of_models] == [2] * 50
    assert {found["notes"]["nodes"][0]["text"].split(".")[0] for found in of_models} == {str(number) for number in range(50)}
    assert [(found["annotations"]["totalCount"], found["annotations"]["pageInfo"]) for found in of_elements] == [
        (2, {"hasNextPage": True})
    ] * 50
    mentions = answer["mentions"]
    assert (mentions["totalCount"], len(mentions["nodes"])) == (250, 250)
    assert sum(found["note"] is None for found in mentions["nodes"]) == 150
    assert all((found["note"] is None) != (found["annotation"] is None) for found in mentions["nodes"])


async def test_count_when_it_is_not_selected_then_nothing_is_counted(subgraph: Subgraph) -> None:
    [mill] = await _filled(subgraph, 1)
    document = """query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on Model {
      annotations { nodes { text } } notes { nodes { text } } } } mentions { nodes { id } } }"""

    with count_statements(subgraph.store) as statements:
        await subgraph.ask(document, {"reps": [{"__typename": "Model", "id": mill}]}, subject=BOB)

    assert len(statements) == 3
    assert not any("count(" in statement for statement in statements)


async def test_entities_when_a_thousand_are_asked_then_each_type_is_one_statement(subgraph: Subgraph) -> None:
    await _filled(subgraph, 2)
    seen = await subgraph.ask("{ mentions { nodes { id by annotation { id text } note { id text } } } }", subject=BOB)
    reps, expected = [], []
    for found in seen["mentions"]["nodes"]:
        typename = "Annotation" if found["annotation"] else "CollaborationNote"
        stands_in = found["annotation"] or found["note"]
        reps += [{"__typename": "Mention", "id": found["id"]}, {"__typename": typename, "id": stands_in["id"]}]
        expected += [{"id": found["id"], "by": found["by"]}, stands_in]

    with count_statements(subgraph.store) as statements:
        answer = await subgraph.ask(WHOLE, {"reps": reps * 50}, subject=BOB)

    assert len(reps * 50) == 1_000
    assert answer["_entities"] == expected * 50
    assert len(statements) == 3


@pytest.mark.parametrize("typename", ["Annotation", "CollaborationNote", "Mention"])
async def test_entities_when_some_are_wrong_then_each_is_null_by_itself(subgraph: Subgraph, typename: str) -> None:
    [mill] = await _filled(subgraph, 1)
    unknown = "2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
    kind = {"CollaborationNote": "note"}.get(typename, typename.lower())
    reps: list[dict[str, Any]] = [
        {"__typename": typename, "id": f"{CITY}/{kind}/{unknown}"},
        {"__typename": typename, "id": f"DE-BERLIN/{kind}/{unknown}"},
        {"__typename": typename, "id": mill},
        {"__typename": typename},
        {"__typename": "Model", "id": mill},
        {"__typename": "ModelElement", "modelId": mill, "elementId": "gone"},
        {"__typename": "ModelElement", "modelId": mill.replace(CITY, "DE-BERLIN"), "elementId": "wheel"},
        {"__typename": "ModelElement", "modelId": mill},
    ]
    document = """query ($reps: [_Any!]!) { _entities(representations: $reps) { __typename
      ... on ModelElement { annotations { totalCount } } } }"""

    response = await subgraph.answer(document, {"reps": reps})

    gone = {"__typename": "ModelElement", "annotations": {"totalCount": 0}}
    assert response.data["_entities"] == [None, None, None, None, {"__typename": "Model"}, gone, None, None]
    assert sorted((error["path"][1], error["extensions"]["code"]) for error in response.errors) == [
        (2, "BAD_USER_INPUT"),
        (3, "BAD_USER_INPUT"),
        (7, "BAD_USER_INPUT"),
    ]
