"""Makes a failing operation small: cuts selections, arguments, directives and definitions out of it, as long as it still fails.

Hypothesis shrinks what it drew, which takes minutes for operations of this size; cutting the document itself takes a second.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
    validate,
)

from tests.oracle.operations import Operation

Path = tuple[str | int, ...]


def reduced(schema: GraphQLSchema, operation: Operation, fails: Callable[[Operation], bool]) -> Operation:
    """The smallest that cutting one thing after the other finds; valid, and failing still."""
    document = parse(operation.text, no_location=True)
    variables = operation.variables
    while True:
        for candidate in _smaller(document):
            kept = {name: value for name, value in variables.items() if name in _defined(candidate)}
            smaller = Operation.of(print_ast(candidate), kept)
            if not validate(schema, smaller.document, max_errors=1) and fails(smaller):
                document, variables = candidate, kept
                break
        else:
            return Operation.of(print_ast(document), variables)


def _defined(document: DocumentNode) -> set[str]:
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return {one.variable.name.value for one in operation.variable_definitions or ()}


@dataclass(frozen=True, slots=True)
class _Cut:
    """A child list without one of its nodes, or with what that node contains in its place."""

    path: Path
    index: int
    instead: tuple[Node, ...] = ()


def _smaller(document: DocumentNode) -> Iterator[DocumentNode]:
    for cut in _cuts(document, ()):
        yield _apply(document, cut.path, cut)


def _cuts(node: Node, path: Path) -> Iterator[_Cut]:
    """The largest pieces first: what stands outside before what stands inside."""
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, tuple | list):
            for index, item in enumerate(value):
                if isinstance(item, Node) and not isinstance(item, OperationDefinitionNode):
                    if key != "selections" or len(value) > 1:
                        yield _Cut((*path, key), index)
                    if isinstance(item, InlineFragmentNode):
                        yield _Cut((*path, key), index, tuple(item.selection_set.selections))
            for index, item in enumerate(value):
                if isinstance(item, Node):
                    yield from _cuts(item, (*path, key, index))
        elif isinstance(value, SelectionSetNode):
            yield from _cuts(value, (*path, key))
        elif key == "alias" and isinstance(node, FieldNode) and value is not None:
            yield _Cut((*path, key), 0)


def _apply(node: Any, path: Path, cut: _Cut) -> Any:
    step, *rest = path
    if isinstance(step, int):
        return tuple(_apply(one, tuple(rest), cut) if index == step else one for index, one in enumerate(node))
    value = getattr(node, step)
    if rest:
        new = _apply(value, tuple(rest), cut)
    elif step == "alias":
        new = None
    else:
        new = (*value[: cut.index], *cut.instead, *value[cut.index + 1 :])
    return type(node)(**{key: new if key == step else getattr(node, key, None) for key in node.keys})
