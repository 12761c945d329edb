"""The elements of a supergraph SDL that a contract may hide, under their schema coordinates: `T`, `T.field`, `T.field(argument:)`."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
)

from graph.supergraph.api_schema import feature_names, has_directive, is_machinery

OutputType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode


class Elements:
    """Types by name, without those of linked specifications. Nothing in it changes after construction."""

    def __init__(self, document: DocumentNode) -> None:
        features = feature_names(document)
        self.inaccessible = features.get("inaccessible", "inaccessible")
        self._tag = features.get("tag", "tag")
        own = [node for node in document.definitions if not is_machinery(node, set(features.values()))]
        self.types = {node.name.value: node for node in own if isinstance(node, TypeDefinitionNode)}
        self.directives = tuple(node for node in own if isinstance(node, DirectiveDefinitionNode))
        self.roots = {
            operation.operation.value: operation.type.name.value
            for node in own
            if isinstance(node, SchemaDefinitionNode)
            for operation in node.operation_types or ()
        } or {root.lower(): root for root in ("Query", "Mutation", "Subscription") if root in self.types}

    def name_of(self, definition: Node) -> str | None:
        """The coordinate of a definition that a contract may hide."""
        if isinstance(definition, TypeDefinitionNode) and self.types.get(definition.name.value) is definition:
            return definition.name.value
        return None

    def inside(self, coordinate: str, parent: Any, child: Any) -> str:
        name = child.name.value
        return f"{coordinate}({name}:)" if isinstance(parent, FieldDefinitionNode) else f"{coordinate}.{name}"

    def children(self, type_name: str) -> Iterator[tuple[str, Any]]:
        """Fields, input fields or values, with their coordinates; none of scalars and unions."""
        node = self.types[type_name]
        if isinstance(node, OutputType | InputObjectTypeDefinitionNode):
            for field in node.fields or ():
                yield f"{type_name}.{field.name.value}", field
        elif isinstance(node, EnumTypeDefinitionNode):
            for value in node.values or ():
                yield f"{type_name}.{value.name.value}", value

    def arguments(self, coordinate: str, field: Any) -> Iterator[tuple[str, Any]]:
        for argument in getattr(field, "arguments", None) or ():
            yield self.inside(coordinate, field, argument), argument

    def interfaces(self, type_name: str) -> list[str]:
        node = self.types[type_name]
        return [named.name.value for named in node.interfaces or ()] if isinstance(node, OutputType) else []

    def members(self, type_name: str) -> list[str]:
        node = self.types[type_name]
        return [named.name.value for named in node.types or ()] if isinstance(node, UnionTypeDefinitionNode) else []

    def is_output(self, type_name: str) -> bool:
        """Whether it has fields that clients select."""
        return isinstance(self.types[type_name], OutputType)

    def is_interface(self, type_name: str) -> bool:
        return isinstance(self.types[type_name], InterfaceTypeDefinitionNode)

    def is_union(self, type_name: str) -> bool:
        return isinstance(self.types[type_name], UnionTypeDefinitionNode)

    def is_inaccessible(self, node: Any) -> bool:
        return has_directive(node, self.inaccessible)

    def tags(self, node: Any) -> frozenset[str]:
        return frozenset(
            argument.value.value
            for directive in node.directives or ()
            if directive.name.value == self._tag
            for argument in directive.arguments or ()
            if argument.name.value == "name" and isinstance(argument.value, StringValueNode)
        )
