"""A field that another subgraph answers needs nothing for its answer, and gives nothing beside it."""

from graph.composition.facts import facts_of, fields_of
from graph.composition.findings import Findings
from graph.composition.subgraph import Coordinate, Kind, Subgraph

_OF_ANSWERS = ("requires", "provides")


def check_external_collisions(subgraph: Subgraph, findings: Findings) -> None:
    """EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE. For `@override`, see there: it has the code for both sides."""
    facts = facts_of(subgraph)
    for owner, field in fields_of(subgraph):
        if owner.kind is Kind.INTERFACE or Coordinate(owner.name, field.name) not in facts.external:
            continue
        for name in _OF_ANSWERS:
            for applied in field.uses(name):
                findings.error(
                    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
                    f'[{subgraph.name}] "{owner.name}.{field.name}" is @external, so @{name} on it says nothing: remove one of them.',
                    [subgraph.place(applied.node)],
                )
