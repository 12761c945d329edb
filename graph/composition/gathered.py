"""All subgraphs side by side: for each type and field, who defines it and how. Rules and merging ask here.

Order is the subgraphs' names', so nothing downstream depends on the order in which they were handed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.composition.composed_directives import composed_directives
from graph.composition.facts import Facts, facts_of
from graph.composition.findings import Place
from graph.composition.overrides import Overrides, find_overrides
from graph.composition.result import Location
from graph.composition.subgraph import ROOTS, Coordinate, Directive, Field, InputValue, Kind, Subgraph, Type


@dataclass(frozen=True, slots=True)
class Member:
    """A subgraph of the composition with the facts about its fields."""

    subgraph: Subgraph
    facts: Facts

    @property
    def name(self) -> str:
        return self.subgraph.name


@dataclass(frozen=True, slots=True)
class TypeSource:
    """A type as one subgraph defines it."""

    member: Member
    type: Type

    @property
    def place(self) -> Place:
        return self.member.subgraph.place(self.type.node)


@dataclass(frozen=True, slots=True)
class FieldSource:
    """A field as one subgraph defines it."""

    member: Member
    owner: Type
    field: Field
    coordinate: Coordinate
    is_external: bool

    @property
    def resolves(self) -> bool:
        return self.member.facts.resolves(self.coordinate)

    @property
    def is_shareable(self) -> bool:
        return self.coordinate in self.member.facts.shareable

    @property
    def place(self) -> Place:
        return self.member.subgraph.place(self.field.node)


@dataclass(frozen=True, slots=True)
class InputSource:
    """An argument, or an input object's field, as one subgraph defines it."""

    member: Member
    value: InputValue

    @property
    def place(self) -> Place:
        return self.member.subgraph.place(self.value.node)


@dataclass(frozen=True, slots=True)
class DirectiveSource:
    """A directive as one subgraph defines it."""

    member: Member
    directive: Directive

    @property
    def place(self) -> Place:
        return self.member.subgraph.place(self.directive.node)


class Gathered:
    """The subgraphs of one composition. Nothing in it changes after construction."""

    def __init__(self, subgraphs: Iterable[Subgraph]) -> None:
        ordered = sorted(subgraphs, key=lambda subgraph: subgraph.name)
        self.members: tuple[Member, ...] = tuple(Member(subgraph, facts_of(subgraph)) for subgraph in ordered)
        types: dict[str, list[TypeSource]] = {}
        for member in self.members:
            for found in member.subgraph.types.values():
                types.setdefault(found.name, []).append(TypeSource(member, found))
        self.types: Mapping[str, Sequence[TypeSource]] = dict(sorted(types.items()))
        self._fields: Mapping[str, Mapping[str, Sequence[FieldSource]]] = {name: _fields(found) for name, found in self.types.items()}

    def kind(self, type_name: str) -> Kind:
        """The type's kind in the supergraph; an interface object is an interface there."""
        return self.types[type_name][0].type.kind_in_supergraph

    def of_kind(self, *kinds: Kind) -> list[str]:
        return [name for name in self.types if self.kind(name) in kinds]

    def members_with(self, type_name: str) -> Sequence[Member]:
        """Subgraphs that have the type. All have a query, be it only federation's own `_service`."""
        if type_name == ROOTS[0]:
            return self.members
        return [source.member for source in self.types.get(type_name, ())]

    def field_names(self, type_name: str) -> list[str]:
        """In the order in which the subgraphs, by name, introduce them."""
        return list(self._fields[type_name])

    def field_sources(self, type_name: str, field_name: str) -> Sequence[FieldSource]:
        return self._fields[type_name].get(field_name, ())

    def interface_object_sources(self, type_name: str, field_name: str) -> list[FieldSource]:
        """Sources of the field in subgraphs that know the type only through an interface object of one of its interfaces."""
        return [
            source
            for interface in sorted(self.interfaces_of.get(type_name, ()))
            for source in self.field_sources(interface, field_name)
            if source.owner.is_interface_object
        ]

    def locations(self, type_name: str, field_name: str) -> list[Location]:
        """Where subgraphs define a field, be it for an interface object."""
        sources = (*self.field_sources(type_name, field_name), *self.interface_object_sources(type_name, field_name))
        return [location for source in sources if (location := source.place.location()) is not None]

    def argument_sources(self, sources: Iterable[FieldSource], argument: str) -> list[InputSource]:
        return [InputSource(source.member, source.field.arguments[argument]) for source in sources if argument in source.field.arguments]

    def input_sources(self, type_name: str, input_name: str) -> list[InputSource]:
        return [
            InputSource(source.member, source.type.inputs[input_name])
            for source in self.types[type_name]
            if input_name in source.type.inputs
        ]

    def directive_sources(self, name: str) -> list[DirectiveSource]:
        return [DirectiveSource(m, m.subgraph.directives[name]) for m in self.members if name in m.subgraph.directives]

    @cached_property
    def interfaces_of(self) -> Mapping[str, frozenset[str]]:
        """Interfaces of each object type and interface, over all subgraphs."""
        found: dict[str, set[str]] = {}
        for name, sources in self.types.items():
            for source in sources:
                found.setdefault(name, set()).update(source.type.interfaces)
        return {name: frozenset(interfaces) for name, interfaces in found.items() if interfaces}

    @cached_property
    def implementations_of(self) -> Mapping[str, tuple[str, ...]]:
        """Object types that implement each interface in some subgraph, sorted."""
        found: dict[str, list[str]] = {}
        for name, interfaces in sorted(self.interfaces_of.items()):
            if self.kind(name) is Kind.OBJECT:
                for interface in interfaces:
                    found.setdefault(interface, []).append(name)
        return {interface: tuple(names) for interface, names in found.items()}

    @cached_property
    def members_of(self) -> Mapping[str, frozenset[str]]:
        """Members of each union, over all subgraphs."""
        return {
            name: frozenset(member for source in self.types[name] for member in source.type.members) for name in self.of_kind(Kind.UNION)
        }

    @cached_property
    def composed_directives(self) -> Mapping[str, tuple[str, ...]]:
        return composed_directives(self.members)

    @cached_property
    def overrides(self) -> Overrides:
        return find_overrides(self)

    def is_named_subtype(self, sub: str, sup: str) -> bool:
        return sup in self.interfaces_of.get(sub, ()) or sub in self.members_of.get(sup, ())


def _fields(sources: Iterable[TypeSource]) -> dict[str, list[FieldSource]]:
    found: dict[str, list[FieldSource]] = {}
    for source in sources:
        for field in source.type.fields.values():
            coordinate = Coordinate(source.type.name, field.name)
            is_external = coordinate in source.member.facts.external
            found.setdefault(field.name, []).append(FieldSource(source.member, source.type, field, coordinate, is_external))
    return found
