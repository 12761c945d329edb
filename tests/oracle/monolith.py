"""The oracle: graphql-core over the whole graph as one schema, with the resolvers and records of the subgraphs."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
)
from graphql.execution.values import get_argument_values

from tests.federation_audit.facts import read_facts
from tests.federation_audit.selections import Record, fields_of
from tests.federation_audit.subgraph import Resolver, Source
from tests.oracle.world import World


class Monolith:
    """What a field requires is read from the subgraphs' SDLs, and computed here by asking the same schema."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.schema = build_schema(world.graph)
        self._resolvers: dict[str, Resolver] = {}
        for of_subgraph in world.behaviour.resolvers.values():
            self._resolvers.update(of_subgraph)
        self._requires: dict[str, SelectionSetNode] = {}
        for sdl in world.subgraphs.values():
            self._requires.update(read_facts(parse(sdl)).requires)
        for type_ in self.schema.type_map.values():
            if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
                type_.resolve_type = lambda source, _info, _type: source.typename
            elif isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name, definition in type_.fields.items():
                    definition.resolve = self._field_resolver(type_, name, definition)

    def ask(self, document: DocumentNode, variables: Mapping[str, Any]) -> ExecutionResult:
        self._world.begin()
        return execute_sync(self.schema, document, variable_values=dict(variables))

    def _field_resolver(self, type_: GraphQLObjectType, name: str, definition: GraphQLField) -> Resolver:
        coordinates = [f"{one}.{name}" for one in self._names(type_)]
        resolver = next((self._resolvers[c] for c in coordinates if c in self._resolvers), None) or (lambda source, **_: source[name])
        requires = next((self._requires[c] for c in coordinates if c in self._requires), None)

        def resolve(root: Source | None, _info: object, **arguments: Any) -> Any:
            source = root or Source("", {})
            if requires is not None:
                source = Source(source.typename, source.record, inputs=self._inputs(source, requires), is_reference=True)
            return self._value(resolver(source, **arguments), definition.type)

        return resolve

    def _names(self, type_: GraphQLObjectType) -> Iterator[str]:
        """The type and its interfaces: a subgraph may know its objects as an interface object."""
        yield type_.name
        yield from (interface.name for interface in type_.interfaces)

    def _inputs(self, source: Source, selections: SelectionSetNode) -> dict[str, Any]:
        """What a representation brings, for the field set of `@requires`."""
        definition = self.schema.type_map[source.typename]
        assert isinstance(definition, GraphQLObjectType)
        found: dict[str, Any] = {"__typename": source.typename}
        for node in fields_of(selections, source.typename, self._belongs):
            name = node.name.value
            field = definition.fields[name]
            assert field.resolve is not None
            value = field.resolve(source, None, **get_argument_values(field, node))
            found[name] = self._plain(value, node.selection_set)
        return found

    def _plain(self, value: Any, selections: SelectionSetNode | None) -> Any:
        if isinstance(value, list):
            return [self._plain(item, selections) for item in value]
        return self._inputs(value, selections) if isinstance(value, Source) and selections is not None else value

    def _value(self, value: Any, type_: GraphQLOutputType) -> Any:
        named = get_named_type(type_)
        if value is None or isinstance(value, Exception | Source) or not is_composite_type(named):
            return value
        if isinstance(value, list | tuple):
            return [self._value(item, named) for item in value]
        record: Record = self._by_id(named.name, value) if isinstance(value, str) else value
        return Source(str(record["__typename"]) if is_abstract_type(named) else named.name, record)

    def _by_id(self, typename: str, identifier: str) -> Record:
        return next(record for record in self._world.behaviour.records[typename] if record["id"] == identifier)

    def _belongs(self, typename: str, condition: str) -> bool:
        abstract, concrete = self.schema.type_map[condition], self.schema.type_map[typename]
        if not isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
            return typename == condition
        return isinstance(concrete, GraphQLObjectType) and self.schema.is_sub_type(abstract, concrete)
