"""Is a subgraph's SDL GraphQL? Answered by graphql-core, on the document with what it may leave to federation supplied.

A subgraph may use directives that it only links, extend types that it doesn't define, and have no query at all. So that
graphql-core can judge the rest, links are turned into definitions, lone extensions into definitions, and a missing query is added.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import cast

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLError,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    Source,
    TypeDefinitionNode,
    TypeExtensionNode,
    build_ast_schema,
    parse,
    validate_schema,
)
from graphql.language import ast
from graphql.validation.validate import validate_sdl

from graph.composition.findings import Findings
from graph.composition.links import Names
from graph.composition.reading.document import is_machinery
from graph.composition.result import CompositionError, Location
from graph.composition.roots import root_names
from graph.composition.specs import (
    FEDERATION,
    FEDERATION_ONE,
    FEDERATION_SPEC,
    KNOWN_SPECS,
    LAST_FEDERATION,
    SUBGRAPH_MACHINERY_FIELDS,
)

_PLACEHOLDER = "_noQuery"
_WORD = re.compile(r"\w+")


def check_graphql(document: DocumentNode, names: Names, subgraph: str, findings: Findings) -> None:
    """Reports INVALID_GRAPHQL for everything that graphql-core finds wrong."""
    complete = DocumentNode(
        definitions=(*_own_definitions(document, names), *_supplied(document, names), *_placeholder_query(document, names))
    )
    errors = validate_sdl(complete)
    if not errors:
        try:
            errors = validate_schema(build_ast_schema(complete, assume_valid_sdl=True))
        except (GraphQLError, TypeError) as raised:
            errors = [raised if isinstance(raised, GraphQLError) else GraphQLError(str(raised))]
    for error in errors:
        findings.errors.append(_invalid(error, names, subgraph))


def _invalid(error: GraphQLError, names: Names, subgraph: str) -> CompositionError:
    message = error.message
    if message.startswith("Unknown directive"):
        message += _advice(message.split("@")[1].split("'")[0].split('"')[0].rstrip("."), names)
    # Nodes that were supplied have a source of their own: their lines would mislead.
    where = tuple(
        Location(subgraph, node.loc.start_token.line, node.loc.start_token.column)
        for node in error.nodes or ()
        if node.loc is not None and node.loc.source.name == "GraphQL request"
    )
    return CompositionError("INVALID_GRAPHQL", f"[{subgraph}] {message}", (subgraph,), where)


def _advice(directive: str, names: Names) -> str:
    known = next((d for d in FEDERATION_SPEC.directives if d.name == directive), None)
    if known is None:
        return ""
    if names.version == FEDERATION_ONE:
        return f" It is federation 2's: link {FEDERATION}/v2.{max(known.since[1], 0)} with @link to use it."
    if known.since > names.version:
        return f" It needs federation v{known.since[0]}.{known.since[1]}: link that version or a newer one."
    return f' Add "@{directive}" to the imports of the @link to federation.'


def _own_definitions(document: DocumentNode, names: Names) -> Iterator[DefinitionNode]:
    defined = {n.name.value for n in document.definitions if isinstance(n, TypeDefinitionNode)}
    machinery_only = _roots_of_machinery(document, names)
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode) and node.name.value in names.directives:
            continue
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            kept = tuple(o for o in node.operation_types or () if o.type.name.value not in machinery_only)
            # A schema definition needs operations; federation allows it to have nothing but links.
            if not kept and isinstance(node, SchemaDefinitionNode):
                without = SchemaExtensionNode(directives=node.directives, operation_types=(), loc=node.loc)
                # graphql-core's types leave extensions out of what a document may hold.
                yield cast(DefinitionNode, without)
                continue
            yield replace(node, operation_types=kept)
            continue
        if not isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            yield node
            continue
        if is_machinery(node.name.value, names) or node.name.value in machinery_only:
            continue
        if isinstance(node, TypeExtensionNode) and node.name.value not in defined:
            defined.add(node.name.value)
            node = _as_definition(node)
        yield _without_machinery(node)


def _roots_of_machinery(document: DocumentNode, names: Names) -> set[str]:
    """Object types that have only `_service` and `_entities`, or nothing: they vanish."""
    fields: dict[str, list[FieldDefinitionNode]] = {}
    for node in document.definitions:
        if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
            fields.setdefault(node.name.value, []).extend(node.fields or ())
    roots = root_names(document).keys() | {"Query", "Mutation", "Subscription"}
    return {name for name, found in fields.items() if name in roots and all(item.name.value in SUBGRAPH_MACHINERY_FIELDS for item in found)}


def _as_definition(node: TypeExtensionNode) -> TypeDefinitionNode:
    definition = getattr(ast, type(node).__name__.replace("Extension", "Definition"))
    made = definition(**{key: getattr(node, key) for key in node.keys})
    assert isinstance(made, TypeDefinitionNode)
    return made


def _without_machinery(node: TypeDefinitionNode | TypeExtensionNode) -> TypeDefinitionNode | TypeExtensionNode:
    if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
        kept = tuple(item for item in node.fields or () if item.name.value not in SUBGRAPH_MACHINERY_FIELDS)
        return replace(node, fields=kept)
    return node


def _supplied(document: DocumentNode, names: Names) -> Iterator[DefinitionNode]:
    """Definitions of the directives and types that the subgraph links, under the names that it uses; those whose names occur in it."""
    words = frozenset(_WORD.findall(document.loc.source.body)) if document.loc else frozenset[str]()
    linked = {link.identity: link for link in names.links}
    sdl: list[str] = []
    defined: set[str] = set()
    for identity, spec in KNOWN_SPECS.items():
        link = linked.get(identity)
        if link is None and identity != FEDERATION:
            continue
        if link is None:
            sdl += _federation_one(words)
            defined |= {d.name for d in spec.directives if d.since == FEDERATION_ONE}
            continue
        version = names.version if identity == FEDERATION else LAST_FEDERATION
        types = {t.name: link.type(t.name) for t in spec.types}
        used = [directive for directive in spec.directives if directive.since <= version and link.directive(directive.name) in words]
        needed = "".join(directive.definition_at(version) for directive in used)
        sdl += [f"scalar {name}" for own, name in types.items() if name in words or f"{{{own}}}" in needed]
        for directive in used:
            name = link.directive(directive.name)
            # `@tag` may be linked by federation and by its own specification: one definition is enough.
            if name not in defined:
                defined.add(name)
                sdl.append(f"directive @{name}{directive.definition_at(version).format_map(types)}")
    yield from _parsed("\n".join(sdl))


@lru_cache(maxsize=32)
def _parsed(sdl: str) -> tuple[DefinitionNode, ...]:
    """Subgraphs that link alike are supplied alike."""
    return parse(Source(sdl, "supplied")).definitions


def _federation_one(words: frozenset[str]) -> Iterator[str]:
    yield "scalar _FieldSet"
    types = {t.name: "_FieldSet" for t in FEDERATION_SPEC.types}
    for directive in FEDERATION_SPEC.directives:
        if directive.since == FEDERATION_ONE and directive.name in words:
            yield f"directive @{directive.name}{directive.definition_at(FEDERATION_ONE).format_map(types)}"


def _placeholder_query(document: DocumentNode, names: Names) -> Iterator[DefinitionNode]:
    machinery = _roots_of_machinery(document, names)
    types = {n.name.value for n in document.definitions if isinstance(n, TypeDefinitionNode | TypeExtensionNode)}
    operations = {
        operation.operation.value
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for operation in node.operation_types or ()
        if operation.type.name.value not in machinery
    }
    if operations and "query" not in operations:
        yield from parse(Source(f"extend schema {{ query: {_PLACEHOLDER} }} type {_PLACEHOLDER} {{ _: Int }}", "supplied")).definitions
    elif not operations and "Query" not in types - machinery:
        yield from parse(Source("type Query { _: Int }", "supplied")).definitions
