"""Prints the public API with what its elements say of themselves: `@requiresScopes` and its like, and directives of the subgraphs' own.

graphql-core's schema keeps no applied directive, so they are taken from the supergraph's own text. An interface's rights are not shown:
what a field of it asks depends on the type of the object, and stands there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    InterfaceTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    parse,
    print_ast,
    print_schema,
    value_from_ast_untyped,
)

from graph.supergraph.api_schema import build_schemas, feature_names

_RIGHTS = {
    "authenticated": "directive @authenticated on FIELD_DEFINITION | OBJECT | SCALAR | ENUM",
    "requiresScopes": "directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | SCALAR | ENUM",
    "policy": "directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | SCALAR | ENUM",
}
_DESCRIPTIONS = {
    "authenticated": "Callers must have authenticated themselves.",
    "requiresScopes": "Callers must have been granted all scopes of any one of the lists.",
    "policy": "Callers must satisfy all policies of any one of the lists.",
}
_APOLLO = "https://specs.apollo.dev/"
Path = tuple[str, ...]


def print_public_schema(supergraph_sdl: str) -> str:
    """The API as SDL; the same bytes for the same supergraph. Raises graphql-core's errors where the text is no supergraph."""
    document = parse(supergraph_sdl, no_location=True)
    names = feature_names(document)
    rights = {names.get(own, own): own for own in _RIGHTS}
    custom = set(_imported(document))
    interfaces = {one.name.value for one in document.definitions if isinstance(one, InterfaceTypeDefinitionNode)}
    found: dict[Path, tuple[ConstDirectiveNode, ...]] = {}
    for path, node in _elements(document):
        shown = custom if path[0] in interfaces else custom | rights.keys()
        found[path] = tuple(one for one in node.directives or () if one.name.value in shown)
    used = {directive.name.value for directives in found.values() for directive in directives}
    _, api = build_schemas(document)
    public = parse(print_schema(api), no_location=True)
    definitions = [_with_directives(node, (), found) for node in public.definitions]
    return print_ast(DocumentNode(definitions=(*_directive_definitions(document, used, rights), *definitions))) + "\n"


def _imported(document: DocumentNode) -> Iterator[str]:
    """Directives of linked specifications that are not federation's own, by their names here."""
    for node in document.definitions:
        if not isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        for link in node.directives or ():
            arguments = {one.name.value: value_from_ast_untyped(one.value) for one in link.arguments or ()}
            if link.name.value != "link" or str(arguments.get("url")).startswith(_APOLLO):
                continue
            for one in arguments.get("import") or ():
                name = one if isinstance(one, str) else one.get("as") or one.get("name")
                if isinstance(name, str) and name.startswith("@"):
                    yield name.removeprefix("@")


def _elements(document: DocumentNode) -> Iterator[tuple[Path, Any]]:
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode):
            yield from _inside((), node)


def _inside(path: Path, node: Any) -> Iterator[tuple[Path, Any]]:
    here = (*path, node.name.value)
    yield here, node
    for child in _children(node):
        yield from _inside(here, child)


def _children(node: Any) -> Iterator[Any]:
    for name in ("fields", "values", "arguments"):
        yield from getattr(node, name, None) or ()


def _directive_definitions(document: DocumentNode, used: set[str], rights: Mapping[str, str]) -> Iterator[Any]:
    known = {one.name.value: one for one in document.definitions if isinstance(one, DirectiveDefinitionNode)}
    for name in sorted(used):
        own = rights.get(name)
        if own is None:
            yield known[name]
        else:
            text = f'"{_DESCRIPTIONS[own]}" {_RIGHTS[own].replace(f"@{own}", f"@{name}", 1)}'
            yield parse(text, no_location=True).definitions[0]


def _with_directives(node: Any, path: Path, found: Mapping[Path, tuple[ConstDirectiveNode, ...]]) -> Any:
    if not isinstance(node, TypeDefinitionNode) and not path:
        return node
    here = (*path, node.name.value)
    changes: dict[str, Any] = {
        name: tuple(_with_directives(child, here, found) for child in children)
        for name in ("fields", "values", "arguments")
        if (children := getattr(node, name, None))
    }
    if found.get(here):
        changes["directives"] = (*(node.directives or ()), *found[here])
    return replace(node, **changes) if changes else node
