"""References to types (`[User!]!`) as values that can be compared, and the order between them.

Subgraphs may disagree on a type as long as one of theirs is right for all: an output takes the most general, an input the most
specific one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode


@dataclass(frozen=True, slots=True)
class Named:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListOf:
    of: "TypeRef"

    def __str__(self) -> str:
        return f"[{self.of}]"


@dataclass(frozen=True, slots=True)
class NonNull:
    of: "Named | ListOf"

    def __str__(self) -> str:
        return f"{self.of}!"


TypeRef = Named | ListOf | NonNull
IsNamedSubtype = Callable[[str, str], bool]


def type_ref(node: TypeNode, rename: Callable[[str], str]) -> TypeRef:
    """Reads a type reference; `rename` gives a named type's name in the supergraph."""
    if isinstance(node, NonNullTypeNode):
        inner = type_ref(node.type, rename)
        assert not isinstance(inner, NonNull)
        return NonNull(inner)
    if isinstance(node, ListTypeNode):
        return ListOf(type_ref(node.type, rename))
    assert isinstance(node, NamedTypeNode)
    return Named(rename(node.name.value))


def named(ref: TypeRef) -> str:
    """The name within all wrappers."""
    while not isinstance(ref, Named):
        ref = ref.of
    return ref.name


def is_list(ref: TypeRef) -> bool:
    return isinstance(ref.of if isinstance(ref, NonNull) else ref, ListOf)


def is_subtype(sub: TypeRef, sup: TypeRef, named_subtype: IsNamedSubtype) -> bool:
    """Whether every value of `sub` is one of `sup`; `named_subtype` answers for interfaces and unions."""
    match sub, sup:
        case (NonNull(inner), NonNull(outer)):
            return is_subtype(inner, outer, named_subtype)
        case (NonNull(inner), _):
            return is_subtype(inner, sup, named_subtype)
        case (ListOf(inner), ListOf(outer)):
            return is_subtype(inner, outer, named_subtype)
        case (Named(inner), Named(outer)):
            return inner == outer or named_subtype(inner, outer)
        case _:
            return False


def most_general(refs: Sequence[TypeRef], named_subtype: IsNamedSubtype) -> TypeRef | None:
    """The one of `refs` that all of them are subtypes of, if there is one."""
    for candidate in refs:
        if all(is_subtype(ref, candidate, named_subtype) for ref in refs):
            return candidate
    return None


def most_specific(refs: Sequence[TypeRef]) -> TypeRef | None:
    """The one of `refs` that is a subtype of all, by nullability alone: inputs know no interfaces."""
    for candidate in refs:
        if all(is_subtype(candidate, ref, _never) for ref in refs):
            return candidate
    return None


def _never(sub: str, sup: str) -> bool:
    return False
