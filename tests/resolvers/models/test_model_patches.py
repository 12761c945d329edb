"""RFC 6902 patches: what is refused, and how; what is applied, and what that touches (FC-07)."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import BadUserInput, CityGraphError, Conflict
from resolvers.models.differences import same
from resolvers.models.patches import (
    apply_patch,
    collisions,
    pack_pointers,
    read_patch,
    touched,
    unpack_pointers,
    written,
)
from tests.resolvers.models.changes import add, copy, expect, move, remove, replace
from tests.resolvers.models.strategies import CONTAINERS, patches


def applied(content: Any, *operations: dict[str, Any]) -> Any:
    return apply_patch(deepcopy(content), read_patch(operations))


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        ({}, "'None' is no operation"),
        ({"op": "append", "path": "/a", "value": 1}, "'append' is no operation"),
        ({"op": ["add"], "path": "/a", "value": 1}, "is no operation"),
        ({"op": "add", "value": 1}, "`path` is missing or no string"),
        ({"op": "add", "path": 1, "value": 1}, "`path` is missing or no string"),
        ({"op": "add", "path": "a", "value": 1}, "'a' is no RFC 6901 pointer"),
        ({"op": "add", "path": "/~2", "value": 1}, "'/~2' is no RFC 6901 pointer"),
        ({"op": "add", "path": "/a" * 65, "value": 1}, "is more than 64 steps deep"),
        ({"op": "add", "path": "/a"}, "add needs a `value`"),
        ({"op": "test", "path": "/a"}, "test needs a `value`"),
        ({"op": "copy", "path": "/a"}, "`from` is missing or no string"),
        ({"op": "move", "path": "/a/b", "from": "/a"}, "'/a' cannot be moved into itself"),
        ({"op": "move", "path": "/a", "from": ""}, "'' cannot be moved into itself"),
        ({"op": "remove", "path": ""}, "the whole content cannot be removed"),
    ],
)
def test_patch_when_an_operation_is_malformed_then_refused_by_its_number(operation: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadUserInput, match=problem.replace("(", r"\(")) as refused:
        read_patch([expect("/a", 1), operation])

    assert refused.value.extensions == {"operation": 1}


@pytest.mark.parametrize(
    "operation",
    [
        replace("/b", 1),
        remove("/b"),
        remove("/list/3"),
        remove("/list/-"),
        replace("/list/-", 1),
        add("/list/4", 1),
        add("/list/01", 1),
        add("/list/x", 1),
        add("/name/0", 1),
        add("/b/c", 1),
        copy("/name/0", "/c"),
        copy("/list/-", "/c"),
        move("/b", "/c"),
    ],
)
def test_patch_when_it_names_what_is_not_there_then_bad_user_input(operation: dict[str, Any]) -> None:
    with pytest.raises(BadUserInput, match=f"Operation 0 of the patch, {operation['op']} '{operation['path']}', cannot") as refused:
        applied({"name": "Mill", "list": [1, 2, 3]}, operation)

    assert refused.value.extensions == {"operation": 0, "pointer": operation["path"]}


@pytest.mark.parametrize(("there", "expected"), [(1, True), (True, 1), (0, False), ("1", 1), (None, 0), ([1], [1, 2]), ({}, [])])
def test_patch_when_a_test_fails_then_conflict_with_its_pointer(there: Any, expected: Any) -> None:
    with pytest.raises(Conflict, match="Operation 1 of the patch failed: '/a' has not the value") as refused:
        applied({"a": there}, add("/b", 1), expect("/a", expected), add("/c", 1))

    assert refused.value.extensions == {"operation": 1, "pointer": "/a"}


def test_patch_when_a_tested_path_is_not_there_then_conflict() -> None:
    with pytest.raises(Conflict):
        applied({"a": 1}, expect("/b", None))


def test_patch_when_a_test_holds_then_applied_and_numbers_are_equal_by_value() -> None:
    assert applied({"a": 1, "b": {"c": [1.0]}}, expect("/a", 1.0), expect("/b", {"c": [1]}), remove("/b")) == {"a": 1}


def test_patch_when_applied_then_its_operations_follow_one_another() -> None:
    content = {"nodes": [{"id": "a"}, {"id": "b"}], "x/y": {"~": 1}}

    changed = applied(
        content,
        add("/nodes/1", {"id": "c", "tags": []}),
        add("/nodes/1/tags/-", "new"),
        copy("/nodes/1/tags", "/x~1y/~0"),
        add("/nodes/1/tags/0", "first"),
        move("/nodes/0", "/nodes/2"),
    )

    assert changed == {"nodes": [{"id": "c", "tags": ["first", "new"]}, {"id": "b"}, {"id": "a"}], "x/y": {"~": ["new"]}}


def test_patch_when_it_has_too_many_operations_then_refused() -> None:
    assert len(read_patch([expect("", {})] * 1_000).operations) == 1_000
    with pytest.raises(BadUserInput, match="1,001 operations: expected at most 1,000"):
        read_patch([expect("", {})] * 1_001)


def test_patch_when_too_large_too_deep_or_no_json_then_refused() -> None:
    deep: Any = 0
    for _ in range(70):
        deep = [deep]
    for value in ("x" * 1_000_000, deep, float("nan"), "\ud800", "\0"):
        with pytest.raises(BadUserInput, match="`patch`"):
            read_patch([add("/a", value)])


def test_patch_when_it_copies_itself_again_and_again_then_refused_before_it_fills_the_memory() -> None:
    doubling = [copy("", f"/x{number}") for number in range(1_000)]

    with pytest.raises(BadUserInput, match="copies more than 1,000,000 characters"):
        applied({"a": [0] * 100}, *doubling)


def test_patch_when_it_nests_by_copies_or_moves_then_never_a_crash() -> None:
    rows: dict[str, Any] = {f"k{number}": {} for number in range(1_000)}
    moves = [move(f"/k{number}", f"/k{number + 1}/x") for number in range(999)]

    for last in (copy("", "/k999/y"), expect("", 1)):
        with pytest.raises(BadUserInput, match="nested"):
            applied(rows, *moves, last)


@pytest.mark.parametrize(
    ("operations", "pointers"),
    [
        ([replace("/list/1/name", 1)], {"/list/1/name"}),
        ([replace("/list/1", 1)], {"/list/1"}),
        ([add("/list/0", 1)], {"/list"}),
        ([add("/list/-", 1)], {"/list"}),
        ([remove("/list/1")], {"/list"}),
        ([add("/object/0", 1)], {"/object/0"}),
        ([remove("/object/7")], {"/object/7"}),
        ([move("/list/0", "/object/7")], {"/list", "/object/7"}),
        ([copy("/list/0", "/object/7")], {"/list/0", "/object/7"}),
        ([expect("/list/0", 1)], {"/list/0"}),
        ([add("/new", []), add("/new/0", 1)], {"/new"}),
        ([add("", {})], {""}),
    ],
)
def test_patch_when_read_against_a_content_then_it_touches_whole_arrays_where_places_move(
    operations: list[dict[str, Any]], pointers: set[str]
) -> None:
    assert touched({"list": [{"name": 1}, {"name": 2}], "object": {"7": 1}}, read_patch(operations)) == pointers


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("/a/b", "/a/b", True),
        ("/a/b", "/a", True),
        ("/a", "/a/b", True),
        ("", "/a", True),
        ("/a", "", True),
        ("/a/b", "/a/c", False),
        ("/a", "/ab", False),
        ("/a/0", "/a/01", False),
    ],
)
def test_pointers_when_equal_above_or_below_then_they_collide(mine: str, theirs: str, found: bool) -> None:
    assert collisions([mine, "/other"], [theirs]) == ([mine] if found else []) + (["/other"] if theirs == "" else [])


def test_pointers_when_packed_then_unpacked_and_too_many_are_everything() -> None:
    assert unpack_pointers(pack_pointers({"/b", "/a"})) == ["/a", "/b"]
    assert unpack_pointers(pack_pointers({f"/{number:0>100}" for number in range(1_000)})) == [""]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_patches_when_they_do_not_touch_the_same_then_their_order_does_not_matter(data: st.DataObject) -> None:
    """So a patch that was written for an earlier version means the same on a later one, if the two do not collide."""
    content = data.draw(CONTAINERS)
    mine, theirs = (read_patch(data.draw(patches(content))) for _ in range(2))
    try:
        after_theirs = apply_patch(deepcopy(content), theirs)
        apply_patch(deepcopy(content), mine)
    except CityGraphError:
        return
    if collisions(touched(after_theirs, mine), touched(content, theirs)):
        return

    one = apply_patch(deepcopy(after_theirs), mine)
    other = apply_patch(apply_patch(deepcopy(content), mine), theirs)

    assert same(one, other)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_patch_when_applied_then_only_what_it_writes_has_changed(data: st.DataObject) -> None:
    content = data.draw(CONTAINERS)
    patch = read_patch(data.draw(patches(content)))
    try:
        changed = apply_patch(deepcopy(content), patch)
    except CityGraphError:
        return
    pointers = written(content, patch)

    for name, value in content.items():
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if not collisions([pointer], pointers):
            assert same(changed[name], value)
