"""The types of introspection (GraphQL specification §4): no subgraph has them, yet their fields are normalised like any others."""

from collections.abc import Mapping
from types import MappingProxyType

from graphql import GraphQLObjectType, get_named_type, introspection_types

from graph.supergraph.model import FieldInfo, TypeInfo, TypeKind

ROOT_FIELDS: Mapping[str, str] = MappingProxyType({"__schema": "__Schema", "__type": "__Type"})
"""The fields by which a query enters, and their types."""


def _described(kind: GraphQLObjectType) -> TypeInfo:
    fields = {name: FieldInfo(name, str(field.type), get_named_type(field.type).name, {}) for name, field in kind.fields.items()}
    return TypeInfo(kind.name, TypeKind.OBJECT, {}, fields, possible_types=frozenset({kind.name}))


TYPES: Mapping[str, TypeInfo] = MappingProxyType(
    {name: _described(kind) for name, kind in introspection_types.items() if isinstance(kind, GraphQLObjectType)}
)
