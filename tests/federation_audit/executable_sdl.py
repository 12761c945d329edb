"""A subgraph's SDL as graphql-core can build it: federation's directives taken off, what is only extended defined, `_entities` added."""

from graphql import (
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeExtensionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeExtensionNode,
    parse,
    visit,
)
from graphql.language import (
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    VisitorAction,
)

from tests.federation_audit.facts import Facts

STANDARD_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
DEFINITIONS: dict[type[TypeExtensionNode], type[TypeDefinitionNode]] = {
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}


class _WithoutFederation(Visitor):
    """Root types have their default names in every suite, so the schema's own definition can go with the links on it."""

    def enter_directive(self, node: DirectiveNode, *_: object) -> VisitorAction:
        return None if node.name.value in STANDARD_DIRECTIVES else self.REMOVE

    def enter_schema_definition(self, _node: SchemaDefinitionNode, *_: object) -> VisitorAction:
        return self.REMOVE

    def enter_schema_extension(self, _node: SchemaExtensionNode, *_: object) -> VisitorAction:
        return self.REMOVE


def executable_document(document: DocumentNode, facts: Facts) -> DocumentNode:
    stripped: DocumentNode = visit(document, _WithoutFederation())
    defined: set[str] = {d.name.value for d in stripped.definitions if isinstance(d, TypeDefinitionNode)}
    definitions: list[DefinitionNode] = []
    for node in stripped.definitions:
        if isinstance(node, TypeExtensionNode) and node.name.value not in defined:
            defined.add(node.name.value)
            node = _definition(node)
        definitions.append(node)
    federation = parse(_federation(facts, defined, definitions), no_location=True).definitions
    return DocumentNode(definitions=(*definitions, *federation))


def _definition(extension: TypeExtensionNode) -> TypeDefinitionNode:
    values = {key: getattr(extension, key, None) for key in extension.keys if key != "loc"}
    return DEFINITIONS[type(extension)](**values)  # type: ignore[arg-type]


def _federation(facts: Facts, defined: set[str], definitions: list[DefinitionNode]) -> str:
    objects = {d.name.value for d in definitions if isinstance(d, ObjectTypeDefinitionNode)}
    entities = sorted(objects & facts.keys.keys())
    lines = ["scalar _Any", "type _Service { sdl: String! }"]
    fields = "_service: _Service!"
    if entities:
        lines.append(f"union _Entity = {' | '.join(entities)}")
        fields += " _entities(representations: [_Any!]!): [_Entity]!"
    lines.append(f"{'extend type' if 'Query' in defined else 'type'} Query {{ {fields} }}")
    return "\n".join(lines)
