"""Who did what to which: every mutation, every refusal, and reads of what is sensitive, handed to a sink that keeps them.

What has to be told of an operation is known with its plan, so an operation with nothing to tell costs nothing. Of its contents an entry
has the identifier alone that the caller named, or was given.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    IntValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    parse_value,
)

from graph.contracts import AuditEntry, AuditOutcome, AuditSink, OperationKind, RequestContext
from graph.errors import CityGraphError
from graph.executor.outcome import ExecutionOutcome
from graph.planner.normalize.operation import Condition, Field, Fragment, Operation, Selection
from graph.rights import SENSITIVE
from graph.server.policy import holds
from graph.server.problems import Trace
from graph.supergraph import Supergraph
from graph.supergraph.demands import NO_DEMAND, Denied, scope, words

MAX_TARGET = 200
"""Characters of an identifier that are kept."""
SENSITIVE_WORDS = frozenset(scope(name.value) for name in SENSITIVE)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditedField:
    """A root field. `told` where it is audited also when it was allowed; `effect` where that must be kept before the answer leaves.

    `named` are the places of the arguments where an identifier may stand, the likeliest first; `made` is the way to the identifier of
    what the field gives back, in the client's response keys.
    """

    response_key: str
    operation: str
    conditions: frozenset[Condition]
    effect: bool
    told: bool
    named: tuple[tuple[ValueNode, tuple[str, ...]], ...]
    made: tuple[str, ...] | None

    def target(self, variables: Mapping[str, Any], data: Mapping[str, Any] | None) -> str | None:
        found = next((value for node, path in self.named if (value := _identifier(_value(node, path, variables)))), None)
        if found is None and self.made is not None:
            found = _identifier(_below(data, (self.response_key, *self.made)))
        return found


def audited_fields(operation: Operation, supergraph: Supergraph, denied: Denied) -> tuple[AuditedField, ...]:
    """Every mutation; of other operations the root fields that touch what is sensitive, and those that are denied."""
    root = supergraph.root_types[operation.kind]
    effect = operation.kind is OperationKind.MUTATION
    found: dict[tuple[str, frozenset[Condition]], AuditedField] = {}
    for one in operation.selections:
        if not isinstance(one, Field) or one.name.startswith("__"):
            continue
        told = effect or _Sensitive(supergraph, denied).touched((one,), root)
        if told or (root, one.name) in denied.fields:
            named, made = tuple(_named(one, supergraph, root)), _made(one)
            audited = AuditedField(one.response_key, f"{root}.{one.name}", one.conditions, effect, told, named, made)
            found.setdefault((one.response_key, one.conditions), audited)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Auditor:
    """Writes to a sink; the clock is the machine's."""

    sink: AuditSink

    async def refused(
        self, fields: Sequence[AuditedField], keys: frozenset[str], variables: Mapping[str, Any], context: RequestContext, trace: Trace
    ) -> None:
        """None of the operation ran; `keys` are those of the root fields because of which."""
        entries = [
            (one, _entry(one, AuditOutcome.DENIED, one.target(variables, None), context, trace))
            for one in _asked(fields, variables)
            if one.response_key in keys
        ]
        await self._keep(entries)

    async def ran(
        self,
        fields: Sequence[AuditedField],
        variables: Mapping[str, Any],
        outcome: ExecutionOutcome | None,
        context: RequestContext,
        trace: Trace,
    ) -> None:
        """Without an `outcome` nobody knows what became of the fields."""
        entries = [
            (one, _entry(one, _outcome(one, outcome), one.target(variables, outcome.data if outcome else None), context, trace))
            for one in _asked(fields, variables)
            if one.told
        ]
        await self._keep(entries)

    async def _keep(self, entries: Sequence[tuple[AuditedField, AuditEntry]]) -> None:
        """What has an effect is kept when this returns. Where that fails the effect stays, so it is not told as the client's failure."""
        awaited = [entry for one, entry in entries if one.effect]
        for one, entry in entries:
            if not one.effect:
                self.sink.note(entry)
        if not awaited:
            return
        try:
            await asyncio.shield(self.sink.write(awaited))
        except CityGraphError as error:
            logger.error("audit entries of request %s could not be written yet: %s", awaited[0].request_id, error.detail)  # noqa: TRY400
            for entry in awaited:
                self.sink.note(entry)


def _asked(fields: Sequence[AuditedField], variables: Mapping[str, Any]) -> Iterator[AuditedField]:
    """Each response key once: it may have been asked for under several conditions."""
    seen: set[str] = set()
    for one in fields:
        if one.response_key not in seen and holds(one.conditions, variables):
            seen.add(one.response_key)
            yield one


def _outcome(field: AuditedField, outcome: ExecutionOutcome | None) -> AuditOutcome:
    """An error below the field is not the field's: it ran."""
    if outcome is None:
        return AuditOutcome.FAILED
    places = [error.get("path") for error in outcome.errors]
    unanswered = outcome.data is None or outcome.data.get(field.response_key) is None
    failed = [field.response_key] in places or (unanswered and None in places)
    return AuditOutcome.FAILED if failed else AuditOutcome.ALLOWED


def _entry(field: AuditedField, outcome: AuditOutcome, target: str | None, context: RequestContext, trace: Trace) -> AuditEntry:
    principal = context.principal
    now = time.time_ns() // 1_000_000
    return AuditEntry(principal.tenant, now, principal.subject, field.operation, target, outcome, trace.request_id, trace.trace_id)


class _Sensitive:
    """Whether anything selected is sensitive and shown to the caller: personal data, or what one of the sensitive scopes opens."""

    def __init__(self, supergraph: Supergraph, denied: Denied) -> None:
        self._supergraph, self._denied = supergraph, denied

    def touched(self, selections: Sequence[Selection], on: str) -> bool:
        info = self._supergraph.types.get(on)
        if info is None:
            return False
        for one in selections:
            if isinstance(one, Fragment):
                if self.touched(one.selections, one.type_condition):
                    return True
                continue
            known = info.fields.get(one.name)
            if any(self._is_sensitive(name, one.name) for name in info.possible_types):
                return True
            if known is not None and self.touched(one.selections, known.type_name):
                return True
        return False

    def _is_sensitive(self, type_name: str, field_name: str) -> bool:
        at = (type_name, field_name)
        if at in self._denied.fields or type_name in self._denied.types:
            return False
        supergraph = self._supergraph
        return at in supergraph.personal or not SENSITIVE_WORDS.isdisjoint(words(supergraph.demands.fields.get(at, NO_DEMAND)))


def _named(field: Field, supergraph: Supergraph, root: str) -> Iterator[tuple[ValueNode, tuple[str, ...]]]:
    """The places of single identifiers, `id` first: in arguments, and one level down in input objects."""
    arguments = supergraph.api_schema.type_map[root].fields[field.name].args  # type: ignore[attr-defined]
    places: list[tuple[bool, ValueNode, tuple[str, ...]]] = []
    for name, printed in field.arguments:
        argument = arguments.get(name)
        if argument is None:
            continue
        node = parse_value(printed, no_location=True)
        places += [((path or (name,))[-1] != "id", node, path) for path in _identifiers(argument.type)]
    yield from ((node, path) for _, node, path in sorted(places, key=lambda place: place[0]))


def _identifiers(of_type: GraphQLInputType) -> Iterator[tuple[str, ...]]:
    if isinstance(get_nullable_type(of_type), GraphQLList):
        return
    named = get_named_type(of_type)
    if named.name == "ID":
        yield ()
    elif isinstance(named, GraphQLInputObjectType):
        for name, one in named.fields.items():
            nullable = get_nullable_type(one.type)
            if not isinstance(nullable, GraphQLList) and get_named_type(nullable).name == "ID":
                yield (name,)


def _made(field: Field) -> tuple[str, ...] | None:
    """`deletedId`, or the first object's `id`."""
    for one in field.selections:
        if isinstance(one, Field) and one.name in ("id", "deletedId"):
            return (one.response_key,)
    for one in field.selections:
        for inner in one.selections:
            if isinstance(one, Field) and isinstance(inner, Field) and inner.name == "id":
                return (one.response_key, inner.response_key)
    return None


def _value(node: ValueNode, path: tuple[str, ...], variables: Mapping[str, Any]) -> object:
    while path and isinstance(node, ObjectValueNode):
        below = next((one.value for one in node.fields or () if one.name.value == path[0]), None)
        if below is None:
            return None
        node, path = below, path[1:]
    if isinstance(node, VariableNode):
        return _below(variables.get(node.name.value), path)
    return node.value if isinstance(node, StringValueNode | IntValueNode) and not path else None


def _below(value: object, path: Sequence[str]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _identifier(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)[:MAX_TARGET]
