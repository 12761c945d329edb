"""A federation 1 type whose fields are all external and unused would vanish."""

from graph.composition.facts import facts_of
from graph.composition.findings import Findings
from graph.composition.subgraph import Coordinate, Kind, Subgraph


def check_idle_types(subgraph: Subgraph, findings: Findings) -> None:
    """TYPE_WITH_ONLY_UNUSED_EXTERNAL."""
    if subgraph.is_federation_two:
        return
    facts = facts_of(subgraph)
    for owner in subgraph.types.values():
        coordinates = [Coordinate(owner.name, name) for name in owner.fields]
        if owner.kind is Kind.OBJECT and all(c in facts.external and not facts.used(c) for c in coordinates):
            findings.error(
                "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
                f'[{subgraph.name}] "{owner.name}" has only @external fields that nothing needs: remove the type.',
                [subgraph.place(owner.node)],
            )
