"""Directives other than join's on a merged element: `@tag`, `@inaccessible`, `@deprecated`, authorisation, cost, composed ones.

Each has its own way of merging; what is said twice is printed once.
"""

from collections.abc import Callable, Iterator, Sequence

from graphql import print_ast

from graph.composition.gathered import Gathered, Member
from graph.composition.merge.authorisation import merge_authorisation
from graph.composition.merge.context_arguments import context_name
from graph.composition.merge.cost import merge_cost, merge_list_size
from graph.composition.merged import Use
from graph.composition.strings import quoted
from graph.composition.subgraph import Applied, Element, Field

Sources = Sequence[tuple[Member, Element]]
DEFAULT_DEPRECATION = "No longer supported"


def merge_applied(gathered: Gathered, sources: Sources, inherited: Sequence[Element] = ()) -> Iterator[Use]:
    """In a fixed order, whatever the order in the subgraphs; `inherited` elements add their authorisation."""
    yield from merge_authorisation([*(element for _, element in sources), *inherited])
    for merge in _MERGES:
        yield from merge(sources)
    yield from _composed(gathered, sources)


def merge_schema_applied(gathered: Gathered) -> Iterator[Use]:
    """Directives on the schema itself: tags, and those that are composed."""
    seen: dict[Use, None] = {}
    for member in gathered.members:
        names = gathered.composed_directives[member.name]
        for applied in member.subgraph.schema_directives:
            if applied.name == "tag" or applied.name in names:
                arguments = sorted((name, print_ast(value)) for name, value in applied.arguments.items())
                seen[Use(applied.name, tuple(arguments))] = None
    yield from seen


def _all(sources: Sources, name: str) -> list[Applied]:
    return [applied for _, element in sources for applied in element.uses(name)]


def _inaccessible(sources: Sources) -> Iterator[Use]:
    if _all(sources, "inaccessible"):
        yield Use("inaccessible")


def _tags(sources: Sources) -> Iterator[Use]:
    for name in sorted({applied.string("name") or "" for applied in _all(sources, "tag")}):
        yield Use("tag", (("name", quoted(name)),))


def _deprecated(sources: Sources) -> Iterator[Use]:
    found = _all(sources, "deprecated")
    if not found:
        return
    reasons = [reason for applied in found if (reason := applied.string("reason"))]
    if not reasons or reasons[0] == DEFAULT_DEPRECATION:
        yield Use("deprecated")
    else:
        yield Use("deprecated", (("reason", quoted(reasons[0])),))


def _specified_by(sources: Sources) -> Iterator[Use]:
    urls = [url for applied in _all(sources, "specifiedBy") if (url := applied.string("url"))]
    if urls:
        yield Use("specifiedBy", (("url", quoted(urls[0])),))


def _one_of(sources: Sources) -> Iterator[Use]:
    # Where one subgraph accepts several fields and another insists on one, only one is right for both.
    if _all(sources, "oneOf"):
        yield Use("oneOf")


def _costs(sources: Sources) -> Iterator[Use]:
    yield from merge_cost(_all(sources, "cost"))


def _list_sizes(sources: Sources) -> Iterator[Use]:
    # An argument that not all subgraphs have is not in the supergraph, so it cannot slice there.
    arguments = [element.arguments.keys() for _, element in sources if isinstance(element, Field)]
    common = frozenset.intersection(*map(frozenset, arguments)) if arguments else frozenset[str]()
    yield from merge_list_size(_all(sources, "listSize"), common)


def _contexts(sources: Sources) -> Iterator[Use]:
    names = {context_name(member.name, applied.string("name") or "") for member, element in sources for applied in element.uses("context")}
    for name in sorted(names):
        yield Use("context", (("name", quoted(name)),))


def _cache_tags(sources: Sources) -> Iterator[Use]:
    """Apollo has no merged form of it: each subgraph's use stays its own, as a `join__directive`."""
    for member, element in sources:
        for applied in element.uses("cacheTag"):
            format_text = quoted(applied.string("format") or "")
            yield Use(
                "join__directive",
                (
                    ("graphs", f"[{member.subgraph.graph}]"),
                    ("name", quoted("federation__cacheTag")),
                    ("args", f"{{format: {format_text}}}"),
                ),
            )


def _composed(gathered: Gathered, sources: Sources) -> Iterator[Use]:
    """Custom directives that `@composeDirective` lists; equal uses are one use."""
    printed: dict[Use, None] = {}
    for member, element in sources:
        for applied in element.custom:
            if applied.name in gathered.composed_directives.get(member.name, ()):
                arguments = sorted((name, print_ast(value)) for name, value in applied.arguments.items())
                printed[Use(applied.name, tuple(arguments))] = None
    yield from printed


_MERGES: tuple[Callable[[Sources], Iterator[Use]], ...] = (
    _inaccessible,
    _tags,
    _deprecated,
    _specified_by,
    _one_of,
    _costs,
    _list_sizes,
    _contexts,
    _cache_tags,
)
