"""`@external` within one subgraph: on objects' fields that something needs."""

from graph.composition.facts import facts_of, fields_of
from graph.composition.findings import Findings
from graph.composition.subgraph import Coordinate, Kind, Subgraph


def check_external(subgraph: Subgraph, findings: Findings) -> None:
    """EXTERNAL_ON_INTERFACE, EXTERNAL_UNUSED. Federation 1 had no such rules: what is idle there is dropped."""
    if not subgraph.is_federation_two:
        return
    facts = facts_of(subgraph)
    for owner, field in fields_of(subgraph):
        coordinate = Coordinate(owner.name, field.name)
        if owner.kind is Kind.INTERFACE:
            if field.has("external"):
                findings.error(
                    "EXTERNAL_ON_INTERFACE",
                    f'[{subgraph.name}] "{coordinate}" is an interface\'s field and cannot be @external:'
                    " mark the implementations' fields.",
                    [subgraph.place(field.node)],
                )
        elif field.has("external") and coordinate in facts.external and not facts.used(coordinate):
            findings.error(
                "EXTERNAL_UNUSED",
                f'[{subgraph.name}] "{coordinate}" is @external, but no @key, @requires, @provides, @fromContext or interface'
                " needs it: remove the field, or the directive if this subgraph answers it.",
                [subgraph.place(field.node)],
            )
