"""What may be wrong with a field set, whichever directive it is an argument of; the rules turn it into that directive's codes."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from graphql import ConstValueNode, FieldNode, InlineFragmentNode, SelectionNode, SelectionSetNode, StringValueNode

from graph.composition.field_sets import MAX_DEPTH, parse_field_set
from graph.composition.subgraph import Field, Kind, Subgraph, Type
from graph.composition.type_ref import named

COMPOSITE = (Kind.OBJECT, Kind.INTERFACE, Kind.UNION)


class Trouble(Enum):
    NOT_A_STRING = auto()
    INVALID = auto()
    ARGUMENTS = auto()
    DIRECTIVES = auto()
    ABSTRACT = auto()


@dataclass(frozen=True, slots=True)
class Problem:
    trouble: Trouble
    message: str


def field_set_problems(subgraph: Subgraph, type_name: str, value: ConstValueNode | None) -> Iterator[Problem]:
    """Everything that is wrong; nothing where the field set is right."""
    if not isinstance(value, StringValueNode):
        yield Problem(Trouble.NOT_A_STRING, 'the fields must be one string, such as "id name"')
        return
    selection = parse_field_set(value.value)
    if selection is None:
        yield Problem(Trouble.INVALID, f'"{value.value}" is not a selection of fields')
        return
    yield from _selection_problems(subgraph, type_name, selection, 0)


def _selection_problems(subgraph: Subgraph, type_name: str, selection: SelectionSetNode, depth: int) -> Iterator[Problem]:
    if depth > MAX_DEPTH:
        yield Problem(Trouble.INVALID, f"it is nested more than {MAX_DEPTH} levels deep")
        return
    for node in selection.selections:
        yield from _directive_problems(node)
        if isinstance(node, FieldNode):
            yield from _field_problems(subgraph, type_name, node, depth)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            yield from _condition_problems(subgraph, type_name, condition)
            if condition in subgraph.types:
                yield from _selection_problems(subgraph, condition, node.selection_set, depth + 1)
        else:
            yield Problem(Trouble.INVALID, "named fragments cannot be used in it: write the fields out")


def _directive_problems(node: SelectionNode) -> Iterator[Problem]:
    for directive in node.directives or ():
        yield Problem(Trouble.DIRECTIVES, f'"@{directive.name.value}" cannot be used in it: remove the directive')


def _condition_problems(subgraph: Subgraph, type_name: str, condition: str) -> Iterator[Problem]:
    found = subgraph.types.get(condition)
    if found is None or found.kind not in COMPOSITE:
        yield Problem(Trouble.INVALID, f'"{condition}" is no object type, interface or union of this subgraph')
    elif not subgraph.runtime_types(condition) & subgraph.runtime_types(type_name):
        yield Problem(Trouble.INVALID, f'a "{type_name}" can never be a "{condition}"')


def _field_problems(subgraph: Subgraph, type_name: str, node: FieldNode, depth: int) -> Iterator[Problem]:
    name = node.name.value
    if node.alias is not None:
        yield Problem(Trouble.INVALID, f'it cannot have aliases: "{node.alias.value}: {name}"')
    if name == "__typename":
        return
    owner = subgraph.types.get(type_name)
    field = owner.fields.get(name) if owner else None
    if owner is None or field is None:
        yield Problem(Trouble.INVALID, f'"{type_name}" has no field "{name}" (the subgraph must define it)')
        return
    yield from _argument_problems(type_name, field, node)
    yield from _type_problems(subgraph, owner, field, node)
    if node.selection_set is not None:
        yield from _selection_problems(subgraph, named(field.type), node.selection_set, depth + 1)


def _argument_problems(type_name: str, field: Field, node: FieldNode) -> Iterator[Problem]:
    coordinate = f"{type_name}.{field.name}"
    if field.arguments:
        yield Problem(Trouble.ARGUMENTS, f'field "{coordinate}" has arguments')
    given = {argument.name.value for argument in node.arguments or ()}
    for name in sorted(given - field.arguments.keys()):
        yield Problem(Trouble.INVALID, f'"{coordinate}" has no argument "{name}"')
    for argument in field.arguments.values():
        if argument.required and argument.name not in given:
            yield Problem(Trouble.INVALID, f'the argument "{argument.name}" of "{coordinate}" is required')


def _type_problems(subgraph: Subgraph, owner: Type, field: Field, node: FieldNode) -> Iterator[Problem]:
    coordinate = f"{owner.name}.{field.name}"
    target = subgraph.types.get(named(field.type))
    composite = target is not None and target.kind in COMPOSITE
    if composite and node.selection_set is None:
        yield Problem(Trouble.INVALID, f'"{coordinate}" is a "{field.type}": select fields of it')
    if not composite and node.selection_set is not None:
        yield Problem(Trouble.INVALID, f'"{coordinate}" is a "{field.type}" and has no fields to select')
    # Apollo's documentation refuses lists too; its composition takes them, and subgraphs in the wild rely on that.
    if target is not None and target.kind in (Kind.INTERFACE, Kind.UNION):
        yield Problem(Trouble.ABSTRACT, f'field "{coordinate}" is of the {target.kind} "{target.name}"')
