"""Versions of models: one for each change, without a gap, each to be had again (FC-04, FC-07)."""

import random
from typing import Any

import pytest

from graph.errors import BadUserInput, Conflict, IdempotencyKeyReused, NotFound
from resolvers.models import commands, queries
from resolvers.models.events import MAX_TOLD_PATCH
from resolvers.models.records import Model
from resolvers.stores.engine import Store
from resolvers.stores.journal import events_after
from tests.resolvers.models.changes import (
    ADA,
    BOB,
    CITY,
    TENANT,
    Nobody,
    add,
    contents,
    current,
    expect,
    made,
    patched,
    remove,
    replace,
    replayed,
    stored_patches,
    updated,
    versions,
)

NOBODY = Nobody()


async def restored(store: Store, model: Model, version: int) -> Model:
    return await commands.restore(store, tenant=TENANT, key=model.key, subject=BOB, if_match=model.etag, version=version, now=9)


async def test_model_when_made_then_it_is_version_one_of_its_author(store: Store) -> None:
    model = await made(store, {"nodes": []}, name="Mill", description="At the river", now=7)

    assert (model.city, model.name, model.description, model.version) == (CITY, "Mill", "At the river", 1)
    assert (model.created_at, model.created_by, model.updated_at, model.updated_by) == (7, ADA, 7, ADA)
    [first] = await versions(store, model)
    assert (first.version, first.etag, first.patch_size, first.created_at, first.created_by) == (1, model.etag, None, 7, ADA)
    assert await contents(store, [model, first]) == [{"nodes": []}, {"nodes": []}]


async def test_model_when_changed_in_any_way_then_each_change_is_one_version_with_its_own_etag(store: Store) -> None:
    first = await made(store, {"a": 1, "b": [1, 2]}, now=1)

    second, _ = await patched(store, first.key, 1, replace("/a", 2), now=2)
    third = await updated(store, second, name="Old mill", now=3)
    fourth = await updated(store, third, content={"b": [1, 2, 3]}, description="Wheel", now=4)
    fifth = await restored(store, fourth, 1)

    assert [model.version for model in (first, second, third, fourth, fifth)] == [1, 2, 3, 4, 5]
    assert (fifth.name, fifth.description, fifth.created_by, fifth.updated_by, fifth.updated_at) == ("Old mill", "Wheel", ADA, BOB, 9)
    stored = await versions(store, fifth)
    assert [one.etag for one in stored] == [model.etag for model in (first, second, third, fourth, fifth)]
    assert len({one.etag for one in stored}) == 5
    assert all(one.etag.startswith(f'"{one.version}-') and one.etag.endswith('"') for one in stored)
    assert await contents(store, stored) == [
        {"a": 1, "b": [1, 2]},
        {"a": 2, "b": [1, 2]},
        {"a": 2, "b": [1, 2]},
        {"b": [1, 2, 3]},
        {"a": 1, "b": [1, 2]},
    ]
    assert await stored_patches(store, fifth) == [
        [replace("/a", 2)],
        [],
        [remove("/a"), add("/b/2", 3)],
        [remove("/b/2"), add("/a", 1)],
    ]


async def test_model_when_a_change_changes_nothing_then_there_is_no_version(store: Store) -> None:
    model = await made(store, {"a": 1, "b": 2}, description="d")

    same = [
        await updated(store, model, name="Mill", description="d", content={"b": 2, "a": 1}),
        await updated(store, model),
        (await patched(store, model.key, 1, expect("/a", 1)))[0],
        (await patched(store, model.key, 1, replace("/a", 1)))[0],
        (await patched(store, model.key, 1, remove("/a"), add("/a", 1)))[0],
        (await patched(store, model.key, 1))[0],
    ]

    assert same == [model] * 6
    assert len(await versions(store, await current(store, model.key))) == 1


async def test_model_when_a_number_changes_its_type_then_that_is_a_change(store: Store) -> None:
    model = await made(store, {"a": 1})

    changed = await updated(store, model, content={"a": True})

    assert changed.version == 2
    assert await contents(store, [changed]) == [{"a": True}]


async def test_model_when_description_is_null_then_cleared_and_when_absent_then_kept(store: Store) -> None:
    model = await made(store, {}, description="d")

    kept = await updated(store, model, name="N")
    cleared = await updated(store, kept, description=None)

    assert (kept.description, cleared.description, cleared.name) == ("d", None, "N")


async def test_model_when_the_etag_is_not_the_current_then_conflict_that_tells_the_current(store: Store) -> None:
    first = await made(store, {"a": 1})
    second, _ = await patched(store, first.key, 1, replace("/a", 2))
    now = {"currentVersion": 2, "currentEtag": second.etag}

    for stale in (first.etag, second.etag.strip('"'), f"W/{second.etag}", "*", ""):
        for change in (
            commands.update(store, tenant=TENANT, key=first.key, subject=BOB, if_match=stale, changes={"name": "N"}, now=3),
            commands.restore(store, tenant=TENANT, key=first.key, subject=BOB, if_match=stale, version=1, now=3),
            commands.delete(store, NOBODY, tenant=TENANT, key=first.key, if_match=stale, now=3),
        ):
            with pytest.raises(Conflict, match="The model is at version 2") as refused:
                await change
            assert refused.value.extensions == now
    assert await current(store, first.key) == second


@pytest.mark.parametrize("base", [1, 3, 0, -1])
async def test_model_when_the_base_is_older_or_newer_than_there_is_then_conflict(store: Store, base: int) -> None:
    first = await made(store, {"a": 1})
    second, _ = await patched(store, first.key, 1, replace("/a", 2))

    with pytest.raises(Conflict, match=f"at version 2, not {base}") as refused:
        await patched(store, first.key, base, replace("/a", 3))

    assert refused.value.extensions == {"currentVersion": 2, "currentEtag": second.etag}


async def test_model_when_a_test_fails_then_conflict_and_nothing_of_the_patch_is_done(store: Store) -> None:
    model = await made(store, {"a": 1})

    with pytest.raises(Conflict) as refused:
        await patched(store, model.key, 1, add("/b", 1), expect("/a", 2))

    assert refused.value.extensions == {"operation": 1, "pointer": "/a", "currentVersion": 1, "currentEtag": model.etag}
    assert await contents(store, [await current(store, model.key)]) == [{"a": 1}]


async def test_model_when_it_is_not_there_or_another_tenants_then_not_found(store: Store) -> None:
    theirs = await made(store, {}, tenant="other")

    for change in (
        commands.update(store, tenant=TENANT, key=theirs.key, subject=BOB, if_match=theirs.etag, changes={"name": "N"}, now=3),
        patched(store, theirs.key, 1, add("/a", 1)),
        commands.restore(store, tenant=TENANT, key=theirs.key, subject=BOB, if_match=theirs.etag, version=1, now=3),
        commands.delete(store, NOBODY, tenant=TENANT, key=theirs.key, if_match=theirs.etag, now=3),
        patched(store, ("XX-NOWHERE", theirs.uuid), 1, add("/a", 1)),
    ):
        with pytest.raises(NotFound, match="There is no model"):
            await change


async def test_version_when_there_is_none_of_that_number_then_not_found(store: Store) -> None:
    model = await made(store, {})

    for version in (0, 2, -1, 2**31 - 1):
        with pytest.raises(NotFound, match=f"has no version {version}: it has 1 to 1"):
            await restored(store, model, version)


async def test_content_when_unfit_then_bad_user_input_and_no_model(store: Store) -> None:
    deep: Any = 0
    for _ in range(65):
        deep = [deep]
    for content, problem in [
        (None, "null"),
        (deep, "nested more than 64"),
        ({"a": float("inf")}, "no JSON: inf is not finite"),
        ({"a": "\0"}, "null character"),
        ({"a": "\ud800"}, "no JSON"),
        (["x" * 5_000_000], "expected at most 5,000,000"),
    ]:
        with pytest.raises(BadUserInput, match=problem):
            await made(store, content)
    model = await made(store, deep[0])
    with pytest.raises(BadUserInput, match="`content` is null"):
        await patched(store, model.key, 1, replace("", None))


async def test_content_when_it_has_what_few_stores_keep_then_it_is_the_same_again(store: Store) -> None:
    content = {"z": 1, "a": [2**70, 1.0, 1, -0.5, 1e300, "é\u2028", {}, [], None, True], "": {"~/": 0}}

    model = await made(store, content)
    [found] = await contents(store, [model])

    assert repr(found) == repr(content)


async def test_versions_when_many_then_each_is_rebuilt_and_replaying_the_patches_gives_the_last(store: Store) -> None:
    """More versions than between two that are kept whole, some of them by large patches."""
    chance = random.Random(4)
    model = await made(store, {"rows": [0] * 20})
    expected = [{"rows": [0] * 20}]
    for number in range(45):
        value: Any = "x" * 40_000 if number % 9 == 0 else number
        model, _ = await patched(store, model.key, model.version, replace(f"/rows/{chance.randrange(20)}", value))
        expected += await contents(store, [model])

    stored = await versions(store, model)

    assert [one.version for one in stored] == list(range(1, 47))
    assert await contents(store, stored) == expected
    for one in chance.sample(stored, 5):
        assert await contents(store, [one]) == [expected[one.version - 1]]
    assert replayed(expected[0], await stored_patches(store, model)) == expected[-1]
    assert max(one.version - one.base for one in stored) <= 31


async def test_content_when_the_model_has_moved_on_since_it_was_read_then_still_that_of_its_version(store: Store) -> None:
    first = await made(store, {"a": 1})
    second, _ = await patched(store, first.key, 1, replace("/a", 2))

    assert await contents(store, [first, second]) == [{"a": 1}, {"a": 2}]


async def test_content_when_it_is_another_tenants_then_nothing_of_it_is_found(store: Store) -> None:
    model = await made(store, {"a": 1})
    model, _ = await patched(store, model.key, 1, replace("/a", 2))
    [first, second] = await versions(store, model)

    assert await queries.contents(store, "other", [model.content, first.content, second.content]) == {}
    assert await queries.versions(store, "other", [(model.uuid, 1, 2)]) == [[]]
    assert await queries.versions_by_uuid(store, "other", [(CITY, first.uuid)]) == {}
    assert await queries.patches(store, "other", [(model.uuid, 2)]) == {}
    assert await queries.by_keys(store, "other", [model.key]) == {}


async def test_key_when_used_again_then_the_first_model_and_with_another_input_refused(store: Store) -> None:
    first = await made(store, {"a": 1, "b": 2}, idempotency_key="k")

    assert await made(store, {"b": 2, "a": 1}, idempotency_key="k") == first
    assert await made(store, {"a": 1, "b": 2}, idempotency_key="k", tenant="other") != first
    with pytest.raises(IdempotencyKeyReused):
        await made(store, {"a": 1, "b": 3}, idempotency_key="k")
    with pytest.raises(IdempotencyKeyReused):
        await made(store, {"a": 1, "b": 2}, idempotency_key="k", name="Other")


async def test_events_when_a_model_is_changed_and_deleted_then_each_tells_what_happened(store: Store) -> None:
    first = await made(store, {"a": 1}, now=1)
    second, _ = await patched(store, first.key, 1, replace("/a", 2), now=2)
    third = await updated(store, second, description="d", now=3)
    fourth = await updated(store, third, content={"a": "x" * MAX_TOLD_PATCH}, now=4)
    await commands.delete(store, NOBODY, tenant=TENANT, key=first.key, if_match=fourth.etag, now=5)

    events = await events_after(store, TENANT, f"model/{first.uuid}", 0, 10)

    def told(model: Model, patch: Any) -> dict[str, Any]:
        said = {"name": "Mill", "description": model.description, "updatedBy": BOB}
        return {"newVersion": model.version, "etag": model.etag, "patch": patch, **said}

    assert [(event.seq, event.kind, event.at) for event in events] == [
        (1, "ModelPatched", 2),
        (2, "ModelPatched", 3),
        (3, "ModelPatched", 4),
        (4, "ModelDeleted", 5),
    ]
    # The last patch is too long for a notice: it stands in its version.
    assert [event.payload for event in events] == [told(second, [replace("/a", 2)]), told(third, []), told(fourth, None), {}]
