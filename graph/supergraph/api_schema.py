"""The public API inside a supergraph SDL: federation's own definitions removed, then what is `@inaccessible`."""

from collections.abc import Iterable
from typing import Any, TypeVar

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    parse,
    value_from_ast_untyped,
)

SPECIFIED = {"deprecated", "specifiedBy", "oneOf"}
EXECUTABLE_LOCATIONS = {
    "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
}  # fmt: skip
DEFER = """
"What the fragment selects may be delivered after the rest of the answer."
directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
"""
"""Answered by the gateway itself, whatever the subgraphs know of it."""
Node = TypeVar("Node")


def named_type(node: TypeNode) -> str:
    """The name at the bottom of lists and non-nulls."""
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    assert isinstance(node, NamedTypeNode)
    return node.name.value


def build_schemas(document: DocumentNode) -> tuple[GraphQLSchema, GraphQLSchema]:
    """The schema of everything, and the one of what clients may see. Raises `TypeError` where either is invalid."""
    features = feature_names(document)
    inaccessible = features.get("inaccessible", "inaccessible")
    definitions = [d for d in document.definitions if not is_machinery(d, set(features.values()))]
    if not any(isinstance(d, DirectiveDefinitionNode) and d.name.value == "defer" for d in definitions):
        definitions.append(parse(DEFER, no_location=True).definitions[0])
    full = [_clean(d, hidden=None) for d in definitions]
    public = [c for d in definitions if not has_directive(d, inaccessible) and (c := _clean(d, inaccessible)) is not None]
    gone = {d.name.value for d in definitions if isinstance(d, TypeDefinitionNode) and has_directive(d, inaccessible)}
    return _build(full), _build(_without_types(public, gone))


def _build(definitions: Iterable[Any]) -> GraphQLSchema:
    return build_ast_schema(DocumentNode(definitions=tuple(definitions)), assume_valid_sdl=True)


def feature_names(document: DocumentNode) -> dict[str, str]:
    """The specifications that the schema links: their own name → the name that they have here."""
    names = {"link": "link", "core": "core", "join": "join"}
    for node in document.definitions:
        if not isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        for directive in node.directives or ():
            arguments = {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}
            url = arguments.get("url") or arguments.get("feature")
            if not isinstance(url, str):
                continue
            parts = url.rstrip("/").split("/")
            own = parts[-2] if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:2].isdigit() else parts[-1]
            names[own] = arguments.get("as") or own
    return names


def is_machinery(node: Any, features: set[str]) -> bool:
    """Whether a definition belongs to a linked specification, and so not to the API."""
    if isinstance(node, SchemaExtensionNode):
        return True
    if isinstance(node, SchemaDefinitionNode):
        return False
    name = node.name.value
    if isinstance(node, DirectiveDefinitionNode):
        executable = any(location.value in EXECUTABLE_LOCATIONS for location in node.locations)
        return name.split("__")[0] in features or name in SPECIFIED or not executable
    return "__" in name and name.split("__")[0] in features


def has_directive(node: Any, directive: str) -> bool:
    return any(d.name.value == directive for d in getattr(node, "directives", ()) or ())


def _copy(node: Node, **changes: Any) -> Node:
    values = {key: getattr(node, key) for key in node.keys if key != "loc"}  # type: ignore[attr-defined]
    return type(node)(**{**values, **changes})


def _clean(node: Any, hidden: str | None) -> Any:
    """The definition with the specified directives only; where `hidden` names a directive, without what carries it."""
    changes: dict[str, Any] = {}
    if getattr(node, "directives", None):
        changes["directives"] = tuple(d for d in node.directives if d.name.value in SPECIFIED)
    for children in ("fields", "values", "arguments"):
        nodes = getattr(node, children, None)
        if nodes:
            kept = tuple(_clean(n, hidden) for n in nodes if hidden is None or not has_directive(n, hidden))
            if not kept and isinstance(node, TypeDefinitionNode):
                return None
            changes[children] = kept
    return _copy(node, **changes) if changes else node


def _without_types(definitions: list[Any], gone: set[str]) -> list[Any]:
    """Removes references to hidden types: members of unions, interfaces, and (nested) fields of such types."""
    result = []
    for node in definitions:
        changes: dict[str, Any] = {}
        if isinstance(node, SchemaDefinitionNode):
            changes["operation_types"] = tuple(o for o in node.operation_types if o.type.name.value not in gone)
        if isinstance(node, UnionTypeDefinitionNode):
            changes["types"] = tuple(t for t in node.types or () if t.name.value not in gone)
        if getattr(node, "interfaces", None):
            changes["interfaces"] = tuple(i for i in node.interfaces if i.name.value not in gone)
        if getattr(node, "fields", None):
            kept = (f for f in node.fields if named_type(f.type) not in gone)
            changes["fields"] = tuple(_without_arguments(f, gone) for f in kept)
        result.append(_copy(node, **changes) if changes else node)
    return result


def _without_arguments(field: Any, gone: set[str]) -> Any:
    if not isinstance(field, FieldDefinitionNode) or not field.arguments:
        return field
    return _copy(field, arguments=tuple(a for a in field.arguments if named_type(a.type) not in gone))
