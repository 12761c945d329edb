"""Directives whose arguments differ from subgraph to subgraph: one of them wins, or all are merged."""

from graphql import print_ast

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.hints.elements import elements
from graph.composition.subgraph import Applied

_FIRST_WINS = ("deprecated", "specifiedBy")
_MERGED = ("cost", "listSize", "requiresScopes", "policy")


def hint_applied(gathered: Gathered, findings: Findings) -> None:
    """INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS, MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS."""
    for coordinate, sources in elements(gathered):
        if len(sources) < 2:
            continue
        for name in (*_FIRST_WINS, *_MERGED):
            uses = [(member, applied) for member, element in sources if (applied := element.use(name)) is not None]
            if len({_printed(applied) for _, applied in uses}) < 2:
                continue
            described = "; ".join(f"{_printed(applied)} in {member.name}" for member, applied in uses)
            places = [member.subgraph.place(applied.node) for member, applied in uses]
            if name in _FIRST_WINS:
                message = f'"{coordinate}" has different arguments of @{name}: {described}. The first that says anything is taken.'
                findings.hint("INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, places)
            else:
                message = f'"{coordinate}" has different arguments of @{name}, which are merged: {described}.'
                findings.hint("MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, places)


def _printed(applied: Applied) -> str:
    arguments = [f"{name}: {print_ast(value)}" for name, value in sorted(applied.arguments.items())]
    return f"({', '.join(arguments)})" if arguments else "no arguments"
