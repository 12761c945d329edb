"""From the response tree's keys to the client's: where an error is told, and which subgraph a value came from.

Only errors need this, so nothing is computed before there is one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from graph.executor.faults import PathKey
from graph.executor.shape import Shape
from graph.planner.normalize.operation import Field, Operation, Selection
from graph.planner.plan import PathSegment


def client_path(operation: Operation, path: Sequence[PathKey]) -> list[PathKey]:
    """The path in the client's response keys; it ends before the first key that the client has not asked for there."""
    selections: Iterable[Selection] = operation.selections
    found: list[PathKey] = []
    for key in path:
        if isinstance(key, int):
            found.append(key)
            continue
        fields = [one for one in _fields(selections) if one.key == key]
        if not fields:
            break
        found.append(fields[0].response_key)
        selections = list(chain.from_iterable(one.selections for one in fields))
    return found


def client_keys(operation: Operation, path: Sequence[PathKey], keys: Iterable[str]) -> list[str]:
    """Those of the tree's keys of the object at a path that the client has asked for, as its response keys, sorted."""
    paths = (client_path(operation, [*path, key]) for key in keys)
    return sorted(str(one[-1]) for one in paths if len(one) == len(path) + 1)


def source_paths(segments: Sequence[PathSegment], shape: Shape) -> Iterator[tuple[str, ...]]:
    """Every path, without indices, that an answer of that shape fills."""
    pending = [(tuple(segment.key for segment in segments), shape)]
    while pending:
        path, one = pending.pop()
        for leaf in one.leaves:
            yield (*path, leaf)
        for key, below in one.objects.items():
            yield (*path, key)
            pending.append(((*path, key), below))


def _fields(selections: Iterable[Selection]) -> Iterator[Field]:
    for selection in selections:
        if isinstance(selection, Field):
            yield selection
        else:
            yield from _fields(selection.selections)
