"""`@requiresScopes` and `@policy`: what every subgraph demands must hold, so their conditions are joined by "and".

Each is a disjunction of conjunctions (`[["a", "b"], ["c"]]`: a and b, or c). The product of two can grow with every further one;
sets that another set implies are dropped, which keeps real ones small.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from graphql import ListValueNode, StringValueNode

from graph.composition.gathered import Gathered
from graph.composition.merged import Use
from graph.composition.strings import quoted
from graph.composition.subgraph import Applied, Element

Alternatives = frozenset[frozenset[str]]


DIRECTIVES = (("requiresScopes", "scopes"), ("policy", "policies"))


def merge_authorisation(elements: Sequence[Element]) -> Iterator[Use]:
    """What all of the elements demand together."""
    if any(element.has("authenticated") for element in elements):
        yield Use("authenticated")
    for directive, argument in DIRECTIVES:
        yield from _merge_requirements(directive, argument, [use for element in elements for use in element.uses(directive)])


def inherited_by_type(gathered: Gathered, interface: str) -> list[Element]:
    """Types whose authorisation an interface has too: a caller who may not see an implementation must not see it through here."""
    return [source.type for name in gathered.implementations_of.get(interface, ()) for source in gathered.types[name]]


def inherited_by_field(gathered: Gathered, interface: str, field_name: str) -> list[Element]:
    return [
        source.field
        for name in gathered.implementations_of.get(interface, ())
        for source in gathered.field_sources(name, field_name)
        if not source.is_external
    ]


def _merge_requirements(directive: str, argument: str, uses: Sequence[Applied]) -> Iterator[Use]:
    if not uses:
        return
    merged = requirement_of(uses[0], argument)
    for applied in uses[1:]:
        merged = conjunction(merged, requirement_of(applied, argument))
    yield Use(directive, ((argument, print_requirement(merged)),))


def requirement_of(applied: Applied, argument: str) -> Alternatives:
    value = applied.arguments.get(argument)
    outer = value.values if isinstance(value, ListValueNode) else ()
    return _minimal(
        frozenset(item.value for item in inner.values if isinstance(item, StringValueNode))
        for inner in outer
        if isinstance(inner, ListValueNode)
    )


def conjunction(left: Alternatives, right: Alternatives) -> Alternatives:
    return _minimal(one | other for one, other in product(left, right))


def implies(stronger: Alternatives, weaker: Alternatives) -> bool:
    """Whether whoever satisfies `stronger` satisfies `weaker` too."""
    return all(any(needed <= given for needed in weaker) for given in stronger)


def print_requirement(alternatives: Alternatives) -> str:
    ordered = sorted(sorted(inner) for inner in alternatives)
    return f"[{', '.join('[' + ', '.join(quoted(name) for name in inner) + ']' for inner in ordered)}]"


def _minimal(sets: Iterator[frozenset[str]]) -> Alternatives:
    found = frozenset(sets)
    return frozenset(one for one in found if not any(other < one for other in found))
