"""One subgraph as composition sees it: definitions and extensions joined, directives under the names their specifications give them.

Federation's and GraphQL's own directives stand in `directives`; everything else is in `custom` and is composed only where
`@composeDirective` asks for it. Values stay GraphQL nodes, so that they print as they were written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import (
    BooleanValueNode,
    ConstDirectiveNode,
    ConstValueNode,
    IntValueNode,
    ListValueNode,
    Node,
    StringValueNode,
)

from graph.composition.findings import Place
from graph.composition.links import Link
from graph.composition.specs import FIRST_FEDERATION_TWO, Version
from graph.composition.type_ref import TypeRef


class Kind(StrEnum):
    """The kinds of types, by the keyword that defines them."""

    SCALAR = "scalar"
    OBJECT = "type"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Applied:
    """One use of a directive. `part` tells the definitions and extensions of one type apart; 0 is the first in the text."""

    name: str
    arguments: Mapping[str, ConstValueNode]
    node: ConstDirectiveNode
    part: int = 0
    on_extension: bool = False

    def string(self, argument: str) -> str | None:
        value = self.arguments.get(argument)
        return value.value if isinstance(value, StringValueNode) else None

    def boolean(self, argument: str, default: bool) -> bool:
        value = self.arguments.get(argument)
        return value.value if isinstance(value, BooleanValueNode) else default

    def integer(self, argument: str) -> int | None:
        value = self.arguments.get(argument)
        return int(value.value) if isinstance(value, IntValueNode) else None

    def strings(self, argument: str) -> tuple[str, ...] | None:
        """A list of strings; a single string counts as a list of one, as GraphQL's coercion has it."""
        value = self.arguments.get(argument)
        if isinstance(value, StringValueNode):
            return (value.value,)
        if not isinstance(value, ListValueNode):
            return None
        return tuple(item.value for item in value.values if isinstance(item, StringValueNode))


@dataclass(frozen=True, slots=True)
class Element:
    """What every named thing of a schema has."""

    name: str
    node: Node
    description: str | None
    directives: tuple[Applied, ...]
    custom: tuple[Applied, ...]

    def uses(self, name: str) -> Iterator[Applied]:
        return (applied for applied in self.directives if applied.name == name)

    def use(self, name: str) -> Applied | None:
        return next(self.uses(name), None)

    def has(self, name: str) -> bool:
        return self.use(name) is not None


@dataclass(frozen=True, slots=True)
class InputValue(Element):
    """An argument, or a field of an input object."""

    type: TypeRef
    default: ConstValueNode | None

    @property
    def required(self) -> bool:
        return str(self.type).endswith("!") and self.default is None


@dataclass(frozen=True, slots=True)
class Field(Element):
    type: TypeRef
    arguments: Mapping[str, InputValue]
    part: int
    on_extension: bool


@dataclass(frozen=True, slots=True)
class Directive(Element):
    """The definition of one of the subgraph's own directives."""

    arguments: Mapping[str, InputValue]
    locations: frozenset[str]
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Type(Element):
    """A type with all its extensions; which of the collections are filled depends on the kind."""

    kind: Kind
    nodes: tuple[Node, ...]
    only_extended: bool
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    inputs: Mapping[str, InputValue] = field(default_factory=dict)
    values: Mapping[str, Element] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    @property
    def is_interface_object(self) -> bool:
        return self.kind is Kind.OBJECT and self.has("interfaceObject")

    @property
    def kind_in_supergraph(self) -> Kind:
        return Kind.INTERFACE if self.is_interface_object else self.kind


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Subgraph:
    """A subgraph that could be read. `graph` is its name as a value of `join__Graph`. It is equal to itself alone, and so can be a key."""

    name: str
    url: str | None
    graph: str
    version: Version
    links: tuple[Link, ...]
    types: Mapping[str, Type]
    directives: Mapping[str, Directive]
    schema_directives: tuple[Applied, ...] = ()
    schema_description: str | None = None
    _implementing: Mapping[str, Sequence[Type]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Type]] = {}
        for owner in self.types.values():
            for interface in owner.interfaces if owner.kind is Kind.OBJECT else ():
                found.setdefault(interface, []).append(owner)
        object.__setattr__(self, "_implementing", found)

    @property
    def is_federation_two(self) -> bool:
        return self.version >= FIRST_FEDERATION_TWO

    def place(self, node: Node | None = None) -> Place:
        return Place(self.name, node)

    def field(self, coordinate: "Coordinate") -> Field:
        return self.types[coordinate.type].fields[coordinate.field]

    def implementations(self, interface: str) -> Sequence[Type]:
        """The object types of this subgraph that implement the interface."""
        return self._implementing.get(interface, ())

    def runtime_types(self, name: str) -> frozenset[str]:
        """The object types that a value of the named type can have, as far as this subgraph knows."""
        found = self.types.get(name)
        if found is None:
            return frozenset()
        match found.kind:
            case Kind.OBJECT:
                return frozenset({name})
            case Kind.UNION:
                return frozenset(found.members)
            case Kind.INTERFACE:
                return frozenset(t.name for t in self.implementations(name))
            case _:
                return frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Coordinate:
    """A field by its type's and its own name."""

    type: str
    field: str

    def __str__(self) -> str:
        return f"{self.type}.{self.field}"


ROOTS = ("Query", "Mutation", "Subscription")
