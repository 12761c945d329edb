"""The subgraph `annotations` by itself, on both stores: what it takes and refuses, and what it lists (FC-05, FC-06)."""

from typing import Any

from tests.fakes.city import CITY
from tests.subgraphs.annotations.conftest import Subgraph, create_model
from tests.subgraphs.annotations.documents import BOB, CREATE, CREATE_NOTE, DELETE, DELETE_NOTE, EVE, UPDATE, UPDATE_NOTE

NOBODY = f"{CITY}/annotation/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"
COUNTS = """query ($model: ID!) { _entities(representations: [{__typename: "Model", id: $model}]) {
  ... on Model { annotations { totalCount } notes { totalCount } } } }"""
MENTIONS = "{ mentions { nodes { id } totalCount } }"
OF_MODEL = """query (
  $model: ID!, $first: Int, $after: String, $tags: [String!], $element: String, $order: AnnotationOrder! = CREATED_AT_ASC) {
  _entities(representations: [{__typename: "Model", id: $model}]) { ... on Model {
    annotations(elementId: $element, tags: $tags, type: [ISSUE, RISK], resolved: false, orderBy: $order, first: $first, after: $after) {
      edges { cursor node { text } } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor unansweredCities } } } } }"""


async def annotate(subgraph: Subgraph, model_id: str, text: str = "It squeaks", **more: Any) -> dict[str, Any]:
    sent = {"modelId": model_id, "elementId": "wheel", "type": "COMMENT", "text": text, **more}
    made: dict[str, Any] = (await subgraph.ask(CREATE, {"input": sent}))["createAnnotation"]["annotation"]
    return made


async def write_note(subgraph: Subgraph, model_id: str, text: str = "Monday", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await subgraph.ask(CREATE_NOTE, {"input": {"modelId": model_id, "text": text, **more}}))["createNote"]["note"]
    return made


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"text": ""}, "`text` has 0 characters: expected 1 to 10,000 characters"),
    ({"text": " \n"}, "`text` has 2 characters"),
    ({"text": "x" * 10_001}, "`text` has 10,001 characters"),
    ({"text": "a\0b"}, "none of them null"),
    ({"tags": ["x" * 101]}, "`tags` has 101 characters"),
    ({"tags": [" "]}, "`tags` has 1 characters"),
    ({"tags": [str(n) for n in range(51)]}, "`tags` has 51 different items: expected at most 50"),
    ({"mentionUserIds": ["bob"]}, "'bob' is not a UUID"),
    ({"mentionUserIds": [f"{n:08}-0000-4000-8000-000000000000" for n in range(101)]}, "101 different items: expected at most 100"),
    ({"elementId": "x" * 501}, "`elementId` has 501 characters"),
    ({"elementId": ""}, "`elementId` has 0 characters"),
    ({"modelId": "mill"}, "'mill' is not"),
    ({"modelId": f"{CITY}/object/{BOB}"}, "of kind 'object'"),
]


async def test_filters_when_given_then_lists_and_counts_and_pages_keep_to_them(subgraph: Subgraph) -> None:
    mill = await create_model(subgraph.store)
    for number in range(6):
        await annotate(subgraph, mill, str(number), type="ISSUE" if number % 2 else "DECISION", tags=["odd"] * (number % 2) + ["all"])
    wanted = {"model": mill, "tags": ["odd", "all"], "first": 2}

    first = (await subgraph.ask(OF_MODEL, wanted))["_entities"][0]["annotations"]
    rest = (await subgraph.ask(OF_MODEL, {**wanted, "after": first["pageInfo"]["endCursor"]}))["_entities"][0]["annotations"]
    other_filter = await subgraph.error(OF_MODEL, {**wanted, "after": first["pageInfo"]["endCursor"], "tags": ["all"]})
    other_order = await subgraph.error(OF_MODEL, {**wanted, "after": first["pageInfo"]["endCursor"], "order": "CREATED_AT_DESC"})

    assert [sorted(edge["node"]["text"] for edge in page["edges"]) for page in (first, rest)] == [["1", "3"], ["5"]]
    assert (first["totalCount"], rest["totalCount"]) == (3, 3)
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
        "unansweredCities": [],
    }
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert (other_filter["code"], other_filter["message"]) == ("BAD_USER_INPUT", "The cursor comes from a list with another filter")
    assert other_order["message"] == "The cursor belongs to the order CREATED_AT_ASC and not to CREATED_AT_DESC"


async def test_update_when_fields_are_absent_or_null_then_they_stay_or_are_cleared(subgraph: Subgraph) -> None:
    mill = await create_model(subgraph.store)
    made = await annotate(subgraph, mill, tags=["a"], mentionUserIds=[BOB])

    resolved = (
        await subgraph.ask(UPDATE, {"input": {"id": made["id"], "ifVersion": 1, "resolved": True, "type": "DECISION"}}, subject=EVE)
    )["updateAnnotation"]["annotation"]
    cleared = (
        await subgraph.ask(UPDATE, {"input": {"id": made["uuid"], "ifVersion": 2, "resolved": None, "tags": None, "mentionUserIds": None}})
    )["updateAnnotation"]["annotation"]
    same = (await subgraph.ask(UPDATE, {"input": {"id": made["id"], "ifVersion": 3}}))["updateAnnotation"]["annotation"]

    assert resolved == {**made, "resolved": True, "type": "DECISION", "version": 2, "updatedAt": resolved["updatedAt"]}
    assert cleared == {**resolved, "resolved": False, "tags": [], "mentionUserIds": [], "version": 3, "updatedAt": cleared["updatedAt"]}
    assert same == cleared


async def test_change_when_the_version_is_old_then_conflict_tells_the_current_one(subgraph: Subgraph) -> None:
    mill = await create_model(subgraph.store)
    note = await write_note(subgraph, mill, relatedElementIds=["stone", "stone"])
    changed = (await subgraph.ask(UPDATE_NOTE, {"input": {"id": note["id"], "ifVersion": 1, "text": "Tuesday"}}))["updateNote"]["note"]

    update = await subgraph.error(UPDATE_NOTE, {"input": {"id": note["id"], "ifVersion": 1, "text": "Friday"}})
    deletion = await subgraph.error(DELETE_NOTE, {"input": {"id": note["id"], "ifVersion": 1}})
    deleted = await subgraph.ask(DELETE_NOTE, {"input": {"id": note["id"], "ifVersion": 2}})
    again = await subgraph.error(DELETE_NOTE, {"input": {"id": note["id"], "ifVersion": 2}})

    assert changed == {**note, "text": "Tuesday", "version": 2, "updatedAt": changed["updatedAt"]}
    assert changed["relatedElementIds"] == ["stone"]
    assert [(found["code"], found["currentVersion"]) for found in (update, deletion)] == [("CONFLICT", 2)] * 2
    assert deleted == {"deleteNote": {"deletedId": note["id"]}}
    assert again["code"] == "NOT_FOUND"
    assert await subgraph.ask("query ($id: ID!) { note(id: $id) { id } }", {"id": note["id"]}) == {"note": None}


async def test_input_when_it_is_wrong_then_it_is_refused_with_a_word(subgraph: Subgraph) -> None:
    sent = {"modelId": BOB, "elementId": "wheel", "type": "COMMENT", "text": "x"}

    found = [await subgraph.error(CREATE, {"input": {**sent, **more}}) for more, _ in REFUSED]

    assert {refusal["code"] for refusal in found} == {"BAD_USER_INPUT"}
    assert [message for (_, message), refusal in zip(REFUSED, found, strict=True) if message not in refusal["message"]] == []


async def test_input_when_lists_or_filters_are_wrong_then_they_are_refused(subgraph: Subgraph) -> None:

    mill = await create_model(subgraph.store)
    note = await write_note(subgraph, mill)
    made = await annotate(subgraph, mill, "x" * 10_000, tags=["x" * 100] * 60)

    refused = [
        await subgraph.error(UPDATE, {"input": {"id": made["id"], "ifVersion": 1, "text": None}}),
        await subgraph.error(UPDATE, {"input": {"id": made["id"], "ifVersion": 1, "type": None}}),
        await subgraph.error(UPDATE_NOTE, {"input": {"id": note["id"], "ifVersion": 1, "text": None}}),
        await subgraph.error(UPDATE_NOTE, {"input": {"id": note["id"], "ifVersion": 1, "relatedElementIds": [f"{n}" for n in range(101)]}}),
        await subgraph.error(OF_MODEL, {"model": mill, "element": "x" * 501}),
        await subgraph.error(OF_MODEL, {"model": mill, "tags": [f"{n}" for n in range(51)]}),
        await subgraph.error(OF_MODEL, {"model": mill, "first": 1_001}),
    ]

    assert {found["code"] for found in refused} == {"BAD_USER_INPUT"}
    assert [found["message"] for found in refused[:3]] == [
        f"`{name}` is null and cannot be cleared: leave it out to keep what is there" for name in ("text", "type", "text")
    ]
    assert [found["message"] for found in refused[3:]] == [
        "`relatedElementIds` has 101 different items: expected at most 100",
        "`elementId` has 501 characters: expected 1 to 500 characters, not all of them blank, none of them null",
        "`tags` has 51 different items: expected at most 50",
        "`first` is 1001: expected 0 to 1,000",
    ]


async def test_target_when_it_is_unknown_or_another_citys_then_it_is_not_found(subgraph: Subgraph) -> None:
    mill = await create_model(subgraph.store)
    other_city = mill.replace(CITY, "DE-BERLIN")
    sent = {"modelId": mill, "elementId": "wheel", "type": "COMMENT", "text": "x"}

    codes = [
        await subgraph.codes(CREATE, {"input": {**sent, "elementId": "roof"}}),
        await subgraph.codes(CREATE, {"input": {**sent, "modelId": BOB}}),
        await subgraph.codes(CREATE, {"input": {**sent, "modelId": other_city}}),
        await subgraph.codes(CREATE_NOTE, {"input": {"modelId": mill, "text": "x", "relatedElementIds": ["wheel", "roof"]}}),
        await subgraph.codes(CREATE_NOTE, {"input": {"modelId": other_city, "text": "x"}}),
        await subgraph.codes(UPDATE, {"input": {"id": NOBODY, "ifVersion": 1}}),
        await subgraph.codes(DELETE, {"input": {"id": NOBODY.replace(CITY, "DE-BERLIN"), "ifVersion": 1}}),
    ]

    assert codes == [["NOT_FOUND"]] * 7
    assert await subgraph.ask("query ($id: ID!) { annotation(id: $id) { id } }", {"id": NOBODY}) == {"annotation": None}
    left = await subgraph.ask(COUNTS, {"model": mill})
    assert left == {"_entities": [{"annotations": {"totalCount": 0}, "notes": {"totalCount": 0}}]}


async def test_tenant_when_it_is_another_then_nothing_is_there(subgraph: Subgraph) -> None:
    mill = await create_model(subgraph.store)
    annotation, note = await annotate(subgraph, mill, mentionUserIds=[BOB]), await write_note(subgraph, mill, mentionUserIds=[BOB])
    mention = (await subgraph.ask(MENTIONS, subject=BOB))["mentions"]["nodes"][0]
    other = {"tenant": "DE-BERLIN", "subject": BOB}

    seen = await subgraph.ask(
        """query ($a: ID!, $n: ID!, $m: ID!, $model: ID!, $mill: ID!) {
          annotation(id: $a) { id } note(id: $n) { id } mentions { totalCount nodes { id } }
          _entities(representations: [{__typename: "Annotation", id: $a}, {__typename: "CollaborationNote", id: $n},
            {__typename: "Mention", id: $m}, {__typename: "Model", id: $model}, {__typename: "Model", id: $mill}]) {
            __typename ... on Model { annotations { totalCount nodes { id } } notes { nodes { id } } } } }""",
        {"a": annotation["id"], "n": note["id"], "m": mention["id"], "model": mill, "mill": mill.replace(CITY, "DE-BERLIN")},
        **other,
    )
    codes = [
        await subgraph.codes(CREATE, {"input": {"modelId": mill, "elementId": "wheel", "type": "RISK", "text": "x"}}, **other),
        await subgraph.codes(CREATE_NOTE, {"input": {"modelId": mill, "text": "x"}}, **other),
        await subgraph.codes(UPDATE, {"input": {"id": annotation["id"], "ifVersion": 1, "text": "x"}}, **other),
        await subgraph.codes(DELETE, {"input": {"id": annotation["id"], "ifVersion": 1}}, **other),
        await subgraph.codes(UPDATE_NOTE, {"input": {"id": note["id"], "ifVersion": 1, "text": "x"}}, **other),
        await subgraph.codes(DELETE_NOTE, {"input": {"id": note["id"], "ifVersion": 1}}, **other),
    ]

    nothing = {"__typename": "Model", "annotations": {"totalCount": 0, "nodes": []}, "notes": {"nodes": []}}
    assert seen == {
        "annotation": None,
        "note": None,
        "mentions": {"totalCount": 0, "nodes": []},
        "_entities": [None, None, None, nothing, None],
    }
    assert codes == [["NOT_FOUND"]] * 6
