"""A patch on an older version is carried to the newest only where nothing that it touches has changed since (FC-07)."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.errors import CityGraphError, Conflict
from resolvers.models.differences import same
from resolvers.models.patches import apply_patch, read_patch
from resolvers.stores.engine import Store
from tests.resolvers.models.changes import (
    add,
    contents,
    copy,
    current,
    expect,
    made,
    move,
    patched,
    remove,
    replace,
    replayed,
    stored_patches,
    updated,
    versions,
)
from tests.resolvers.models.strategies import CONTAINERS, patches

CONTENT = {"list": [{"n": 1}, {"n": 2}], "object": {"a": 1, "b": 2}, "0": 0}


@pytest.mark.parametrize(
    ("earlier", "mine"),
    [
        (replace("/object/a", 9), replace("/object/b", 8)),
        (replace("/list/0/n", 9), replace("/list/1/n", 8)),
        (add("/object/c", 9), add("/object/d", 8)),
        (remove("/object/a"), add("/list/-", 8)),
        (add("/list/0", 9), replace("/object/b", 8)),
        (expect("/object/b", 2), replace("/object/b", 8)),
        (copy("/object/b", "/object/c"), replace("/object/b", 8)),
    ],
)
async def test_patch_when_nothing_that_it_touches_has_changed_then_applied_on_the_newest(
    store: Store, earlier: dict[str, Any], mine: dict[str, Any]
) -> None:
    first = await made(store, CONTENT)
    await patched(store, first.key, 1, earlier, add("/marker", 1))

    third, rebased = await patched(store, first.key, 1, mine, rebase=True)

    assert (third.version, rebased) == (3, True)
    assert await contents(store, [third]) == [replayed(CONTENT, [[earlier, add("/marker", 1)], [mine]])]
    assert (await stored_patches(store, third))[1] == [mine]


@pytest.mark.parametrize(
    ("earlier", "mine", "pointers"),
    [
        (replace("/object/a", 9), replace("/object/a", 8), ["/object/a"]),
        (replace("/object", {"a": 1}), replace("/object/a", 8), ["/object/a"]),
        (replace("/object/a", 9), replace("/object", {}), ["/object"]),
        (remove("/object/a"), replace("/object/a", 8), ["/object/a"]),
        (remove("/object"), add("/object/c", 8), ["/object/c"]),
        (add("/object/c", 9), add("/object/c", 8), ["/object/c"]),
        (add("/list/0", {"n": 0}), replace("/list/1/n", 8), ["/list/1/n"]),
        (remove("/list/0"), replace("/list/0/n", 8), ["/list/0/n"]),
        (replace("/list/1/n", 9), add("/list/0", 8), ["/list"]),
        (add("/list/-", 9), add("/list/-", 8), ["/list"]),
        (move("/list/0", "/moved"), replace("/list/1", 8), ["/list/1"]),
        (replace("/object/a", 9), expect("/object/a", 9), ["/object/a"]),
        (replace("/object/a", 9), copy("/object/a", "/object/c"), ["/object/a"]),
        (replace("/object/a", 9), move("/object/a", "/object/c"), ["/object/a"]),
        (replace("/object/a", 9), replace("", {}), [""]),
        (replace("", {"list": [], "object": {}}), replace("/object/a", 8), ["/fine", "/object/a"]),
        (replace("/list", {}), add("/list/0", 8), ["/list/0"]),
        (remove("/list"), add("/list/0", 8), ["/list"]),
    ],
)
async def test_patch_when_a_touched_path_has_changed_then_conflict_that_names_it(
    store: Store, earlier: dict[str, Any], mine: dict[str, Any], pointers: list[str]
) -> None:
    first = await made(store, CONTENT)
    second, _ = await patched(store, first.key, 1, earlier)

    with pytest.raises(Conflict, match="has changed, which the patch touches") as refused:
        await patched(store, first.key, 1, add("/fine", 1), mine, rebase=True)

    assert refused.value.extensions == {"currentVersion": 2, "currentEtag": second.etag, "pointers": pointers}
    assert await current(store, first.key) == second


async def test_patch_when_several_versions_and_kinds_of_change_lie_between_then_all_of_them_count(store: Store) -> None:
    first = await made(store, CONTENT)
    model, _ = await patched(store, first.key, 1, replace("/list/0/n", 9))
    model = await updated(store, model, name="Other")
    model = await updated(store, model, content={**CONTENT, "list": [{"n": 9}, {"n": 2}], "new": 1})

    for mine, free in [(replace("/list/0/n", 8), False), (add("/new", 8), False), (replace("/object/a", 8), True)]:
        if not free:
            with pytest.raises(Conflict):
                await patched(store, first.key, 1, mine, rebase=True)
            continue
        model, rebased = await patched(store, first.key, 1, mine, rebase=True)
        assert (model.version, rebased) == (5, True)
    assert await contents(store, [model]) == [{**CONTENT, "list": [{"n": 9}, {"n": 2}], "new": 1, "object": {"a": 8, "b": 2}}]


async def test_patch_when_only_the_name_has_changed_then_carried_over(store: Store) -> None:
    first = await made(store, CONTENT)
    await updated(store, first, name="Other")

    model, rebased = await patched(store, first.key, 1, replace("", {"all": "new"}), rebase=True)

    assert (model.version, model.name, rebased) == (3, "Other", True)


async def test_patch_when_its_base_is_the_newest_then_it_is_not_rebased(store: Store) -> None:
    first = await made(store, CONTENT)

    assert (await patched(store, first.key, 1, replace("/0", 1), rebase=True))[1] is False


@pytest.mark.parametrize("base", [3, 0, -5, 2**31 - 1])
async def test_patch_when_its_base_never_was_then_conflict_in_spite_of_rebase(store: Store, base: int) -> None:
    first = await made(store, CONTENT)
    await patched(store, first.key, 1, replace("/0", 1))

    with pytest.raises(Conflict):
        await patched(store, first.key, base, replace("/object/a", 3), rebase=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_patch_when_rebased_then_the_same_as_one_patch_after_the_other(sqlite_store: Store, data: st.DataObject) -> None:
    store = sqlite_store
    content = data.draw(CONTAINERS)
    theirs, mine = data.draw(patches(content)), data.draw(patches(content))
    try:
        wanted = apply_patch(apply_patch(deepcopy(content), read_patch(theirs)), read_patch(mine))
    except CityGraphError:
        return
    first = await made(store, content)
    try:
        await patched(store, first.key, 1, *theirs)
        model, _ = await patched(store, first.key, 1, *mine, rebase=True)
    except CityGraphError:
        return

    [found] = await contents(store, [model])
    assert same(found, wanted)
    assert await contents(store, (await versions(store, model))[-1:]) == [found]
    assert same(replayed(content, await stored_patches(store, model)), found)
