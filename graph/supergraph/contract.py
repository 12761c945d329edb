"""Contracts: the same supergraph with a smaller public API, chosen by `@tag`, by Apollo's rules for contracts.

A contract marks elements `@inaccessible`: clients no longer see them, and the gateway can still use them (for `@requires`, say). What is
hidden is decided in `contract_visibility`, what must not be in `contract_problems`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLError,
    NameNode,
    SchemaDefinitionNode,
    parse,
    print_ast,
    validate_schema,
)

from graph.supergraph.api_schema import build_schemas
from graph.supergraph.contract_elements import Elements
from graph.supergraph.contract_problems import problems
from graph.supergraph.contract_visibility import hidden_elements
from graph.supergraph.reading import SupergraphError

_TAG_NAME = re.compile(r"[_A-Za-z0-9/-]{1,128}")
_FEATURE = """
schema @{link}({url}: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) {{ query: Query }}
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT
  | INPUT_FIELD_DEFINITION
"""


class ContractError(SupergraphError):
    """The contract leaves no API, or none that is GraphQL. `problems` are sentences, one for each element concerned."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(("the contract cannot be kept:", *(f"- {problem}" for problem in problems))))
        self.problems = problems


def filtered(supergraph_sdl: str, *, include: Collection[str] = (), exclude: Collection[str] = ()) -> str:
    """The supergraph SDL whose public API has only what the tags let through.

    With `include`, fields and unions without one of its tags are hidden; with `exclude`, everything that has one of its tags, also where
    it is included. Types that nothing leads to any more are hidden with them. Raises `ContractError`, or `SupergraphError` where the
    text is not GraphQL.
    """
    _check_tags(include, exclude)
    try:
        document = parse(supergraph_sdl, no_location=True)
    except GraphQLError as error:
        raise SupergraphError(f"the supergraph is not GraphQL: {error}") from error
    elements = Elements(document)
    hidden = hidden_elements(elements, frozenset(include), frozenset(exclude))
    found = list(problems(elements, hidden))
    if found:
        raise ContractError(*found)
    marked = DocumentNode(definitions=tuple(_definitions(document, elements, hidden)))
    _, api = build_schemas(marked)
    if invalid := validate_schema(api):
        raise ContractError(*(error.message for error in invalid))
    return print_ast(marked) + "\n"


def _check_tags(include: Collection[str], exclude: Collection[str]) -> None:
    both = sorted(set(include) & set(exclude))
    if both:
        raise ContractError(f"{', '.join(both)} cannot be both included and excluded")
    for name in (*include, *exclude):
        if not _TAG_NAME.fullmatch(name):
            raise ContractError(f"{name!r} is no name of a tag: expected 1 to 128 letters, digits, hyphens, underscores and slashes")


def _definitions(document: DocumentNode, elements: Elements, hidden: frozenset[str]) -> Iterator[DefinitionNode]:
    missing = not any(
        isinstance(node, DirectiveDefinitionNode) and node.name.value == elements.inaccessible for node in document.definitions
    )
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode) and missing:
            node, definition = _with_feature(node)
            yield node
            yield definition
        else:
            name = elements.name_of(node)
            yield node if name is None else _marked(node, name, elements, hidden)


def _with_feature(node: SchemaDefinitionNode) -> tuple[SchemaDefinitionNode, DefinitionNode]:
    """Links the specification of `@inaccessible` as the schema links others, and defines the directive."""
    core = any(directive.name.value == "core" for directive in node.directives or ())
    schema, definition = parse(_FEATURE.format(link="core" if core else "link", url="feature" if core else "url")).definitions
    assert isinstance(schema, SchemaDefinitionNode)
    return replace(node, directives=(*(node.directives or ()), *(schema.directives or ()))), definition


def _marked(node: Any, coordinate: str, elements: Elements, hidden: frozenset[str]) -> Any:
    """The element and what is in it, with the directive where it is hidden and has none yet."""
    changes: dict[str, Any] = {
        key: tuple(_marked(child, elements.inside(coordinate, node, child), elements, hidden) for child in children)
        for key in ("fields", "values", "arguments")
        if (children := getattr(node, key, None))
    }
    if coordinate in hidden and not elements.is_inaccessible(node):
        mark = ConstDirectiveNode(name=NameNode(value=elements.inaccessible), arguments=())
        changes["directives"] = (*(node.directives or ()), mark)
    return replace(node, **changes) if changes else node
