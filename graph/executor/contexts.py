"""Entities that take an argument from an object above them (`@fromContext`): those that take the same go into one request.

Only such fetches need to know where their objects stand, so they have a walk of their own, which keeps the objects passed on the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.executor.faults import Failed
from graph.executor.shape import TYPENAME, JSONObject
from graph.json_codec import dumps
from graph.planner.plan import ContextVariable, EntityCall, InputField, PathSegment


@dataclass(slots=True)
class ContextGroup:
    """The values of the context variables, and for each call the objects for which they hold."""

    values: JSONObject
    objects: list[list[JSONObject]] = field(default_factory=list)


def group_by_context(tree: JSONObject, calls: Sequence[EntityCall], contexts: Sequence[ContextVariable]) -> list[ContextGroup]:
    """The objects of all calls, by what they take from above. Objects above which a value failed are left out."""
    groups: dict[bytes, ContextGroup] = {}
    for number, call in enumerate(calls):
        for path in call.paths:
            for found, passed in _walk(tree, path, (tree,)):
                values = {c.variable: _read(passed[len(c.path)], c.fields) for c in contexts}
                if any(isinstance(value, Failed) for value in values.values()):
                    continue
                group = groups.setdefault(dumps(values), ContextGroup(values, [[] for _ in calls]))
                group.objects[number].append(found)
    return list(groups.values())


def _walk(value: Any, path: Sequence[PathSegment], passed: tuple[JSONObject, ...]) -> Iterator[tuple[JSONObject, tuple[JSONObject, ...]]]:
    """The objects at the end of a path, each with the objects on the way: the root, then one for each segment."""
    if not path:
        yield passed[-1], passed
        return
    segment, *rest = path
    for item in _objects(value.get(segment.key)):
        if segment.types is None or item.get(TYPENAME) in segment.types:
            yield from _walk(item, rest, (*passed, item))


def _objects(value: Any) -> Iterator[JSONObject]:
    if type(value) is list:
        for item in value:
            yield from _objects(item)
    elif type(value) is dict:
        yield value


def _read(above: JSONObject, fields: Sequence[InputField]) -> Any:
    """The one leaf that the fields select on this object; None where its type selects none."""
    for one in fields:
        if one.types is None or above.get(TYPENAME) in one.types:
            value = above.get(one.key)
            return _read(value, one.fields) if one.fields and type(value) is dict else value
    return None
