"""Composition from end to end: read, check each subgraph, check them together, merge, check the result, print.

A stage runs only when the stages before found no error, because its rules rely on theirs.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from graph.composition.federation_one import upgrade
from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.graphs import graph_values
from graph.composition.hints import HINTS
from graph.composition.merge.supergraph import merge_supergraph
from graph.composition.merged import Merged
from graph.composition.printing import print_supergraph
from graph.composition.reading import read_subgraph
from graph.composition.result import Composed, CompositionError, Failed, SubgraphSDL
from graph.composition.rules import ACROSS_SUBGRAPHS, EACH_SUBGRAPH, KINDS_AND_LINKS, MERGED, check_names
from graph.composition.rules.supergraph_graphql import not_graphql
from graph.composition.satisfiability import unsatisfiable
from graph.composition.subgraph import Subgraph
from graph.supergraph import SupergraphError, read_supergraph


def compose(subgraphs: Sequence[SubgraphSDL]) -> Composed | Failed:
    """Composes subgraphs to a supergraph, or says why not. The order of `subgraphs` makes no difference."""
    with _uncollected():
        return _compose(subgraphs)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Syntax nodes live until the end, by the hundred thousand: looking for garbage among them takes a quarter of the time for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _compose(subgraphs: Sequence[SubgraphSDL]) -> Composed | Failed:
    findings = Findings()
    gathered = _gather(subgraphs, findings)
    merged = _merge(gathered, findings) if gathered else None
    if gathered is None or merged is None or findings.errors:
        return Failed(tuple(findings.errors))
    sdl = print_supergraph(merged)
    try:
        supergraph = read_supergraph(sdl)
    except SupergraphError as error:
        return Failed((CompositionError("INVALID_GRAPHQL", f"The merged schema is not GraphQL: {error}"),))
    errors = [*not_graphql(supergraph)] or unsatisfiable(supergraph, gathered.locations)
    return Failed(tuple(errors)) if errors else Composed(sdl, supergraph, tuple(findings.hints))


def _gather(subgraphs: Sequence[SubgraphSDL], findings: Findings) -> Gathered | None:
    """None where there are errors."""
    check_names(subgraphs, findings)
    read = [] if findings.errors else _read(subgraphs, findings)
    return None if findings.errors else Gathered(upgrade(read))


def _merge(gathered: Gathered, findings: Findings) -> Merged | None:
    """None, or anything, where there are errors."""
    for stage in (KINDS_AND_LINKS, ACROSS_SUBGRAPHS):
        for across in stage:
            across(gathered, findings)
        if findings.errors:
            return None
    merged = merge_supergraph(gathered)
    for rule in MERGED:
        rule(merged, gathered, findings)
    if not findings.errors:
        for hint in HINTS:
            hint(gathered, findings)
    return merged


def _read(subgraphs: Sequence[SubgraphSDL], findings: Findings) -> list[Subgraph]:
    values = graph_values(source.name for source in subgraphs)
    found: list[Subgraph] = []
    for source in sorted(subgraphs, key=lambda source: source.name):
        subgraph = read_subgraph(source, values[source.name], findings)
        if subgraph is None:
            continue
        for rule in EACH_SUBGRAPH:
            rule(subgraph, findings)
        found.append(subgraph)
    return found
