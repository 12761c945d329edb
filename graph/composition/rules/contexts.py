"""`@context` and `@fromContext`: the context exists above the field, and has what the argument asks of it."""

import re
from collections.abc import Iterator

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, StringValueNode

from graph.composition.facts import fields_of
from graph.composition.field_set_problems import field_set_problems
from graph.composition.field_sets import parse_field_set, selected_fields
from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merge.context_arguments import is_contextual, split_context
from graph.composition.subgraph import Applied, Field, InputValue, Kind, Subgraph, Type
from graph.composition.type_ref import TypeRef

_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*")


def check_contexts(subgraph: Subgraph, findings: Findings) -> None:
    """CONTEXT_NAME_INVALID, CONTEXT_NOT_SET, NO_CONTEXT_IN_SELECTION, CONTEXT_INVALID_SELECTION, CONTEXT_NO_RESOLVABLE_KEY."""
    set_on: dict[str, list[Type]] = {}
    for owner in subgraph.types.values():
        for applied in owner.uses("context"):
            name = applied.string("name") or ""
            set_on.setdefault(name, []).append(owner)
            if not _NAME.fullmatch(name):
                findings.error(
                    "CONTEXT_NAME_INVALID",
                    f'[{subgraph.name}] "{name}" on "{owner.name}" cannot be the name of a context: letters and digits only, without'
                    " underscores.",
                    [subgraph.place(applied.node)],
                )
    for owner, field in fields_of(subgraph):
        for argument in field.arguments.values():
            coordinate = f"{owner.name}.{field.name}({argument.name}:)"
            for use in argument.uses("fromContext"):
                for code, problem in _problems(subgraph, owner, argument, use, set_on):
                    findings.error(code, f'[{subgraph.name}] "{coordinate}": {problem}.', [subgraph.place(use.node)])


def _problems(
    subgraph: Subgraph, owner: Type, argument: InputValue, applied: Applied, set_on: dict[str, list[Type]]
) -> Iterator[tuple[str, str]]:
    if owner.kind is Kind.INTERFACE:
        yield "CONTEXT_NOT_SET", "an interface's field cannot take arguments from a context"
        return
    found = split_context(applied.string("field") or "")
    if found is None:
        yield "NO_CONTEXT_IN_SELECTION", 'expected a context and a selection, such as "$shop { currency }"'
        return
    name, selection = found
    if name not in set_on:
        yield "CONTEXT_NOT_SET", f'no type has @context(name: "{name}")'
        return
    if argument.default is not None:
        yield "CONTEXT_INVALID_SELECTION", "an argument that is filled from a context cannot have a default"
    if not any(key.boolean("resolvable", True) for key in owner.uses("key")):
        yield "CONTEXT_NO_RESOLVABLE_KEY", f'"{owner.name}" needs a resolvable @key, by which the gateway can come back to it'
    for target in set_on[name]:
        for problem in _selection_problems(subgraph, target, selection, argument):
            yield "CONTEXT_INVALID_SELECTION", problem


def _selection_problems(subgraph: Subgraph, target: Type, text: str, argument: InputValue) -> Iterator[str]:
    selection = parse_field_set(text)
    if selection is None:
        yield f'"{text}" is not a selection'
        return
    if any(isinstance(node, FieldNode) for node in selection.selections):
        yield from (p.message for p in field_set_problems(subgraph, target.name, StringValueNode(value=text)))
        if len(selection.selections) > 1:
            yield "a selection from a context must be of one field"
        yield from _type_problems(subgraph, target.name, selection, argument)
        return
    conditions = {
        node.type_condition.name.value for node in selection.selections if isinstance(node, InlineFragmentNode) and node.type_condition
    }
    if target.kind is Kind.OBJECT and target.name not in conditions:
        yield f'nothing is selected of "{target.name}", which sets the context'


def _type_problems(subgraph: Subgraph, type_name: str, selection: SelectionSetNode, argument: InputValue) -> Iterator[str]:
    """The selected leaf must be what the argument takes; that it may be null is for the subgraph to cope with."""
    for selected in selected_fields(subgraph, type_name, selection):
        if selected.node.selection_set is None and _nullable(selected.field.type) != _nullable(argument.type):
            yield f'"{selected.coordinate}" is a "{selected.field.type}", but the argument takes a "{argument.type}"'


def _nullable(ref: TypeRef) -> str:
    return str(ref).replace("!", "")


def check_contextual_everywhere(gathered: Gathered, findings: Findings) -> None:
    """CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS: the gateway's argument cannot be required of clients elsewhere."""
    for type_name in gathered.of_kind(Kind.OBJECT):
        for field_name in gathered.field_names(type_name):
            sources = gathered.field_sources(type_name, field_name)
            for name in sorted({a.name for s in sources for a in s.field.arguments.values() if is_contextual(a)}):
                others = [s for s in sources if _asks_client(s.field, name)]
                if others:
                    findings.error(
                        "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
                        f'"{type_name}.{field_name}({name}:)" is filled from a context in some subgraphs, but required of clients in'
                        f" {', '.join(s.member.name for s in others)}: use @fromContext in all, or make it optional.",
                        [source.place for source in sources],
                    )


def _asks_client(field: Field, name: str) -> bool:
    argument = field.arguments.get(name)
    return argument is not None and argument.required and not is_contextual(argument)
