"""Reads a supergraph SDL, as composition prints it: the join specification v0.1 to v0.5, whoever printed it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    GraphQLError,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from graph.contracts import OperationKind
from graph.supergraph.api_schema import build_schemas, named_type
from graph.supergraph.field_sets import FieldSet, SelectedField, parse_field_set
from graph.supergraph.model import (
    ContextArgument,
    FieldInfo,
    FieldSource,
    KeyUse,
    SubgraphInfo,
    Supergraph,
    TypeInfo,
    TypeInSubgraph,
    TypeKind,
)
from graph.supergraph.reading_demands import read_demands

CompositeNode = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode
KINDS = {
    "object_type_definition": TypeKind.OBJECT,
    "interface_type_definition": TypeKind.INTERFACE,
    "union_type_definition": TypeKind.UNION,
}


class SupergraphError(Exception):
    """The text is not a supergraph that this gateway can serve."""


def read_supergraph(sdl: str) -> Supergraph:
    """Parses and indexes a supergraph SDL. Raises `SupergraphError`, naming what is wrong."""
    try:
        document = parse(sdl, no_location=True)
    except GraphQLError as error:
        raise SupergraphError(f"the supergraph is not GraphQL: {error}") from error
    try:
        graphs = _graphs(document)
        definitions = {d.name.value: d for d in document.definitions if isinstance(d, TypeDefinitionNode)}
        composites = {n: d for n, d in definitions.items() if isinstance(d, CompositeNode)}
        types = _Reader(composites, graphs).read()
        full_schema, api_schema = build_schemas(document)
        roots = _root_types(document, definitions)
        demands = read_demands(document, types, roots.values())
    except (ValueError, TypeError, KeyError, GraphQLError) as error:
        raise SupergraphError(f"the supergraph cannot be read: {error}") from error
    subgraphs = {info.name: info for info in graphs.values()}
    return Supergraph(
        subgraphs=dict(sorted(subgraphs.items())),
        types=types,
        root_types=roots,
        full_schema=full_schema,
        api_schema=api_schema,
        sha256=hashlib.sha256(sdl.encode()).hexdigest(),
        demands=demands,
        personal=frozenset(_marked(composites, types, "personalData")),
        per_caller=frozenset(_marked(composites, types, "perCaller")),
    )


def _arguments(directive: ConstDirectiveNode) -> dict[str, Any]:
    return {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}


def _applied(node: Any, name: str) -> list[dict[str, Any]]:
    return [_arguments(d) for d in node.directives or () if d.name.value == name]


def _fields(node: CompositeNode) -> tuple[FieldDefinitionNode, ...]:
    return () if isinstance(node, UnionTypeDefinitionNode) else node.fields or ()


def _marked(composites: dict[str, CompositeNode], types: dict[str, TypeInfo], directive: str) -> Iterator[tuple[str, str]]:
    """The fields that carry a directive; an interface's mark is its implementations'."""
    for name, node in composites.items():
        for one in _fields(node):
            if _applied(one, directive):
                yield from ((owner, one.name.value) for owner in types[name].possible_types)


def _graphs(document: DocumentNode) -> dict[str, SubgraphInfo]:
    """The values of `enum join__Graph`: SDL name → subgraph."""
    for node in document.definitions:
        if isinstance(node, EnumTypeDefinitionNode | EnumTypeExtensionNode) and node.name.value == "join__Graph":
            graphs = {}
            for value in node.values or ():
                applied = _applied(value, "join__graph")
                if not applied:
                    raise SupergraphError(f"join__Graph.{value.name.value} lacks @join__graph")
                graphs[value.name.value] = SubgraphInfo(str(applied[0]["name"]), applied[0].get("url") or None)
            return graphs
    raise SupergraphError("no `enum join__Graph`: this is not a supergraph SDL; compose the subgraphs first (`citygraph compose`)")


def _root_types(document: DocumentNode, definitions: dict[str, TypeDefinitionNode]) -> dict[OperationKind, str]:
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            roots = {OperationKind(o.operation.value): o.type.name.value for o in node.operation_types}
            if roots:
                return roots
    return {kind: kind.value.title() for kind in OperationKind if kind.value.title() in definitions}


class _Reader:
    """Reads the composite types; possible types need all of them, hence the two passes."""

    def __init__(self, composites: dict[str, CompositeNode], graphs: dict[str, SubgraphInfo]) -> None:
        self.composites = composites
        self.names = {enum_value: info.name for enum_value, info in graphs.items()}
        self.keys: dict[str, dict[str, list[KeyUse]]] = {}
        self.interface_objects: set[tuple[str, str]] = set()
        self.implements: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def read(self) -> dict[str, TypeInfo]:
        for name, node in self.composites.items():
            self._read_type_joins(name, node)
        for name, node in self.composites.items():
            self._read_implements(name, node)
        return {name: self._type(name, node) for name, node in sorted(self.composites.items())}

    def _graph(self, enum_value: str) -> str:
        if enum_value not in self.names:
            raise SupergraphError(f"{enum_value} is not a value of join__Graph")
        return self.names[enum_value]

    def _read_type_joins(self, name: str, node: CompositeNode) -> None:
        uses: dict[str, list[KeyUse]] = {}
        for join in [*_applied(node, "join__type"), *_applied(node, "join__owner")]:
            graph = self._graph(join["graph"])
            keys = uses.setdefault(graph, [])
            if join.get("isInterfaceObject"):
                self.interface_objects.add((graph, name))
            if key := join.get("key"):
                keys.append(KeyUse(parse_field_set(key), join.get("resolvable", True)))
        if not uses:  # join v0.1: value types and roots carry no @join__type; every subgraph may know them
            uses = {graph: [] for graph in self._graphs_of_fields(node) or self.names.values()}
        self.keys[name] = uses

    def _graphs_of_fields(self, node: CompositeNode) -> list[str]:
        joins = [j for f in _fields(node) for j in _applied(f, "join__field")]
        return list(dict.fromkeys(self._graph(j["graph"]) for j in joins if j.get("graph")))

    def _read_implements(self, name: str, node: CompositeNode) -> None:
        if isinstance(node, UnionTypeDefinitionNode):
            joins = _applied(node, "join__unionMember")
            members = [(self._graph(j["graph"]), j["member"]) for j in joins]
            if not joins:
                names = [t.name.value for t in node.types or ()]
                members = [(g, n) for n in names for g in self.keys[name] if g in self.keys[n]]
            for graph, member in members:
                self.implements[member][graph].add(name)
            return
        joins = _applied(node, "join__implements")
        for join in joins:
            self.implements[name][self._graph(join["graph"])].add(join["interface"])
        if not joins:
            for interface in node.interfaces or ():
                for graph in self.keys[name]:
                    if graph in self.keys.get(interface.name.value, {}):
                        self.implements[name][graph].add(interface.name.value)

    def _type(self, name: str, node: CompositeNode) -> TypeInfo:
        kind = KINDS[node.kind]
        possible = {graph: self._possible(name, graph, kind) for graph in self.keys[name]}
        subgraphs = {
            graph: TypeInSubgraph(
                keys=tuple(keys),
                is_interface_object=(graph, name) in self.interface_objects,
                interfaces=frozenset(self.implements[name][graph]),
                possible_types=possible[graph],
            )
            for graph, keys in sorted(self.keys[name].items())
        }
        fields = {f.name.value: self._field(name, f) for f in _fields(node)}
        blind = {graph for graph, local in subgraphs.items() if local.is_interface_object}
        fields = _with_external_requirements(fields, blind)
        all_possible = frozenset({name}) if kind is TypeKind.OBJECT else frozenset().union(*possible.values())
        interfaces = frozenset().union(*self.implements[name].values())
        contexts = frozenset(c["name"] for c in _applied(node, "context"))
        return TypeInfo(name, kind, subgraphs, fields, all_possible, interfaces, contexts)

    def _possible(self, name: str, graph: str, kind: TypeKind) -> frozenset[str]:
        if (graph, name) in self.interface_objects:
            return frozenset()
        if kind is TypeKind.OBJECT:
            return frozenset({name})
        return frozenset(
            member
            for member, node in self.composites.items()
            if isinstance(node, ObjectTypeDefinitionNode)
            and name in self.implements[member][graph]
            and (graph, member) not in self.interface_objects
        )

    def _field(self, type_name: str, node: FieldDefinitionNode) -> FieldInfo:
        joins = _applied(node, "join__field")
        if joins:
            sources = dict(self._sources(joins))
        else:
            owner = _applied(self.composites[type_name], "join__owner")
            graphs = [self._graph(o["graph"]) for o in owner] or list(self.keys[type_name])
            sources = {graph: FieldSource() for graph in graphs}
        return FieldInfo(node.name.value, print_ast(node.type), named_type(node.type), dict(sorted(sources.items())))

    def _sources(self, joins: list[dict[str, Any]]) -> Iterator[tuple[str, FieldSource]]:
        for join in joins:
            if join.get("graph"):
                yield (
                    self._graph(join["graph"]),
                    FieldSource(
                        type=join.get("type"),
                        requires=_optional(join.get("requires")),
                        provides=_optional(join.get("provides")),
                        external=bool(join.get("external")),
                        overrides=join.get("override"),
                        override_label=join.get("overrideLabel"),
                        used_overridden=bool(join.get("usedOverridden")),
                        contexts=tuple(_context_argument(c) for c in join.get("contextArguments") or ()),
                    ),
                )


def _with_external_requirements(fields: dict[str, FieldInfo], graphs: set[str]) -> dict[str, FieldInfo]:
    """What an interface object's field requires is external there, whether the printed supergraph says so or not."""
    required: dict[str, set[str]] = {}
    for field in fields.values():
        for graph, source in field.sources.items():
            if graph in graphs:
                required.setdefault(graph, set()).update(s.name for s in source.requires if isinstance(s, SelectedField))
    return {
        name: replace(
            field,
            sources={g: replace(s, external=s.external or name in required.get(g, ())) for g, s in field.sources.items()},
        )
        for name, field in fields.items()
    }


def _context_argument(argument: dict[str, Any]) -> ContextArgument:
    return ContextArgument(argument["context"], argument["name"], argument["type"], parse_field_set(argument["selection"]))


def _optional(text: str | None) -> FieldSet:
    return parse_field_set(text) if text else ()
