"""A supergraph needs something to ask for."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.subgraph import ROOTS


def check_queries(gathered: Gathered, findings: Findings) -> None:
    """NO_QUERIES."""
    if ROOTS[0] not in gathered.types:
        findings.error(
            "NO_QUERIES",
            "No subgraph has a query: add a field to the type Query of one of them.",
            [member.subgraph.place() for member in gathered.members],
        )
