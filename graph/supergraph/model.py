"""The supergraph as data: types, and for each field the subgraphs that resolve it. Made by `reading.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from graphql import GraphQLSchema

from graph.contracts import OperationKind
from graph.supergraph.demands import Demands
from graph.supergraph.field_sets import FieldSet


class TypeKind(Enum):
    SCALAR = "scalar"
    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class SubgraphInfo:
    """A subgraph by its own name; `url` as the supergraph gives it, None where it gives none."""

    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that is filled from a context (`@fromContext`): `selections` of the nearest object above that sets it."""

    context: str
    argument: str
    type: str
    selections: FieldSet


@dataclass(frozen=True, slots=True)
class FieldSource:
    """How one subgraph knows a field (`@join__field`). `type`: as printed there, where it differs."""

    type: str | None = None
    requires: FieldSet = ()
    provides: FieldSet = ()
    external: bool = False
    overrides: str | None = None
    override_label: str | None = None
    used_overridden: bool = False
    contexts: tuple[ContextArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of an object or interface type. `sources` is empty where only an interface object gives it."""

    name: str
    type: str
    """As printed, e.g. `[Product!]!`."""
    type_name: str
    sources: Mapping[str, FieldSource]


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A `@key` of a type in one subgraph."""

    fields: FieldSet
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class TypeInSubgraph:
    """How one subgraph knows a type (`@join__type`)."""

    keys: tuple[KeyUse, ...] = ()
    is_interface_object: bool = False
    interfaces: frozenset[str] = frozenset()
    possible_types: frozenset[str] = frozenset()
    """Object types that a value can have there: itself for an object type, none for an interface object."""


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A composite type of the supergraph."""

    name: str
    kind: TypeKind
    subgraphs: Mapping[str, TypeInSubgraph]
    fields: Mapping[str, FieldInfo] = field(default_factory=dict)
    possible_types: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    """The contexts that objects of the type set (`@context`)."""

    @property
    def is_abstract(self) -> bool:
        return self.kind in (TypeKind.INTERFACE, TypeKind.UNION)


@dataclass(frozen=True, slots=True, eq=False)
class Supergraph:
    """`types` holds the composite types only; the API schema knows the rest."""

    subgraphs: Mapping[str, SubgraphInfo]
    types: Mapping[str, TypeInfo]
    root_types: Mapping[OperationKind, str]
    full_schema: GraphQLSchema
    """Every type of the supergraph, the inaccessible ones too, without federation's own directives."""
    api_schema: GraphQLSchema
    """What clients see."""
    sha256: str
    """Of the SDL."""
    demands: Demands = field(default_factory=Demands)
    """What callers must have been granted."""
    personal: frozenset[tuple[str, str]] = frozenset()
    """Fields of object types that may hold personal data (`@personalData`)."""
    per_caller: frozenset[tuple[str, str]] = frozenset()
    """Fields of object types that tell callers apart who have equal rights (`@perCaller`)."""
