"""Definitions of directives in the supergraph: executable ones that all subgraphs know, and those of `@composeDirective`."""

from collections.abc import Iterable, Iterator, Sequence

from graph.composition.composed_directives import composed_directives, links_of_composed
from graph.composition.executable import common_locations, executable_directives, is_for_clients
from graph.composition.gathered import DirectiveSource, Gathered, InputSource
from graph.composition.merge.fields import merge_input
from graph.composition.merged import Use
from graph.composition.strings import quoted


def executable_definitions(gathered: Gathered) -> Iterator[str]:
    """With the arguments that all subgraphs know and none hides."""
    for name, sources in executable_directives(gathered):
        if not is_for_clients(gathered, sources):
            continue
        known = _arguments(sources)
        shared = {n: a for n, a in known.items() if len(a) == len(sources) and not any(s.value.has("inaccessible") for s in a)}
        repeatable = all(source.directive.repeatable for source in sources)
        yield _print(gathered, name, shared, repeatable, common_locations(sources))


def composed_definitions(gathered: Gathered) -> Iterator[str]:
    """Locations and arguments that any subgraph has: uses of all of them are in the supergraph."""
    by_subgraph = composed_directives(gathered.members)
    for name in sorted({name for composed in by_subgraph.values() for name in composed}):
        sources = [source for source in gathered.directive_sources(name) if name in by_subgraph.get(source.member.name, ())]
        if sources:
            locations = frozenset[str]().union(*(source.directive.locations for source in sources))
            repeatable = any(source.directive.repeatable for source in sources)
            yield _print(gathered, name, _arguments(sources), repeatable, locations)


def composed_links(gathered: Gathered) -> Iterator[Use]:
    """The specifications that the composed directives are of."""
    for url, names in sorted(links_of_composed(gathered.members).items()):
        imports = ", ".join(quoted(f"@{name}") for name in sorted(names))
        yield Use("link", (("url", quoted(url)), ("import", f"[{imports}]")))


def _arguments(sources: Iterable[DirectiveSource]) -> dict[str, list[InputSource]]:
    found: dict[str, list[InputSource]] = {}
    for source in sources:
        for value in source.directive.arguments.values():
            found.setdefault(value.name, []).append(InputSource(source.member, value))
    return found


def _print(gathered: Gathered, name: str, arguments: dict[str, list[InputSource]], repeatable: bool, locations: Iterable[str]) -> str:
    printed = [_argument(gathered, argument, sources) for argument, sources in arguments.items()]
    listed = f"({', '.join(printed)})" if printed else ""
    return f"directive @{name}{listed}{' repeatable' if repeatable else ''} on {' | '.join(sorted(locations))}"


def _argument(gathered: Gathered, name: str, sources: Sequence[InputSource]) -> str:
    merged = merge_input(gathered, name, sources)
    default = "" if merged.default is None else f" = {merged.default}"
    return f"{name}: {merged.type}{default}"
