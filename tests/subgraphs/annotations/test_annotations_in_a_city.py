"""Annotations, notes and mentions as a client sees them, through the whole gateway, on both stores (FC-05, FC-06, TC-05, TC-06)."""

import asyncio
from typing import Any

from tests.fakes.city import ADA, CITY, City
from tests.subgraphs.annotations.conftest import create_model
from tests.subgraphs.annotations.documents import ANNOTATION, BOB, CREATE, CREATE_NOTE, EVE

MENTIONS = "{ mentions { nodes { id by at modelId model { name } annotation { text } note { text } } totalCount } }"


async def annotate(city: City, model_id: str, text: str = "It squeaks", **more: Any) -> dict[str, Any]:
    sent = {"modelId": model_id, "elementId": "wheel", "type": "COMMENT", "text": text, **more}
    made: dict[str, Any] = (await city.ask(CREATE, {"input": sent}))["createAnnotation"]["annotation"]
    return made


async def write_note(city: City, model_id: str, text: str = "Monday", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await city.ask(CREATE_NOTE, {"input": {"modelId": model_id, "text": text, **more}}))["createNote"]["note"]
    return made


async def test_annotation_when_created_then_it_is_listed_under_its_model_and_its_element(city: City) -> None:
    """TC-05, AC-05."""
    mill = await create_model(city.store)

    made = await annotate(city, mill, "Läuft", type="RISK", tags=["b", "a", "b"], mentionUserIds=[BOB.upper(), BOB])

    assert made == {
        "id": f"{CITY}/annotation/{made['uuid']}",
        "uuid": made["uuid"],
        "modelId": mill,
        "elementId": "wheel",
        "type": "RISK",
        "text": "Läuft",
        "tags": ["b", "a"],
        "mentionUserIds": [BOB],
        "authorId": ADA,
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        "resolved": False,
        "version": 1,
    }
    listed = await city.ask(
        """query ($model: ID!, $id: ID!) {
          model(id: $model) {
            annotations(elementId: "wheel") { nodes { ...Whole } totalCount } none: annotations(elementId: "stone") { totalCount }
            element(elementId: "wheel") { annotations { nodes { id model { name } } totalCount } }
          }
          annotation(id: $id) { ...Whole } node(id: $id) { id __typename } }"""
        + ANNOTATION,
        {"model": mill, "id": made["id"]},
    )
    assert listed == {
        "model": {
            "annotations": {"nodes": [made], "totalCount": 1},
            "none": {"totalCount": 0},
            "element": {"annotations": {"nodes": [{"id": made["id"], "model": {"name": "Mill"}}], "totalCount": 1}},
        },
        "annotation": made,
        "node": {"id": made["id"], "__typename": "Annotation"},
    }


async def test_mention_when_made_then_its_user_finds_it_and_nobody_else(city: City) -> None:
    """TC-06, AC-06."""
    mill = await create_model(city.store)
    annotation = await annotate(city, mill, "Look", mentionUserIds=[BOB])
    await write_note(city, mill, "All of you", mentionUserIds=[EVE, BOB])

    of_bob = (await city.ask(MENTIONS, subject=BOB))["mentions"]
    of_eve = (await city.ask(MENTIONS, subject=EVE))["mentions"]
    of_a_service = (await city.ask(MENTIONS, subject="service-account"))["mentions"]

    told = [(found["by"], found["modelId"], found["model"], found["annotation"], found["note"]) for found in of_bob["nodes"]]
    assert told == [
        (ADA, mill, {"name": "Mill"}, None, {"text": "All of you"}),
        (ADA, mill, {"name": "Mill"}, {"text": "Look"}, None),
    ]
    assert (of_bob["totalCount"], of_bob["nodes"][1]["at"]) == (2, annotation["createdAt"])
    assert [found["note"] for found in of_eve["nodes"]] == [{"text": "All of you"}]
    assert of_a_service == {"nodes": [], "totalCount": 0}
    node = "query ($id: ID!) { node(id: $id) { ... on Mention { by } } }"
    assert await city.ask(node, {"id": of_eve["nodes"][0]["id"]}, subject=EVE) == {"node": {"by": ADA}}
    assert await city.ask(node, {"id": of_eve["nodes"][0]["id"]}, subject=BOB) == {"node": None}


async def test_editor_when_it_only_may_write_then_it_sees_what_it_made(city: City) -> None:
    mill = await create_model(city.store)
    document = """mutation ($input: CreateNoteInput!) {
      createNote(input: $input) { note { text authorId model { name notes { totalCount nodes { text } } } } } }"""

    made = await city.ask(document, {"input": {"modelId": mill, "text": "Monday"}}, roles=("dth_editor",), subject=EVE)

    of_model = {"name": "Mill", "notes": {"totalCount": 1, "nodes": [{"text": "Monday"}]}}
    assert made == {"createNote": {"note": {"text": "Monday", "authorId": EVE, "model": of_model}}}


async def test_request_when_it_changes_several_times_then_each_answer_is_its_own_moments(city: City) -> None:
    mill = await create_model(city.store)

    answer = await city.ask(
        """mutation ($a: CreateNoteInput!, $b: CreateNoteInput!) {
          a: createNote(input: $a) { note { text model { notes { totalCount } } } }
          b: createNote(input: $b) { note { text model { notes(first: 1) { nodes { text } } } } } }""",
        {"a": {"modelId": mill, "text": "first"}, "b": {"modelId": mill, "text": "second"}},
    )

    assert [answer[name]["note"]["text"] for name in "ab"] == ["first", "second"]
    assert answer["b"]["note"]["model"]["notes"]["nodes"] == [{"text": "second"}]
    assert answer["a"]["note"]["model"]["notes"]["totalCount"] in (1, 2)


async def test_model_when_deleted_while_it_is_annotated_then_nothing_of_it_is_left(city: City) -> None:
    ids = [await create_model(city.store, f"Model {number}") for number in range(6)]
    delete = "mutation ($input: DeleteModelInput!) { deleteModel(input: $input) { deletedId } }"
    etags = [(await city.ask("query ($id: ID!) { model(id: $id) { etag } }", {"id": id}))["model"]["etag"] for id in ids]

    async def annotate_often(id: str) -> set[str]:
        sent = {"modelId": id, "elementId": "wheel", "type": "RISK", "text": "x", "mentionUserIds": [BOB]}
        note = {"modelId": id, "text": "x", "relatedElementIds": ["wheel"], "mentionUserIds": [EVE]}
        asked = [city.codes(CREATE, {"input": sent}) for _ in range(3)] + [city.codes(CREATE_NOTE, {"input": note}) for _ in range(3)]
        return {code for codes in await asyncio.gather(*asked) for code in codes}

    async def delete_soon(id: str, etag: str) -> list[str]:
        await asyncio.sleep(0.01)
        return await city.codes(delete, {"input": {"id": id, "ifMatch": etag}})

    found = await asyncio.gather(*[annotate_often(id) for id in ids], *[delete_soon(*pair) for pair in zip(ids, etags, strict=True)])

    assert set().union(*found[: len(ids)]) <= {"NOT_FOUND"}
    assert found[len(ids) :] == [[]] * len(ids)
    async with city.store.read() as connection:
        left = [
            (await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one() for table in ("annotation", "note", "mention")
        ]
    assert left == [0, 0, 0]
