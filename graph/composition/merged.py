"""The supergraph before it is printed: merged types whose directives are ready to print.

It is the printer's and the last rules' input. How the engine sees a supergraph is `graph.supergraph`'s business, which reads the
printed SDL as it would read anybody's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graph.composition.subgraph import Kind
from graph.composition.type_ref import TypeRef


@dataclass(frozen=True, slots=True)
class Use:
    """A directive on an element of the supergraph; argument values are SDL already."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return f"@{self.name}"
        return f"@{self.name}({', '.join(f'{name}: {value}' for name, value in self.arguments)})"


@dataclass(frozen=True, slots=True)
class MergedElement:
    name: str
    description: str | None
    uses: tuple[Use, ...]

    def has(self, directive: str) -> bool:
        return any(use.name == directive for use in self.uses)

    @property
    def inaccessible(self) -> bool:
        return self.has("inaccessible")


@dataclass(frozen=True, slots=True)
class MergedInput(MergedElement):
    """An argument or an input object's field."""

    type: TypeRef
    default: str | None

    @property
    def required(self) -> bool:
        return str(self.type).endswith("!") and self.default is None


@dataclass(frozen=True, slots=True)
class MergedField(MergedElement):
    type: TypeRef
    arguments: Mapping[str, MergedInput]


@dataclass(frozen=True, slots=True)
class MergedType(MergedElement):
    kind: Kind
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, MergedField] = field(default_factory=dict)
    inputs: Mapping[str, MergedInput] = field(default_factory=dict)
    values: Mapping[str, MergedElement] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    def all_uses(self) -> Iterator[Use]:
        """Directives on the type and on everything in it."""
        yield from self.uses
        for element in (*self.inputs.values(), *self.values.values(), *self.fields.values()):
            yield from element.uses
        for found in self.fields.values():
            for argument in found.arguments.values():
                yield from argument.uses


@dataclass(frozen=True, slots=True)
class Graph:
    """A value of `join__Graph`."""

    value: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Merged:
    """All that the supergraph SDL says. `definitions` are directive definitions, printed; `links` go on the schema."""

    graphs: tuple[Graph, ...]
    types: Mapping[str, MergedType]
    definitions: tuple[str, ...]
    links: tuple[Use, ...]
    schema_uses: tuple[Use, ...] = ()
    description: str | None = None
