"""Turns a validated document into a normalised operation.

Named fragments are written out, fragments that cannot apply or that narrow nothing disappear, fields that mean the same become one,
literal `@skip` and `@include` are decided, the conditions of fragments move down to their fields. Each selection set is visited once
for each place of the response, and the number of places is bounded: a small document of nested fragments can mean a huge operation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    print_ast,
)

from graph.contracts import OperationKind
from graph.errors import BadUserInput, GraphQLValidationFailed
from graph.planner.normalize import introspection
from graph.planner.normalize.operation import DEFER, NO_CONDITIONS, Condition, Deferral, Field, Fragment, Operation, Selection
from graph.query_graph.keys import KeyAllocator
from graph.supergraph import Supergraph

MAX_FIELDS = 20_000
MAX_DEFERRALS = 200
TYPENAME = "__typename"
Conditions = frozenset[Condition]


@dataclass(slots=True)
class _PendingField:
    """A field whose sub-selections are still documents."""

    name: str
    response_key: str
    key: str
    arguments: tuple[tuple[str, str], ...]
    type_name: str | None
    nodes: list[SelectionSetNode] = field(default_factory=list)


def find_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    """The operation to run. Raises `BadUserInput` where the name does not pick exactly one."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if operation_name is not None:
        operations = [o for o in operations if o.name and o.name.value == operation_name]
        if not operations:
            raise BadUserInput(f"the document has no operation named {operation_name!r}")
    if not operations:
        raise BadUserInput("the document has no operation")
    if len(operations) > 1:
        raise BadUserInput("the document has several operations: say which one in operationName")
    return operations[0]


_Fields = dict[tuple[str, str, Conditions], _PendingField]
"""By type condition, response key and conditions, in the order of the document, which is the answer's order."""


class Normalizer:
    """Normalises operations of one supergraph's public API."""

    def __init__(self, supergraph: Supergraph, shape_conflicts: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.supergraph = supergraph
        self.shape_conflicts = shape_conflicts

    def normalize(self, document: DocumentNode, operation_name: str | None, keys: KeyAllocator) -> Operation:
        """Raises `BadUserInput` for an operation that cannot be picked, `GraphQLValidationFailed` for one that is too large."""
        node = find_operation(document, operation_name)
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        kind = OperationKind(node.operation.value)
        root = self.supergraph.root_types.get(kind)
        if root is None:
            raise GraphQLValidationFailed(f"the schema has no {kind} type")
        run = _Run(self, fragments, keys)
        selections = run.selections([node.selection_set], root)
        name = node.name.value if node.name else None
        return Operation(kind, name, selections, tuple(node.variable_definitions or ()), tuple(run.deferrals.values()))


class _Run:
    """One operation's normalisation: its fragments, keys and budget."""

    def __init__(self, normalizer: Normalizer, fragments: dict[str, FragmentDefinitionNode], keys: KeyAllocator) -> None:
        self.types = {**normalizer.supergraph.types, **introspection.TYPES}
        self.conflicts = normalizer.shape_conflicts
        self.fragments = fragments
        self.keys = keys
        self.fields_left = MAX_FIELDS
        self.deferrals: dict[tuple[Condition | None, int], Deferral] = {}
        """By the deferral around it, and the identity of its directive."""

    def selections(self, sets: list[SelectionSetNode], static_type: str) -> tuple[Selection, ...]:
        """The normalised union of selection sets at a place of the response whose type is `static_type`."""
        found: _Fields = {}
        visited: set[tuple[str, str, Conditions]] = set()
        for node in sets:
            self._collect(node, static_type, NO_CONDITIONS, found, visited)
        result: list[Selection] = []
        everywhere: set[str] = set()
        """Keys of leaves that are selected whatever the type is; no fragment needs to select them again."""
        for type_name, run in groupby(found.items(), key=lambda item: item[0][0]):
            left = [(pending, conditions) for (_, _, conditions), pending in run if pending.key not in everywhere]
            fields = [self._finish(pending, conditions) for pending, conditions in self._without_repeats(left)]
            if type_name == static_type:
                result.extend(fields)
                everywhere.update(p.key for p, conditions in left if not (conditions or p.type_name in self.types or p.name == TYPENAME))
            elif fields:
                result.append(Fragment(type_name, tuple(fields)))
        return tuple(result)

    def _without_repeats(self, fields: list[tuple[_PendingField, Conditions]]) -> list[tuple[_PendingField, Conditions]]:
        """Without the deferred leaves that are asked for without that `@defer` as well: they have nothing to wait for."""
        if not any(one.is_deferral for _, conditions in fields for one in conditions):
            return fields
        asked: dict[str, list[Conditions]] = {}
        for pending, conditions in fields:
            asked.setdefault(pending.response_key, []).append(conditions)
        return [
            (pending, conditions)
            for pending, conditions in fields
            if pending.type_name in self.types or not any(_is_deferral_of(held, conditions) for held in asked[pending.response_key])
        ]

    def _collect(
        self,
        node: SelectionSetNode,
        scope: str,
        conditions: Conditions,
        found: _Fields,
        visited: set[tuple[str, str, Conditions]],
    ) -> None:
        """Finds the fields of a selection set; `scope` is the narrowest type known so far."""
        for selection in node.selections:
            more = _conditions(selection.directives or ())
            if more is None:
                continue
            held = conditions | more
            if not isinstance(selection, FieldNode):
                held |= self._deferral(selection.directives or (), held)
            match selection:
                case FieldNode():
                    self._add_field(selection, scope, held, found)
                    continue
                case InlineFragmentNode():
                    body, condition = selection.selection_set, selection.type_condition
                    on = condition.name.value if condition else scope
                case FragmentSpreadNode():
                    mark = (selection.name.value, scope, held)
                    if mark in visited:
                        continue
                    visited.add(mark)
                    fragment = self.fragments[selection.name.value]
                    body, on = fragment.selection_set, fragment.type_condition.name.value
                case _:
                    raise AssertionError(f"unknown selection {selection.kind}")
            for narrowed in self._narrow(scope, on):
                self._collect(body, narrowed, held, found, visited)

    def _deferral(self, directives: Iterable[DirectiveNode], held: Conditions) -> Conditions:
        """What `@defer` on a fragment asks for; `if: false` is decided here, another `if` by whoever delivers the answer.

        Conditions are numbered as they are found, so that of those which hold at one place the innermost is the greatest.
        """
        directive = next((d for d in directives if d.name.value == "defer"), None)
        if directive is None:
            return NO_CONDITIONS
        values = {a.name.value: a.value for a in directive.arguments or ()}
        when, label = values.get("if"), values.get("label")
        if isinstance(when, BooleanValueNode) and not when.value:
            return NO_CONDITIONS
        around = max((c for c in held if c.is_deferral), default=None)
        known = self.deferrals.get((around, id(directive)))
        if known is None:
            if len(self.deferrals) >= MAX_DEFERRALS:
                raise GraphQLValidationFailed(f"the operation has more than {MAX_DEFERRALS} `@defer`, fragments written out")
            known = self.deferrals[around, id(directive)] = Deferral(
                Condition(f"{DEFER}{len(self.deferrals) + 1:03}", True),
                label.value if isinstance(label, StringValueNode) else None,
                when.name.value if isinstance(when, VariableNode) else None,
            )
        return frozenset({known.condition})

    def _narrow(self, scope: str, on: str) -> Iterable[str]:
        """The types under which the selections of `... on {on}` apply inside `scope`."""
        if scope == on:
            return (scope,)
        inside, wanted = self.types[scope].possible_types, self.types[on].possible_types
        if inside <= wanted and self._has_fields_of(scope, on):
            return (scope,)
        if wanted <= inside:
            return (on,)
        return sorted(inside & wanted)  # two abstract types that only overlap

    def _has_fields_of(self, scope: str, on: str) -> bool:
        """Two interfaces may have the same objects and still other fields."""
        return not self.types[scope].is_abstract or on in self.types[scope].interfaces or not self.types[on].fields

    def _add_field(self, node: FieldNode, scope: str, conditions: Conditions, found: _Fields) -> None:
        name = node.name.value
        response_key = node.alias.value if node.alias else name
        arguments = tuple(sorted((a.name.value, print_ast(a.value)) for a in node.arguments or ()))
        for type_name in self._expanded(scope, name):
            shape = type_name if (type_name, name) in self.conflicts else ""
            key = self.keys.key(response_key, name, arguments, shape)
            pending = found.get((type_name, response_key, conditions))
            if pending is None:
                info = self.types[type_name].fields.get(name)
                type_of = info.type_name if info else introspection.ROOT_FIELDS.get(name)
                pending = found[type_name, response_key, conditions] = _PendingField(name, response_key, key, arguments, type_of)
            if node.selection_set and all(known is not node.selection_set for known in pending.nodes):
                pending.nodes.append(node.selection_set)

    def _expanded(self, scope: str, name: str) -> Iterable[str]:
        """An abstract type's field is asked for type by type where its shapes clash."""
        info = self.types[scope]
        if info.is_abstract and any((t, name) in self.conflicts for t in info.possible_types):
            return sorted(info.possible_types)
        return (scope,)

    def _finish(self, pending: _PendingField, conditions: Conditions) -> Field:
        self.fields_left -= 1
        if self.fields_left < 0:
            raise GraphQLValidationFailed(f"the operation selects more than {MAX_FIELDS:,} fields, fragments written out")
        selections: tuple[Selection, ...] = ()
        if pending.type_name is not None and pending.type_name in self.types:
            selections = self.selections(pending.nodes, pending.type_name)
        return Field(pending.name, pending.response_key, pending.key, pending.arguments, conditions, selections)


def _is_deferral_of(held: Conditions, conditions: Conditions) -> bool:
    return held < conditions and all(one.is_deferral for one in conditions - held)


def _conditions(directives: Iterable[DirectiveNode]) -> Conditions | None:
    """What `@skip` and `@include` ask for; None where they say no whatever the variables are."""
    found: set[Condition] = set()
    for directive in directives:
        if directive.name.value not in ("skip", "include"):
            continue
        expected = directive.name.value == "include"
        value = directive.arguments[0].value if directive.arguments else None
        if isinstance(value, BooleanValueNode):
            if value.value is not expected:
                return None
        elif isinstance(value, VariableNode):
            if Condition(value.name.value, not expected) in found:
                return None
            found.add(Condition(value.name.value, expected))
    return frozenset(found)
