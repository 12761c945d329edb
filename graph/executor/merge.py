"""Merging an answer into the response tree.

Equal keys mean equal fields and arguments all over an operation, so nothing here asks where a value came from. Objects of an answer
are put into the tree as they are, even under several targets that stand for one entity: whatever a later fetch adds to such a shared
object is that entity's under the same key, wherever it is seen. What is already in the tree stays, so that shared objects keep their
identity; lists are matched by position.
"""

from collections.abc import Container
from typing import Any

from graph.executor.faults import FAILED
from graph.executor.shape import TYPENAME, JSONObject, Shape


def merge(target: JSONObject, source: JSONObject, shape: Shape, object_types: Container[str]) -> None:
    """Adds `source`, an answer of that shape, to `target`.

    A concrete `__typename` in the target is kept: a subgraph that knows an interface as an object type tells the interface's name.
    """
    if target is source:
        return
    kept: list[tuple[str, Any]] = []
    if TYPENAME in shape.leaves:
        typename = target.get(TYPENAME)
        if type(typename) is str and typename in object_types:
            kept.append((TYPENAME, typename))
    for key, below in shape.objects.items():
        old = target.get(key)
        if old is None or old is FAILED:
            continue
        new = source.get(key)
        if new is not old:
            _merge_values(old, new, below, object_types)
        kept.append((key, old))
    target.update(source)
    for key, value in kept:
        target[key] = value


def _merge_values(old: Any, new: Any, shape: Shape, object_types: Container[str]) -> None:
    if type(old) is dict:
        if type(new) is dict:
            merge(old, new, shape, object_types)
    elif type(old) is list and type(new) is list:
        for index, item in enumerate(new[: len(old)]):
            there = old[index]
            if there is None or there is FAILED:
                old[index] = item
            elif item is not there:
                _merge_values(there, item, shape, object_types)
