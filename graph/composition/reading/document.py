"""Builds the `Subgraph` from a document whose names are understood and which is known to be GraphQL.

Machinery that subgraph libraries print (`_service`, `_entities`, definitions of federation's own directives) is dropped here, and
root types get their supergraph names.
"""

from collections.abc import Callable, Iterable, Sequence

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    EnumValueDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)

from graph.composition.links import Names
from graph.composition.result import SubgraphSDL
from graph.composition.roots import root_names
from graph.composition.specs import (
    BUILT_IN_DIRECTIVES,
    BUILT_IN_SCALARS,
    FEDERATION_ONE,
    SUBGRAPH_MACHINERY_FIELDS,
    SUBGRAPH_MACHINERY_TYPES,
)
from graph.composition.subgraph import Applied, Directive, Element, Field, InputValue, Kind, Subgraph, Type
from graph.composition.type_ref import type_ref

_WITH_FIELD_SETS = ("key", "requires", "provides")
TypeNodes = Sequence[TypeDefinitionNode | TypeExtensionNode]

KIND_OF_NODE = {
    "scalar_type": Kind.SCALAR,
    "object_type": Kind.OBJECT,
    "interface_type": Kind.INTERFACE,
    "union_type": Kind.UNION,
    "enum_type": Kind.ENUM,
    "input_object_type": Kind.INPUT,
}


def kind_of(node: TypeDefinitionNode | TypeExtensionNode) -> Kind:
    return KIND_OF_NODE[node.kind.removesuffix("_definition").removesuffix("_extension")]


def build_subgraph(source: SubgraphSDL, graph: str, document: DocumentNode, names: Names) -> Subgraph:
    roots = root_names(document)
    reader = _Reader(names, lambda name: roots.get(name, name))
    types: dict[str, Type] = {}
    for name, nodes in sorted(group_types(document, names).items()):
        built = reader.type(name, nodes)
        # A root of nothing but machinery, and an extension that adds nothing, leave no type behind.
        if built.kind is Kind.OBJECT and not built.fields:
            continue
        types[built.name] = built
    schema_nodes = [n for n in document.definitions if isinstance(n, SchemaDefinitionNode | SchemaExtensionNode)]
    applied = [reader.applied(node, 0, False) for s in schema_nodes for node in s.directives or ()]
    definition = next((n for n in schema_nodes if isinstance(n, SchemaDefinitionNode)), None)
    return Subgraph(
        name=source.name,
        url=source.url,
        graph=graph,
        version=names.version,
        links=names.links,
        types=types,
        directives={
            node.name.value: reader.directive(node)
            for node in document.definitions
            if isinstance(node, DirectiveDefinitionNode) and not is_known_directive(node.name.value, names)
        },
        schema_directives=tuple(applied),
        schema_description=_text(definition.description) if definition else None,
    )


def group_types(document: DocumentNode, names: Names) -> dict[str, list[TypeDefinitionNode | TypeExtensionNode]]:
    """Definition and extensions of each type that is the subgraph's own, under the name as written."""
    grouped: dict[str, list[TypeDefinitionNode | TypeExtensionNode]] = {}
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode | TypeExtensionNode) and not is_machinery(node.name.value, names):
            grouped.setdefault(node.name.value, []).append(node)
    return grouped


def is_machinery(type_name: str, names: Names) -> bool:
    return type_name in SUBGRAPH_MACHINERY_TYPES or type_name in names.types or type_name in BUILT_IN_SCALARS


def is_known_directive(name: str, names: Names) -> bool:
    return name in names.directives or name in BUILT_IN_DIRECTIVES


def _text(node: StringValueNode | None) -> str | None:
    return node.value if node else None


def _as_text(value: ConstValueNode) -> ConstValueNode:
    """Federation 1 took lists (`["id", "name"]`) and bare names (`id`) for field sets too."""
    if isinstance(value, EnumValueNode):
        return StringValueNode(value=value.value)
    if not isinstance(value, ListValueNode):
        return value
    items = [_as_text(item) for item in value.values]
    texts = [item.value for item in items if isinstance(item, StringValueNode)]
    return StringValueNode(value=" ".join(texts)) if len(texts) == len(items) else value


class _Reader:
    """Reads the parts of one document; holds only what all of them need: the meaning of names."""

    def __init__(self, names: Names, rename: Callable[[str], str]) -> None:
        self._names = names
        self._rename = rename

    def applied(self, node: ConstDirectiveNode, part: int, on_extension: bool) -> Applied:
        written = node.name.value
        name = self._names.directives.get(written, written)
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        if self._names.version == FEDERATION_ONE and name in _WITH_FIELD_SETS and "fields" in arguments:
            arguments["fields"] = _as_text(arguments["fields"])
        return Applied(name, arguments, node, part, on_extension)

    def directives(
        self, nodes: Iterable[ConstDirectiveNode] | None, part: int, on_extension: bool
    ) -> tuple[tuple[Applied, ...], tuple[Applied, ...]]:
        """What the specifications define, and the rest."""
        known: list[Applied] = []
        custom: list[Applied] = []
        for node in nodes or ():
            target = known if is_known_directive(node.name.value, self._names) else custom
            target.append(self.applied(node, part, on_extension))
        return tuple(known), tuple(custom)

    def type(self, written: str, nodes: TypeNodes) -> Type:
        ordered = sorted(nodes, key=lambda node: isinstance(node, TypeExtensionNode))
        first, kind = ordered[0], kind_of(ordered[0])
        known: list[Applied] = []
        custom: list[Applied] = []
        fields: dict[str, Field] = {}
        inputs: dict[str, InputValue] = {}
        values: dict[str, Element] = {}
        interfaces: dict[str, None] = {}
        members: dict[str, None] = {}
        for part, node in enumerate(ordered):
            extension = isinstance(node, TypeExtensionNode)
            of_federation, others = self.directives(node.directives, part, extension)
            known += of_federation
            custom += others
            match node:
                case ObjectTypeDefinitionNode() | ObjectTypeExtensionNode() | InterfaceTypeDefinitionNode() | InterfaceTypeExtensionNode():
                    interfaces |= dict.fromkeys(named.name.value for named in node.interfaces or ())
                    for item in node.fields or ():
                        if item.name.value not in SUBGRAPH_MACHINERY_FIELDS:
                            fields[item.name.value] = self.field(item, part, extension)
                case UnionTypeDefinitionNode() | UnionTypeExtensionNode():
                    members |= dict.fromkeys(self._rename(named.name.value) for named in node.types or ())
                case EnumTypeDefinitionNode() | EnumTypeExtensionNode():
                    values |= {item.name.value: self.enum_value(item, part) for item in node.values or ()}
                case InputObjectTypeDefinitionNode() | InputObjectTypeExtensionNode():
                    inputs |= {item.name.value: self.input_value(item) for item in node.fields or ()}
        return Type(
            name=self._rename(written),
            node=first,
            description=_text(getattr(first, "description", None)),
            directives=tuple(known),
            custom=tuple(custom),
            kind=kind,
            nodes=tuple(ordered),
            only_extended=isinstance(first, TypeExtensionNode) or any(a.name == "extends" for a in known),
            interfaces=tuple(interfaces),
            fields=fields,
            inputs=inputs,
            values=values,
            members=tuple(members),
        )

    def directive(self, node: DirectiveDefinitionNode) -> Directive:
        return Directive(
            name=node.name.value,
            node=node,
            description=_text(node.description),
            directives=(),
            custom=(),
            arguments={item.name.value: self.input_value(item) for item in node.arguments or ()},
            locations=frozenset(location.value for location in node.locations),
            repeatable=node.repeatable,
        )

    def field(self, node: FieldDefinitionNode, part: int, extension: bool) -> Field:
        known, custom = self.directives(node.directives, part, extension)
        return Field(
            name=node.name.value,
            node=node,
            description=_text(node.description),
            directives=known,
            custom=custom,
            type=type_ref(node.type, self._rename),
            arguments={item.name.value: self.input_value(item) for item in node.arguments or ()},
            part=part,
            on_extension=extension,
        )

    def input_value(self, node: InputValueDefinitionNode) -> InputValue:
        known, custom = self.directives(node.directives, 0, False)
        return InputValue(
            name=node.name.value,
            node=node,
            description=_text(node.description),
            directives=known,
            custom=custom,
            type=type_ref(node.type, self._rename),
            default=node.default_value,
        )

    def enum_value(self, node: EnumValueDefinitionNode, part: int) -> Element:
        known, custom = self.directives(node.directives, part, False)
        return Element(node.name.value, node, _text(node.description), known, custom)
