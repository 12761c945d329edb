"""Field sets: the selections inside `@key`, `@requires` and `@provides` (federation's `FieldSet` scalar)."""

from dataclasses import dataclass

from graphql import FieldNode, GraphQLSyntaxError, InlineFragmentNode, OperationDefinitionNode, parse, print_ast
from graphql.language import SelectionNode


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field of a field set. `arguments` are (name, printed value), ordered by name."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    selections: "FieldSet" = ()


@dataclass(frozen=True, slots=True)
class SelectedFragment:
    """`... on type_condition` inside a field set."""

    type_condition: str
    selections: "FieldSet"


FieldSet = tuple[SelectedField | SelectedFragment, ...]


def parse_field_set(text: str) -> FieldSet:
    """Reads `id organization { id }`, braces around it or not. Raises `ValueError` where it is no selection."""
    source = text if text.lstrip().startswith("{") else f"{{{text}}}"
    try:
        definition = parse(source, no_location=True).definitions[0]
    except GraphQLSyntaxError as error:
        raise ValueError(f"{text!r} is not a field set: {error.message}") from error
    if not isinstance(definition, OperationDefinitionNode):
        raise ValueError(f"{text!r} is not a field set")  # noqa: TRY004 — the text is at fault, not its Python type
    return _read(definition.selection_set.selections, text)


def _children(node: SelectionNode, text: str) -> FieldSet:
    if isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
        return _read(node.selection_set.selections, text)
    return ()


def _read(nodes: tuple[SelectionNode, ...], text: str) -> FieldSet:
    selections: list[SelectedField | SelectedFragment] = []
    for node in nodes:
        children = _children(node, text)
        if isinstance(node, FieldNode):
            arguments = tuple(sorted((a.name.value, print_ast(a.value)) for a in node.arguments or ()))
            selections.append(SelectedField(node.name.value, arguments, children))
        elif isinstance(node, InlineFragmentNode):
            if node.type_condition is None:
                selections.extend(children)
            else:
                selections.append(SelectedFragment(node.type_condition.name.value, children))
        else:
            raise ValueError(f"{text!r} spreads a named fragment, which a field set cannot")  # noqa: TRY004
    return tuple(selections)


def print_field_set(fields: FieldSet) -> str:
    """The field set as it would be written, without braces around it."""
    parts = []
    for selection in fields:
        match selection:
            case SelectedField():
                arguments = ", ".join(f"{name}: {value}" for name, value in selection.arguments)
                head = f"{selection.name}({arguments})" if arguments else selection.name
            case SelectedFragment():
                head = f"... on {selection.type_condition}"
        parts.append(f"{head} {{ {print_field_set(selection.selections)} }}" if selection.selections else head)
    return " ".join(parts)
