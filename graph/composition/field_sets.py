"""Field sets: the `fields` of `@key`, `@requires` and `@provides`; parsed, printed on one line, walked.

Whether the fields exist and may be selected is for the rules to say; walking leaves out what it doesn't find.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from graphql import (
    FieldNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

from graph.composition.subgraph import Applied, Coordinate, Field, Kind, Subgraph
from graph.composition.type_ref import named

MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Selected:
    """A field that a field set selects: on which type, and whether it is one of the outermost ones."""

    coordinate: Coordinate
    field: Field
    node: FieldNode
    outermost: bool


@lru_cache(maxsize=4096)
def parse_field_set(text: str) -> SelectionSetNode | None:
    """The selection, or None where the text is none; braces around all of it are allowed. Few texts are asked for many times."""
    stripped = text.strip()
    try:
        document = parse(stripped if stripped.startswith("{") else f"{{{stripped}}}", no_location=True, max_tokens=10_000)
    except GraphQLSyntaxError:
        return None
    operation = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(operation, OperationDefinitionNode):
        return None
    return operation.selection_set


@lru_cache(maxsize=4096)
def print_field_set(text: str) -> str:
    """The field set on one line, with single spaces: the same selection always prints the same."""
    selection = parse_field_set(text)
    if selection is None:
        return " ".join(text.split())
    return " ".join(" ".join(print_ast(item).split()) for item in selection.selections)


def same_field_set(one: str, other: str) -> bool:
    """Whether both select the same; order makes no difference."""
    first, second = parse_field_set(one), parse_field_set(other)
    return first is not None and second is not None and _canonical(first) == _canonical(second)


def _canonical(selection: SelectionSetNode) -> str:
    items = []
    for node in selection.selections:
        below = getattr(node, "selection_set", None)
        own = " ".join(print_ast(replace(node, selection_set=None)).split()) if isinstance(node, FieldNode) else ""
        if isinstance(node, InlineFragmentNode):
            own = f"... on {node.type_condition.name.value}" if node.type_condition else "..."
        items.append(f"{own} {{ {_canonical(below)} }}" if below else own)
    return " ".join(sorted(items))


def field_set_of(applied: Applied, argument: str = "fields") -> SelectionSetNode | None:
    text = applied.string(argument)
    return None if text is None else parse_field_set(text)


def selected_fields(subgraph: Subgraph, type_name: str, selection: SelectionSetNode, depth: int = 0) -> Iterator[Selected]:
    """Every field that the selection names, on the type where it is selected; unknown ones are left out."""
    if depth > MAX_DEPTH:
        return
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            yield from selected_fields(subgraph, condition, node.selection_set, depth + 1)
        elif isinstance(node, FieldNode):
            owner = subgraph.types.get(type_name)
            found = owner.fields.get(node.name.value) if owner else None
            if found is None:
                continue
            yield Selected(Coordinate(type_name, found.name), found, node, depth == 0)
            if node.selection_set:
                yield from selected_fields(subgraph, named(found.type), node.selection_set, depth + 1)


def with_implementations(subgraph: Subgraph, coordinate: Coordinate) -> Iterator[Coordinate]:
    """The field, and where it is an interface's, the same field of the types that implement it."""
    yield coordinate
    owner = subgraph.types[coordinate.type]
    if owner.kind is not Kind.INTERFACE:
        return
    for implementation in subgraph.implementations(owner.name):
        if coordinate.field in implementation.fields:
            yield Coordinate(implementation.name, coordinate.field)
