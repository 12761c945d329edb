"""Models as a client sees them, through the whole gateway, on both stores (FC-04, FC-07)."""

from typing import Any

import pytest

from tests.fakes.city import ADA, CITY, City

MODEL = """
fragment Whole on Model { id uuid name description modelType format version etag content createdAt createdBy updatedAt updatedBy }"""
CREATE = "mutation ($input: CreateModelInput!) { createModel(input: $input) { model { ...Whole } } }" + MODEL
UPDATE = "mutation ($input: UpdateModelInput!) { updateModel(input: $input) { model { ...Whole } } }" + MODEL
PATCH = "mutation ($input: PatchModelInput!) { patchModel(input: $input) { newVersion rebased model { ...Whole } } }" + MODEL
RESTORE = "mutation ($input: RestoreModelVersionInput!) { restoreModelVersion(input: $input) { model { ...Whole } } }" + MODEL
DELETE = "mutation ($input: DeleteModelInput!) { deleteModel(input: $input) { deletedId } }"
READ = "query ($id: ID!) { model(id: $id) { ...Whole } }" + MODEL
ANNOTATE = "mutation ($input: CreateAnnotationInput!) { createAnnotation(input: $input) { annotation { id } } }"


async def create(city: City, content: Any, /, **more: Any) -> dict[str, Any]:
    answer = await city.ask(CREATE, {"input": {"name": "Mill", "content": content, **more}})
    model: dict[str, Any] = answer["createModel"]["model"]
    return model


async def refusal(city: City, document: str, input: dict[str, Any], **caller: Any) -> dict[str, Any]:
    """The extensions of an answer's one error."""
    [error] = (await city.answer(document, {"input": input}, **caller)).body["errors"]
    extensions: dict[str, Any] = error["extensions"]
    return extensions


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


async def test_model_when_created_then_it_can_be_read_as_it_was_said(city: City) -> None:
    made = await create(city, {"parts": [{"id": "wheel"}]}, description="At the river", city=CITY)

    assert made == {
        "id": f"{CITY}/model/{made['uuid']}",
        "uuid": made["uuid"],
        "name": "Mill",
        "description": "At the river",
        "modelType": "CVCM",
        "format": "CVCM_JSON",
        "version": 1,
        "etag": made["etag"],
        "content": {"parts": [{"id": "wheel"}]},
        "createdAt": made["createdAt"],
        "createdBy": ADA,
        "updatedAt": made["createdAt"],
        "updatedBy": ADA,
    }
    assert await city.ask(READ, {"id": made["id"]}, roles=["dth_viewer"]) == {"model": made}
    assert await city.ask(READ, {"id": made["uuid"]}) == {"model": made}


async def test_model_when_changed_then_updated_patched_and_restored_in_turn(city: City) -> None:
    made = await create(city, {"a": 1})

    updated = (await city.ask(UPDATE, {"input": {"id": made["id"], "ifMatch": made["etag"], "name": "Old mill", "content": {"a": 2}}}))[
        "updateModel"
    ]["model"]
    patched = (await city.ask(PATCH, {"input": {"id": made["id"], "baseVersion": 2, "patch": [replace("/a", 3)]}}))["patchModel"]
    rebased = (
        await city.ask(
            PATCH,
            {"input": {"id": made["id"], "baseVersion": 2, "rebase": True, "patch": [{"op": "add", "path": "/b", "value": 1}]}},
            subject="bob",
        )
    )["patchModel"]
    restored = (await city.ask(RESTORE, {"input": {"id": made["id"], "ifMatch": rebased["model"]["etag"], "version": 1}}))[
        "restoreModelVersion"
    ]["model"]

    assert (updated["version"], updated["name"], updated["content"]) == (2, "Old mill", {"a": 2})
    assert (patched["newVersion"], patched["rebased"], patched["model"]["content"]) == (3, False, {"a": 3})
    assert (rebased["newVersion"], rebased["rebased"], rebased["model"]["content"]) == (4, True, {"a": 3, "b": 1})
    assert (rebased["model"]["createdBy"], rebased["model"]["updatedBy"]) == (ADA, "bob")
    assert (restored["version"], restored["name"], restored["content"]) == (5, "Old mill", {"a": 1})


async def test_model_when_someone_else_was_faster_then_409_with_the_current_version_and_etag(city: City) -> None:
    made = await create(city, {"a": 1})
    id, stale = made["id"], made["etag"]
    current = (await city.ask(PATCH, {"input": {"id": id, "baseVersion": 1, "patch": [replace("/a", 2)]}}))["patchModel"]["model"]

    refusals = [
        await refusal(city, UPDATE, {"id": id, "ifMatch": stale, "name": "N"}),
        await refusal(city, RESTORE, {"id": id, "ifMatch": stale, "version": 1}),
        await refusal(city, DELETE, {"id": id, "ifMatch": stale}),
        await refusal(city, PATCH, {"id": id, "baseVersion": 1, "patch": [replace("/a", 3)]}),
        await refusal(city, PATCH, {"id": id, "baseVersion": 3, "patch": [replace("/a", 3)]}),
        await refusal(city, PATCH, {"id": id, "baseVersion": 1, "patch": [replace("/a", 3)], "rebase": True}),
    ]

    told = [(one["code"], one["status"], one["currentVersion"], one["currentEtag"]) for one in refusals]
    assert told == [("CONFLICT", 409, 2, current["etag"])] * 6
    assert refusals[5]["pointers"] == ["/a"]


@pytest.mark.parametrize(
    ("document", "input", "code"),
    [
        (CREATE, {"name": " ", "content": {}}, "BAD_USER_INPUT"),
        (CREATE, {"name": "x" * 201, "content": {}}, "BAD_USER_INPUT"),
        (CREATE, {"name": "a\0b", "content": {}}, "BAD_USER_INPUT"),
        (CREATE, {"name": "N", "content": {}, "description": "x" * 10_001}, "BAD_USER_INPUT"),
        (CREATE, {"name": "N", "content": {}, "city": "KR-SEOUL-2025"}, "NOT_FOUND"),
        (CREATE, {"name": "N", "content": {}, "idempotencyKey": ""}, "BAD_USER_INPUT"),
        (UPDATE, {"name": None}, "BAD_USER_INPUT"),
        (UPDATE, {"content": None}, "BAD_USER_INPUT"),
        (UPDATE, {"content": {"a": "\0"}}, "BAD_USER_INPUT"),
        (UPDATE, {"id": "x"}, "BAD_USER_INPUT"),
        (UPDATE, {"id": f"{CITY}/model/00000000-0000-4000-8000-000000000000"}, "NOT_FOUND"),
        (UPDATE, {"id": f"{CITY}/scenario/00000000-0000-4000-8000-000000000000"}, "BAD_USER_INPUT"),
        (RESTORE, {"version": 7}, "NOT_FOUND"),
        (PATCH, {"baseVersion": 1, "patch": [{"op": "jump", "path": "/a"}]}, "BAD_USER_INPUT"),
        (PATCH, {"baseVersion": 1, "patch": [replace("/b", 1)]}, "BAD_USER_INPUT"),
        (PATCH, {"baseVersion": 1, "patch": [{"op": "test", "path": "/a", "value": 2}]}, "CONFLICT"),
        (PATCH, {"baseVersion": 1, "patch": [replace("", None)]}, "BAD_USER_INPUT"),
        (PATCH, {"baseVersion": 1, "patch": {"op": "remove"}}, "BAD_USER_INPUT"),
    ],
)
async def test_model_when_changed_wrongly_then_refused_and_as_it_was(city: City, document: str, input: dict[str, Any], code: str) -> None:
    made = await create(city, {"a": 1})
    given = {"id": made["id"], "ifMatch": made["etag"]} if document is not CREATE else {}
    if document is PATCH:
        del given["ifMatch"]

    assert await city.codes(document, {"input": {**given, **input}}) == [code]

    assert await city.ask("{ models { totalCount nodes { version content } } }") == {
        "models": {"totalCount": 1, "nodes": [{"version": 1, "content": {"a": 1}}]}
    }


async def test_model_when_created_twice_under_one_key_then_once(city: City) -> None:
    first = await create(city, {"a": 1}, idempotencyKey="k")

    assert await create(city, {"a": 1}, idempotencyKey="k") == first
    assert await city.codes(CREATE, {"input": {"name": "Mill", "content": {"a": 2}, "idempotencyKey": "k"}}) == ["IDEMPOTENCY_KEY_REUSED"]
    assert (await city.ask("{ models { totalCount } }"))["models"]["totalCount"] == 1


async def test_model_when_deleted_then_its_annotations_and_versions_go_with_it(city: City) -> None:
    made = await create(city, {"parts": [{"id": "wheel"}]})
    annotation = {"modelId": made["id"], "elementId": "wheel", "type": "ISSUE", "text": "worn"}
    annotated = (await city.ask(ANNOTATE, {"input": annotation}))["createAnnotation"]["annotation"]["id"]
    known = await city.ask(
        'query ($id: ID!) { model(id: $id) { element(elementId: "wheel") { path annotations { totalCount } } versions { nodes { id } } } }',
        {"id": made["id"]},
    )
    assert known["model"]["element"] == {"path": "/parts/0", "annotations": {"totalCount": 1}}
    version = known["model"]["versions"]["nodes"][0]["id"]
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    ids = [made["id"], version, annotated]
    assert [node["__typename"] for node in (await city.ask(nodes, {"ids": ids}))["nodes"]] == ["Model", "ModelVersion", "Annotation"]

    deleted = await city.ask(DELETE, {"input": {"id": made["id"], "ifMatch": made["etag"]}})

    assert deleted == {"deleteModel": {"deletedId": made["id"]}}
    assert (await city.ask(nodes, {"ids": ids}))["nodes"] == [None, None, None]


async def test_models_when_another_tenants_then_not_found(city: City) -> None:
    made = await create(city, {"a": 1})

    assert await city.ask(READ, {"id": made["id"]}, tenant="other") == {"model": None}
    assert (await refusal(city, DELETE, {"id": made["id"], "ifMatch": made["etag"]}, tenant="other"))["code"] == "NOT_FOUND"
    assert await city.ask(READ, {"id": made["id"]}) == {"model": made}


async def test_model_when_two_changes_are_in_one_request_then_the_second_sees_the_first(city: City) -> None:
    made = await create(city, {"a": 1})
    both = """mutation ($one: PatchModelInput!, $two: PatchModelInput!) {
      one: patchModel(input: $one) { model { version content } } two: patchModel(input: $two) { model { version content } } }"""

    answer = await city.ask(
        both,
        {
            "one": {"id": made["id"], "baseVersion": 1, "patch": [replace("/a", 2)]},
            "two": {"id": made["id"], "baseVersion": 2, "patch": [replace("/a", 3)]},
        },
    )

    assert answer == {
        "one": {"model": {"version": 2, "content": {"a": 2}}},
        "two": {"model": {"version": 3, "content": {"a": 3}}},
    }
