"""Finding the objects of the response tree that a path leads to.

A level is the list of all objects that a path's beginning reaches. Levels are built whole, by comprehensions; paths that begin alike
share their levels. Where an object stands (its indices) is not kept: only an error needs it, and `locate` finds it then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from graph.executor.faults import PathKey
from graph.executor.shape import TYPENAME, JSONObject
from graph.planner.plan import PathSegment


@dataclass(frozen=True, slots=True)
class Step:
    """From the level with index `parent` (0 is the root) to the next."""

    parent: int
    segment: PathSegment


@dataclass(frozen=True, slots=True)
class Walk:
    """The levels that the calls of one fetch need, each after its parent."""

    steps: tuple[Step, ...]

    def levels(self, root: JSONObject) -> list[list[JSONObject]]:
        levels = [[root]]
        for step in self.steps:
            levels.append(_descend(levels[step.parent], step.segment))
        return levels


def plan_walk(paths: Sequence[Sequence[PathSegment]]) -> tuple[Walk, list[int]]:
    """A walk that reaches the end of each path, and for each path the index of its level."""
    steps: list[Step] = []
    known: dict[Step, int] = {}
    ends: list[int] = []
    for path in paths:
        level = 0
        for segment in path:
            step = Step(level, segment)
            if step not in known:
                steps.append(step)
                known[step] = len(steps)
            level = known[step]
        ends.append(level)
    return Walk(tuple(steps)), ends


def _descend(level: list[JSONObject], segment: PathSegment) -> list[JSONObject]:
    key = segment.key
    found: list[Any] = [value for parent in level if (value := parent.get(key)) is not None]
    kinds = set(map(type, found))
    while list in kinds:
        found = _flatten(found) if kinds == {list} else _flatten([value for value in found if type(value) is list])
        kinds = set(map(type, found))
    if kinds - {dict}:
        found = [value for value in found if type(value) is dict]
    if segment.types is not None:
        types = segment.types
        found = [value for value in found if type(typename := value.get(TYPENAME)) is str and typename in types]
    return found


def _flatten(lists: list[list[Any]]) -> list[Any]:
    return [value for value in chain.from_iterable(lists) if value is not None]


def locate(root: JSONObject, path: Sequence[PathSegment], wanted: set[int]) -> list[PathKey] | None:
    """Where on the path the first object stands whose `id` is wanted, as keys of the tree and indices."""
    return next(locate_all(root, path, wanted), None)


def locate_all(root: JSONObject, path: Sequence[PathSegment], wanted: set[int]) -> Iterator[list[PathKey]]:
    """Every place on the path where an object stands whose `id` is wanted: one object may stand at several."""
    return (list(place) for value, place in _walk(root, tuple(path), ()) if id(value) in wanted)


def _walk(value: Any, path: tuple[PathSegment, ...], place: tuple[PathKey, ...]) -> Iterator[tuple[JSONObject, tuple[PathKey, ...]]]:
    if type(value) is list:
        for index, item in enumerate(value):
            yield from _walk(item, path, (*place, index))
    elif type(value) is dict:
        if not path:
            yield value, place
        else:
            segment, rest = path[0], path[1:]
            for item, where in _walk(value.get(segment.key), (), (*place, segment.key)):
                if segment.types is None or _is_one_of(item, segment.types):
                    yield from _walk(item, rest, where)


def _is_one_of(value: JSONObject, types: frozenset[str]) -> bool:
    typename = value.get(TYPENAME)
    return isinstance(typename, str) and typename in types
