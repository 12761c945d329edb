"""The RFC 6902 patch that turns one content into another, in time and space that grow with their size alone.

`jsonpatch.make_patch` finds moved values too, at a price that grows with the square of what has changed: five seconds for an array of
6,000 numbers, and a content may have a million. Here members are compared by name, and arrays by place once what they begin and end with
alike is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from graph.json_codec import dumps
from resolvers.models.content import canonical
from resolvers.models.patches import EVERYTHING, Patch, apply_patch, known_patch, written
from resolvers.models.records import JSONValue

__all__ = ["Difference", "difference", "same"]

_MAX_OPERATIONS = 10_000
"""Above that, the content is replaced as a whole."""

Members: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """`patch` leads to `result`, which is equal to what was asked for; members may stand in another order. It changes `pointers`."""

    patch: Patch
    result: JSONValue
    pointers: set[str]


def difference(old: JSONValue, new: JSONValue, new_size: int) -> Difference:
    """What turns `old` into `new`, whose JSON has so many characters. `old` is used up."""
    operations = list(islice(_differences("", old, new), _MAX_OPERATIONS + 1))
    text = dumps(operations)
    if len(operations) <= _MAX_OPERATIONS and len(text) <= max(new_size, 1_000):
        patch = known_patch(operations, text)
        pointers = written(old, patch)
        result = apply_patch(old, patch)
        if same(result, new):
            return Difference(patch, result, pointers)
    whole = [{"op": "replace", "path": "", "value": new}]
    return Difference(known_patch(whole, dumps(whole)), new, {EVERYTHING})


def same(one: JSONValue, other: JSONValue) -> bool:
    """Equal as JSON texts are, but for the order of members."""
    # The interpreter's own comparison is fast, and blind to the types of numbers only.
    return bool(one == other) and canonical(one) == canonical(other)


def _differences(path: str, old: JSONValue, new: JSONValue) -> Iterator[Members]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _between_objects(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _between_arrays(path, old, new)
    elif type(old) is not type(new) or old != new:
        yield {"op": "replace", "path": path, "value": new}


def _between_objects(path: str, old: dict[str, JSONValue], new: dict[str, JSONValue]) -> Iterator[Members]:
    for name, value in old.items():
        place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in new:
            yield from _differences(place, value, new[name])
        else:
            yield {"op": "remove", "path": place}
    for name, value in new.items():
        if name not in old:
            yield {"op": "add", "path": f"{path}/{name.replace('~', '~0').replace('/', '~1')}", "value": value}


def _between_arrays(path: str, old: list[JSONValue], new: list[JSONValue]) -> Iterator[Members]:
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if not same(old[i], new[i])), shorter)
    rest = shorter - start
    end = next((i for i in range(rest) if not same(old[-1 - i], new[-1 - i])), rest)
    both = range(start, shorter - end)
    for place in both:
        yield from _differences(f"{path}/{place}", old[place], new[place])
    for _ in range(len(old) - shorter):
        yield {"op": "remove", "path": f"{path}/{both.stop}"}
    for place in range(both.stop, len(new) - end):
        yield {"op": "add", "path": f"{path}/{place}", "value": new[place]}
