"""An honest federation subgraph in one process: graphql-core over a suite's SDL, its records and a few functions.

It answers what its SDL owns and nothing else, so that a plan that asks the wrong subgraph, or forgets an input, is found out:
- a field that is `@external`, or that another subgraph has taken by `@override`, is answered only where `@provides` says so;
- a field with `@requires` is computed from the representation alone, and refuses to be where an input is missing;
- `_entities` takes a representation only if a resolvable key of its type fits, without nulls.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    SelectionSetNode,
    build_ast_schema,
    get_named_type,
    is_abstract_type,
    parse,
)

from tests.federation_audit.executable_sdl import executable_document
from tests.federation_audit.facts import Facts, read_facts
from tests.federation_audit.selections import Record, agrees, fields_of, fits, missing

Resolver = Callable[..., Any]
"""Called with the `Source` and the field's arguments. A string for an object stands for the record with that `id`."""
Reference = Callable[[Record], Record | None]


@dataclass(frozen=True)
class Behaviour:
    """What a suite's subgraphs do. In `resolvers` and `references` the first key is a subgraph, or "*" for each that has the field.

    `records` are by type, interfaces and unions among them; they have a `__typename` where the type in the SDL is abstract.
    """

    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    resolvers: Mapping[str, Mapping[str, Resolver]] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, Reference]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """An object that is being answered for. `inputs` is the representation that it was reached by, if it was by one."""

    typename: str
    record: Record
    provided: tuple[FieldNode, ...] = ()
    inputs: Record = field(default_factory=dict)
    is_reference: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.record[name]

    def is_provided(self, name: str) -> bool:
        return any(node.name.value == name for node in self.provided)


def build_subgraph(name: str, sdl: str, behaviour: Behaviour, overridden: frozenset[str] = frozenset()) -> GraphQLSchema:
    """The executable schema; `overridden` are the coordinates that other subgraphs have taken from this one."""
    return _Subgraph(name, sdl, behaviour, overridden).schema


class _Subgraph:
    def __init__(self, name: str, sdl: str, behaviour: Behaviour, overridden: frozenset[str]) -> None:
        document: DocumentNode = parse(sdl)
        self._name, self._sdl = name, sdl
        self._behaviour, self._overridden = behaviour, overridden
        self._facts: Facts = read_facts(document)
        self.schema = build_ast_schema(executable_document(document, self._facts))
        self._resolvers = {**behaviour.resolvers.get("*", {}), **behaviour.resolvers.get(name, {})}
        self._references = {**behaviour.references.get("*", {}), **behaviour.references.get(name, {})}
        self._attach()

    def _attach(self) -> None:
        for type_ in self.schema.type_map.values():
            if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
                type_.resolve_type = lambda source, _info, _type: source.typename
            elif isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for field_name, definition in type_.fields.items():
                    definition.resolve = self._field_resolver(f"{type_.name}.{field_name}", field_name, definition)
        query = self.schema.query_type
        assert query is not None
        query.fields["_service"].resolve = lambda _root, _info: Source("_Service", {"sdl": self._sdl})
        if "_entities" in query.fields:
            query.fields["_entities"].resolve = lambda _root, _info, representations: [self._entity(r) for r in representations]

    def _field_resolver(self, coordinate: str, name: str, definition: GraphQLField) -> Resolver:
        resolver = self._resolvers.get(coordinate) or (lambda source, **_: source[name])
        requires = self._facts.requires.get(coordinate)
        provides = self._facts.provides.get(coordinate)

        def resolve(root: Source | None, _info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            source = root or Source("", {})
            self._check_owned(source, coordinate, name)
            if requires is not None:
                self._check_inputs(source, coordinate, requires)
            value = resolver(source, **arguments)
            below = [node.selection_set for node in source.provided if node.name.value == name and node.selection_set]
            if provides is not None:
                below.append(provides)
            return self._value(value, definition.type, below)

        return resolve

    def _check_owned(self, source: Source, coordinate: str, name: str) -> None:
        if source.is_provided(name):
            return
        if coordinate in self._facts.external:
            raise GraphQLError(f"{coordinate} is external in {self._name!r}, and not provided here")
        if coordinate in self._overridden:
            raise GraphQLError(f"{coordinate} is overridden: {self._name!r} no longer answers it")

    def _check_inputs(self, source: Source, coordinate: str, requires: SelectionSetNode) -> None:
        if not source.is_reference:
            raise GraphQLError(f"{coordinate} needs the inputs of a representation, and was not asked for through _entities")
        if absent := list(missing(requires, source.inputs, source.typename, self._belongs)):
            raise GraphQLError(f"{coordinate} requires {', '.join(absent)}: not in the representation {dict(source.inputs)}")

    def _value(self, value: Any, type_: GraphQLOutputType, provided: Sequence[SelectionSetNode]) -> Any:
        """The resolver's value with its objects as sources; abstract types take theirs from the record."""
        named = get_named_type(type_)
        if value is None or not (isinstance(named, GraphQLObjectType) or is_abstract_type(named)):
            return value
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self._value(item, named, provided) for item in value]
        if isinstance(value, Source):
            return value
        record = self._by_id(named.name, value) if isinstance(value, str) else value
        typename = self._typename(named.name, record)
        fields = tuple(node for one in provided for node in fields_of(one, typename, self._belongs))
        return Source(typename, record, fields)

    def _typename(self, name: str, record: Record) -> str:
        return str(record["__typename"]) if is_abstract_type(self.schema.type_map[name]) else name

    def _by_id(self, typename: str, identifier: str) -> Record:
        return next(record for record in self._behaviour.records[typename] if record["id"] == identifier)

    def _belongs(self, typename: str, condition: str) -> bool:
        if typename == condition:
            return True
        abstract, concrete = self.schema.get_type(condition), self.schema.get_type(typename)
        if not isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType):
            return False
        return isinstance(concrete, GraphQLObjectType | GraphQLInterfaceType) and self.schema.is_sub_type(abstract, concrete)

    def _entity(self, representation: Record) -> Source | GraphQLError | None:
        """The entity; an error is handed back, not raised, so that it costs its own place in the list alone."""
        typename = str(representation.get("__typename"))
        keys = self._facts.keys.get(typename)
        if keys is None:
            return GraphQLError(f"{self._name!r} has no entity {typename!r}")
        key = next((key for key in keys if fits(key, representation)), None)
        if key is None:
            return GraphQLError(f"no key of {typename} in {self._name!r} fits the representation {dict(representation)}")
        reference = self._references.get(typename)
        record = reference(representation) if reference is not None else next(self._matching(typename, key, representation), None)
        if record is None:
            return None
        return Source(self._typename(typename, record), record, inputs=representation, is_reference=True)

    def _matching(self, typename: str, key: SelectionSetNode, representation: Record) -> Iterator[Record]:
        return (record for record in self._behaviour.records.get(typename, ()) if agrees(key, record, representation))
