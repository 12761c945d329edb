"""Turning objects of the response tree into representations for `_entities`, each different one once.

The loop over the objects is generated as Python code, once for each call of a plan: it runs for every object of every answer, and
which inputs there are, and what makes two objects the same entity, is known with the plan.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graph.executor.faults import FAILED, Failed
from graph.executor.shape import TYPENAME, JSONObject
from graph.executor.source import Source
from graph.json_codec import dumps
from graph.planner.plan import EntityCall, InputField, Representation

LACKING: Final = object()
"""In place of a value that is missing: the object that needs it cannot be sent."""


@dataclass(slots=True)
class Entities:
    """The representations to send, for each the objects that wait for its answer, and the objects whose input failed earlier."""

    representations: list[JSONObject] = field(default_factory=list)
    owners: list[list[JSONObject]] = field(default_factory=list)
    failed: list[JSONObject] = field(default_factory=list)


Builder = Callable[[Sequence[Sequence[JSONObject]]], Entities]


def prepare_builder(call: EntityCall) -> Builder:
    """The function that makes the entities of a call from the levels that its paths reach."""
    source = Source({"LACKING": LACKING, "FAILED": FAILED, "Entities": Entities, "identity": identity, "nested": nested})
    plans = [_Plan(number, one, _write_reader(source, one)) for number, one in enumerate(call.representations)]
    with source.block("def build(levels)"):
        source.line("out = Entities()")
        source.line("add, add_owners, failed, known = out.representations.append, out.owners.append, out.failed.append, {}")
        with source.block("for level in levels"), source.block("for o in level"):
            source.line(f"typename = o.get({TYPENAME!r})")
            for plan in plans:
                with source.block(f"if {_fits(source, plan.representation.types)}"):
                    _write_attempt(source, plan, alone=len(plans) == 1)
        source.line("return out")
    source.define()
    return source.function("build")


def identity(value: Any) -> bytes:
    """Equal for equal values alone: Python takes `1`, `1.0` and `True` for one key of a dictionary, and objects for none."""
    return dumps(value)


def nested(value: Any, read: Callable[[JSONObject], Any]) -> Any:
    """A nested input: an object, a list of such, or null. `LACKING` or `FAILED` if a part of it is missing."""
    if type(value) is dict:
        return read(value)
    if type(value) is list:
        items = [nested(item, read) for item in value]
        return next((item for item in items if item is LACKING or item is FAILED), items)
    return value if value is None or isinstance(value, Failed) else LACKING


@dataclass(frozen=True, slots=True)
class _Plan:
    number: int
    representation: Representation
    reader: str | None
    """The function that reads the inputs, where they are not plain leaves."""


def _fits(source: Source, types: frozenset[str] | None) -> str:
    if types is None:
        return "True"
    if len(types) == 1:
        return f"typename == {min(types)!r}"
    return f"type(typename) is str and typename in {source.constant(types)}"


def _write_attempt(source: Source, plan: _Plan, *, alone: bool) -> None:
    """Sends the object of the loop, or falls through to the next representation. `alone`: there is no other."""
    told = plan.representation.typename
    if told is None:
        source.line("told = typename")
    name = "told" if told is None else repr(told)
    if plan.reader is None:
        sendable, same, representation = _write_leaves(source, plan.representation.fields, name)
    else:
        source.line(f"r = {plan.reader}(o)")
        source.line("if r is FAILED: failed(o); continue")
        sendable, same, representation = ["r is not LACKING"], ["identity(r)"], f"{{{TYPENAME!r}: {name}, **r}}"
    if told is None:
        sendable.append("type(told) is str")
        same.append("told")
    if not alone:
        same.append(str(plan.number))
    with source.block(f"if {' and '.join(sendable) or 'True'}"):
        source.line("same = " + (same[0] if len(same) == 1 else f"({', '.join(same)})"))
        source.line("owners = known.get(same)")
        with source.block("if owners is None"):
            source.line("known[same] = owners = [o]")
            source.line(f"add({representation}); add_owners(owners)")
        source.line("else: owners.append(o)")
        source.line("continue")


def _write_leaves(source: Source, fields: Sequence[InputField], told: str) -> tuple[list[str], list[str], str]:
    """Inputs that are all leaves stay in local variables: an entity that is known already costs no dictionary."""
    sendable: list[str] = []
    same: list[str] = []
    body = [f"{TYPENAME!r}: {told}"]
    for number, one in enumerate(fields):
        value = f"v{number}"
        source.line(f"{value} = o.get({one.key!r}{', LACKING' if one.nullable else ''})")
        source.line(f"if {value} is FAILED: failed(o); continue")
        sendable.append(f"{value} is not {'LACKING' if one.nullable else 'None'}")
        same.append(f"{value} if type({value}) is str or type({value}) is int else identity({value})")
        body.append(f"{one.name!r}: {value}")
    return sendable, same, f"{{{', '.join(body)}}}"


def _write_reader(source: Source, representation: Representation) -> str | None:
    if not any(one.types is not None or one.fields for one in representation.fields):
        return None
    return _write_object(source, representation.fields, with_typename=False)


def _write_object(source: Source, fields: Sequence[InputField], *, with_typename: bool) -> str:
    """Writes a function from an object of the tree to its inputs, `LACKING` or `FAILED`."""
    below = [_write_object(source, one.fields, with_typename=True) if one.fields else None for one in fields]
    name = source.constant(None)
    with source.block(f"def {name}(o)"):
        source.line(f"typename = o.get({TYPENAME!r})")
        source.line(f"r = {{{TYPENAME!r}: typename}} if type(typename) is str else {{}}" if with_typename else "r = {}")
        for one, reader in zip(fields, below, strict=True):
            with source.block(f"if {_fits(source, one.types)}"):
                source.line(f"v = o.get({one.key!r}, LACKING)")
                if reader is not None:
                    source.line(f"v = nested(v, {reader})")
                source.line("if v is FAILED or v is LACKING: return v")
                if not one.nullable:
                    source.line("if v is None: return LACKING")
                source.line(f"r[{one.name!r}] = v")
        source.line("return r")
    return name
