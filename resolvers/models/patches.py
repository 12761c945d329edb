"""RFC 6902 patches: read with their limits, applied by `jsonpatch`, and what they touch, by which a later one may be rebased.

What is touched is a set of pointers. Two patches are in each other's way where one touches a pointer and the other the same, one
above or one below it. Inserting into an array or taking from it moves what follows, so it touches the whole array.
"""

import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import jsonpatch
import jsonpointer

from graph.errors import BadUserInput, Conflict
from graph.json_codec import dumps, loads
from resolvers.models.content import MAX_DEPTH
from resolvers.models.records import JSONValue
from resolvers.stores.json_bounds import json_text

__all__ = [
    "EVERYTHING",
    "Patch",
    "apply_patch",
    "collisions",
    "known_patch",
    "pack_pointers",
    "read_patch",
    "touched",
    "unpack_pointers",
    "written",
]

MAX_OPERATIONS = 1_000
MAX_PATCH = 1_000_000
"""Characters of a patch's JSON, and of what it copies in all."""
_MAX_POINTERS = 32_768
_MAX_TOLD = 200

EVERYTHING = ""
"""The pointer to the whole content, which is in the way of every other."""

_INDEX = re.compile(r"-|0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, its pointers checked; `source` is the `from` of those that have one."""

    number: int
    op: str
    path: str
    source: str | None
    body: jsonpatch.PatchOperation


@dataclass(frozen=True, slots=True)
class Patch:
    """`text` is the patch as compact JSON."""

    operations: tuple[Operation, ...]
    text: bytes


def read_patch(patch: Sequence[Mapping[str, Any]]) -> Patch:
    """Reads what a client sent; raises `BadUserInput`, which names the operation, where it is no patch or a limit is passed."""
    if len(patch) > MAX_OPERATIONS:
        raise BadUserInput(f"The patch has {len(patch):,} operations: expected at most {MAX_OPERATIONS:,}")
    text = json_text("patch", list(patch), MAX_PATCH, depth=MAX_DEPTH + 2)
    return Patch(tuple(_operation(number, members) for number, members in enumerate(patch)), text)


def known_patch(patch: Sequence[Mapping[str, Any]], text: bytes) -> Patch:
    """A patch that was made here, or has been read before."""
    return Patch(tuple(_operation(number, members) for number, members in enumerate(patch)), text)


def _operation(number: int, members: Mapping[str, Any]) -> Operation:
    op, path = members.get("op"), members.get("path")
    kind = jsonpatch.JsonPatch.operations.get(op) if isinstance(op, str) else None
    if kind is None or not isinstance(op, str):
        raise _malformed(number, f"{str(op)[:64]!r} is no operation: expected add, remove, replace, move, copy or test")
    checked = _pointer(number, "path", path)
    if op in ("add", "replace", "test") and "value" not in members:
        raise _malformed(number, f"{op} needs a `value`")
    if op == "remove" and not checked:
        raise _malformed(number, "the whole content cannot be removed")
    source = _pointer(number, "from", members.get("from")) if op in ("move", "copy") else None
    if op == "move" and source is not None and checked.startswith(f"{source}/"):
        raise _malformed(number, f"{_short(source)} cannot be moved into itself")
    return Operation(number, op, checked, source, kind(dict(members)))


def _pointer(number: int, name: str, pointer: object) -> str:
    if not isinstance(pointer, str):
        raise _malformed(number, f"`{name}` is missing or no string: expected an RFC 6901 pointer")
    try:
        jsonpointer.JsonPointer(pointer)
    except jsonpointer.JsonPointerException:
        raise _malformed(number, f"`{name}` {_short(pointer)} is no RFC 6901 pointer") from None
    if pointer.count("/") > MAX_DEPTH:
        raise _malformed(number, f"`{name}` {_short(pointer)} is more than {MAX_DEPTH} steps deep")
    return pointer


def apply_patch(content: JSONValue, patch: Patch) -> JSONValue:
    """The patched content; `content` itself is used up.

    Raises `Conflict` where a `test` fails, and `BadUserInput` where an operation names what is not there. How large and how deep the
    result is, the caller checks.
    """
    room = MAX_PATCH
    for operation in patch.operations:
        if operation.op == "copy":
            # Doubling what is there, again and again, would fill the memory before the result could be looked at.
            room -= _weight(content, operation, room)
        try:
            content = operation.body.apply(content)
        except jsonpatch.JsonPatchTestFailed:
            raise Conflict(
                f"Operation {operation.number} of the patch failed: {_short(operation.path)} has not the value that is expected there",
                extensions={"operation": operation.number, "pointer": operation.path},
            ) from None
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
            raise _inapplicable(operation, str(error)) from None
        except RecursionError:
            # Moves can nest a content as deep as they are many.
            raise _inapplicable(operation, "the content is nested too deeply by now") from None
    return content


def _weight(content: JSONValue, operation: Operation, room: int) -> int:
    """About how many characters a copy adds; raises `BadUserInput` where that is more than `room`, or nested too deeply."""
    copied = jsonpointer.resolve_pointer(content, operation.source or "", None)
    weight = 0
    waiting: list[tuple[JSONValue, int]] = [(copied, 1)]
    while waiting:
        value, depth = waiting.pop()
        weight += len(value) + 2 if isinstance(value, str) else 2
        if weight > room:
            raise _inapplicable(operation, f"the patch copies more than {MAX_PATCH:,} characters in all")
        if isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise _inapplicable(operation, f"what it copies is nested more than {MAX_DEPTH} levels deep")
            children = value.values() if isinstance(value, dict) else value
            weight += sum(len(name) + 3 for name in value) if isinstance(value, dict) else 0
            waiting.extend((child, depth + 1) for child in children)
    return weight


def written(content: JSONValue, patch: Patch) -> set[str]:
    """The pointers of what the patch changes in `content`, as it was before."""
    pointers: set[str] = set()
    for operation in patch.operations:
        match operation.op:
            case "replace":
                pointers.add(operation.path)
            case "add" | "remove" | "copy":
                pointers.add(_shifted(content, operation.path))
            case "move":
                pointers.add(_shifted(content, operation.path))
                pointers.add(_shifted(content, operation.source or ""))
    return pointers


def touched(content: JSONValue, patch: Patch) -> set[str]:
    """What the patch changes, and what it reads to do so."""
    read = {operation.path for operation in patch.operations if operation.op == "test"}
    copied = {operation.source for operation in patch.operations if operation.op == "copy" and operation.source is not None}
    return written(content, patch) | read | copied


def _shifted(content: JSONValue, pointer: str) -> str:
    """The pointer, or that of the array whose elements an insertion or removal there moves.

    Where nothing is there yet that the pointer goes through, a step that could be an index is taken for one.
    """
    steps = jsonpointer.JsonPointer(pointer).parts
    if not steps:
        return pointer
    parent = content
    for step in steps[:-1]:
        parent = _child(parent, step)
    if isinstance(parent, list) or (not isinstance(parent, dict) and _INDEX.fullmatch(steps[-1])):
        return pointer.rpartition("/")[0]
    return pointer


def _child(parent: JSONValue, step: str) -> JSONValue:
    if isinstance(parent, dict):
        return parent.get(step)
    if isinstance(parent, list) and _INDEX.fullmatch(step) and step != "-" and len(step) < 10 and int(step) < len(parent):
        return parent[int(step)]
    return None


def collisions(mine: Collection[str], theirs: Iterable[str]) -> list[str]:
    """Those of `mine` that are, are above or are below one of `theirs`; sorted."""
    changed = set(theirs)
    above = {prefix for pointer in changed for prefix in _prefixes(pointer)}
    return sorted(pointer for pointer in mine if pointer in above or any(prefix in changed for prefix in _prefixes(pointer)))


def _prefixes(pointer: str) -> Iterable[str]:
    """The pointer and all that are above it."""
    return accumulate(pointer.split("/"), lambda path, step: f"{path}/{step}")


def pack_pointers(pointers: Collection[str]) -> bytes:
    """For the store. Too many of them are everything."""
    text = dumps(sorted(pointers))
    return zlib.compress(text if len(text) <= _MAX_POINTERS else dumps([EVERYTHING]))


def unpack_pointers(packed: bytes) -> list[str]:
    pointers: list[str] = loads(zlib.decompress(packed))
    return pointers


def _malformed(number: int, problem: str) -> BadUserInput:
    return BadUserInput(f"Operation {number} of the patch: {problem}", extensions={"operation": number})


def _inapplicable(operation: Operation, problem: str) -> BadUserInput:
    return BadUserInput(
        f"Operation {operation.number} of the patch, {operation.op} {_short(operation.path)}, cannot be applied: {problem[:_MAX_TOLD]}",
        extensions={"operation": operation.number, "pointer": operation.path},
    )


def _short(pointer: str) -> str:
    return repr(pointer if len(pointer) <= _MAX_TOLD else f"{pointer[:_MAX_TOLD]}…")
