"""A suite as one schema that knows everything: the oracle for operations whose answers nobody has written down.

The same records and functions as the subgraphs', but no ownership, no keys and no requests: a field is answered wherever it stands, what
it requires is looked up on the spot. So a federated answer without errors must equal this one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    NameNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    print_schema,
    value_from_ast_untyped,
)

from graph.supergraph import Supergraph
from tests.federation_audit.audit import Suite
from tests.federation_audit.facts import Facts, read_facts
from tests.federation_audit.selections import Record, fields_of
from tests.federation_audit.subgraph import Resolver, Source


class Monolith:
    """Answers queries of the public API from everything that a suite's subgraphs know."""

    def __init__(self, suite: Suite, supergraph: Supergraph) -> None:
        self._public = supergraph.api_schema
        self._behaviour = suite.behaviour()
        self._facts: dict[str, Facts] = {one.name: read_facts(parse(one.sdl)) for one in suite.subgraphs}
        self._schema: GraphQLSchema = build_schema(print_schema(supergraph.full_schema))
        for type_ in self._schema.type_map.values():
            if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
                type_.resolve_type = lambda source, _info, _type: source.typename
            elif isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name, definition in type_.fields.items():
                    definition.resolve = self._field_resolver(type_.name, name, get_named_type(definition.type))

    def answer(self, query: str) -> ExecutionResult:
        return execute_sync(self._schema, parse(query))

    def _field_resolver(self, typename: str, name: str, named: GraphQLNamedType) -> Resolver:
        def resolve(root: Source | None, _info: object, **arguments: Any) -> Any:
            return self._shown(self._field(root or Source(typename, {}), name, named, arguments))

        return resolve

    def _shown(self, value: Any) -> Any:
        """Objects of types that are not public are null for a client, though others may require their fields."""
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        return None if isinstance(value, Source) and value.typename not in self._public.type_map else value

    def _field(self, source: Source, name: str, named: GraphQLNamedType, arguments: Mapping[str, Any]) -> Any:
        for coordinate in self._coordinates(source.typename, name):
            for subgraph in ("*", *self._facts):
                resolver = self._behaviour.resolvers.get(subgraph, {}).get(coordinate)
                if resolver is None:
                    continue
                requires = self._facts[subgraph].requires.get(coordinate) if subgraph != "*" else None
                inputs = self._inputs(source, requires) if requires else {}
                return self._value(resolver(Source(source.typename, source.record, source.provided, inputs), **arguments), named)
        return self._value(source[name], named)

    def _coordinates(self, typename: str, name: str) -> Iterator[str]:
        """The field on the type itself, then on the interfaces that may be objects in some subgraph."""
        yield f"{typename}.{name}"
        type_ = self._schema.type_map[typename]
        if isinstance(type_, GraphQLObjectType):
            yield from (f"{interface.name}.{name}" for interface in type_.interfaces)

    def _inputs(self, source: Source, selections: SelectionSetNode) -> Record:
        """The source as a representation that brings all that the selections ask for."""
        inputs: dict[str, Any] = {"__typename": source.typename}
        type_ = self._schema.type_map[source.typename]
        assert isinstance(type_, GraphQLObjectType)
        for node in fields_of(selections, source.typename, self._belongs):
            name = node.name.value
            arguments = {a.name.value: value_from_ast_untyped(a.value) for a in node.arguments or ()}
            value = self._field(source, name, get_named_type(type_.fields[name].type), arguments)
            inputs[name] = self._input(value, node.selection_set) if node.selection_set else value
        return inputs

    def _input(self, value: Any, selections: SelectionSetNode) -> Any:
        if isinstance(value, list):
            return [self._input(item, selections) for item in value]
        return self._inputs(value, selections) if isinstance(value, Source) else value

    def _belongs(self, typename: str, condition: str) -> bool:
        abstract, concrete = self._schema.type_map[condition], self._schema.type_map[typename]
        if not isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
            return typename == condition
        return isinstance(concrete, GraphQLObjectType) and self._schema.is_sub_type(abstract, concrete)

    def _value(self, value: Any, named: GraphQLNamedType) -> Any:
        """Objects as sources that know all of their records; every field of theirs counts as provided."""
        if value is None or not is_composite_type(named) or isinstance(value, Source):
            return value
        if isinstance(value, list):
            return [self._value(item, named) for item in value]
        record: Record = self._by_id(named.name, value) if isinstance(value, str) else value
        typename = str(record["__typename"]) if is_abstract_type(named) else named.name
        type_ = self._schema.type_map[typename]
        assert isinstance(type_, GraphQLObjectType)
        provided = tuple(FieldNode(name=NameNode(value=name)) for name in type_.fields)
        return Source(typename, {**self._known(typename, record), **record}, provided)

    def _by_id(self, typename: str, identifier: str) -> Record:
        names = (typename, *(t.name for t in self._schema.get_possible_types(self._schema.type_map[typename])))  # type: ignore[arg-type]
        return next(one for name in names for one in self._behaviour.records.get(name, ()) if one["id"] == identifier)

    def _known(self, typename: str, record: Record) -> Record:
        """What other subgraphs know of the same object."""
        for references in self._behaviour.references.values():
            if typename in references:
                return references[typename](record) or {}
        same = (one for one in self._behaviour.records.get(typename, ()) if "id" in record and one.get("id") == record["id"])
        return next(same, {})
