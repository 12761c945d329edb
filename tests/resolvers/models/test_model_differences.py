"""The patch between two contents is right for any two, short for those that differ little, and bounded."""

from copy import deepcopy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings

from graph.json_codec import loads
from resolvers.models.content import content_text
from resolvers.models.differences import difference, same
from tests.resolvers.models.strategies import CONTENTS


def between(old: Any, new: Any) -> Any:
    found = difference(deepcopy(old), new, len(content_text(new)))
    return loads(found.patch.text, exact_integers=True)


@settings(max_examples=60, deadline=None)
@given(CONTENTS, CONTENTS)
def test_difference_when_applied_by_another_hand_then_it_gives_the_new_content(old: Any, new: Any) -> None:
    if new is None:
        return

    assert same(jsonpatch.apply_patch(deepcopy(old), between(old, new)), new)


@settings(max_examples=60, deadline=None)
@given(CONTENTS)
def test_difference_when_there_is_none_then_no_operations(content: Any) -> None:
    if content is not None:
        assert between(content, deepcopy(content)) == []


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, [("remove", "/a"), ("replace", "/b", 3), ("add", "/c", 4)]),
        ([1, 2, 3], [1, 3], [("remove", "/1")]),
        ([1, 3], [1, 2, 3], [("add", "/1", 2)]),
        ([1, 2, 3], [1, 9, 3], [("replace", "/1", 9)]),
        ([{"id": "a"}, {"id": "b"}], [{"id": "x"}, {"id": "a"}, {"id": "b"}], [("add", "/0", {"id": "x"})]),
        ({"a": [{"x": 1}, {"y": 2}]}, {"a": [{"x": 1}, {"y": 3}]}, [("replace", "/a/1/y", 3)]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [("replace", "/a~1b/~0", 2)]),
        ({"a": 1}, {"a": True}, [("replace", "/a", True)]),
        ({"a": 1}, {"a": 1.0}, [("replace", "/a", 1.0)]),
        ({"a": {}}, {"a": []}, [("replace", "/a", [])]),
        (1, {"a": 1}, [("replace", "", {"a": 1})]),
    ],
)
def test_difference_when_little_has_changed_then_it_says_just_that(old: Any, new: Any, patch: list[tuple[Any, ...]]) -> None:
    assert between(old, new) == [dict(zip(("op", "path", "value"), operation, strict=False)) for operation in patch]


def test_difference_when_all_has_changed_then_the_whole_is_replaced_at_once() -> None:
    old, new = list(range(20_000)), [number + 1.5 for number in range(20_000)]

    assert between({"a": old}, {"a": new}) == [{"op": "replace", "path": "", "value": {"a": new}}]


def test_contents_when_compared_then_numbers_of_two_types_and_truth_are_not_the_same() -> None:
    assert same({"a": [1, 2.5, None], "b": {}}, {"b": {}, "a": [1, 2.5, None]})
    assert not any(same(one, other) for one, other in [(1, 1.0), (1, True), (0, False), ([0], [False]), ({"a": 1}, {"a": 1.0})])
