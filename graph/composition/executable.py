"""Directives that clients may write in operations, as opposed to those that only schemas have.

A client may use what every subgraph understands, where every subgraph understands it; nobody needs to ask for that.
"""

from collections.abc import Iterable, Iterator, Sequence

from graphql import DirectiveLocation

from graph.composition.gathered import DirectiveSource, Gathered
from graph.composition.subgraph import Directive

EXECUTABLE_LOCATIONS = frozenset(
    location.name
    for location in (
        DirectiveLocation.QUERY,
        DirectiveLocation.MUTATION,
        DirectiveLocation.SUBSCRIPTION,
        DirectiveLocation.FIELD,
        DirectiveLocation.FRAGMENT_DEFINITION,
        DirectiveLocation.FRAGMENT_SPREAD,
        DirectiveLocation.INLINE_FRAGMENT,
        DirectiveLocation.VARIABLE_DEFINITION,
    )
)


def executable_locations(directive: Directive) -> frozenset[str]:
    return directive.locations & EXECUTABLE_LOCATIONS


def executable_directives(gathered: Gathered) -> Iterator[tuple[str, Sequence[DirectiveSource]]]:
    """Those that any subgraph has, by name; what `@composeDirective` names is composed by other rules."""
    composed = {name for names in gathered.composed_directives.values() for name in names}
    found = {d.name for member in gathered.members for d in member.subgraph.directives.values() if executable_locations(d)}
    for name in sorted(found - composed):
        yield name, gathered.directive_sources(name)


def is_for_clients(gathered: Gathered, sources: Sequence[DirectiveSource]) -> bool:
    """Whether it is in the supergraph: all subgraphs have it, and a place in common."""
    return len(sources) == len(gathered.members) and bool(common_locations(sources))


def common_locations(sources: Iterable[DirectiveSource]) -> frozenset[str]:
    return frozenset.intersection(*(executable_locations(source.directive) for source in sources))
