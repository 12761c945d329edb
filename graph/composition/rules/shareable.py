"""`@shareable` within one subgraph."""

from graph.composition.facts import fields_of
from graph.composition.findings import Findings
from graph.composition.subgraph import ROOTS, Kind, Subgraph


def check_shareable(subgraph: Subgraph, findings: Findings) -> None:
    """INVALID_SHAREABLE_USAGE."""
    for owner, field in fields_of(subgraph):
        coordinate, places = f"{owner.name}.{field.name}", [subgraph.place(field.node)]
        count = len(list(field.uses("shareable")))
        if owner.kind is Kind.INTERFACE and count and subgraph.is_federation_two:
            findings.error(
                "INVALID_SHAREABLE_USAGE",
                f'[{subgraph.name}] "{coordinate}" is an interface\'s field, on which @shareable says nothing:'
                " put it on the implementations.",
                places,
            )
        on_part = any(applied.part == field.part for applied in owner.uses("shareable"))
        if owner.name == ROOTS[2] and (count or on_part):
            findings.error(
                "INVALID_FIELD_SHARING",
                f'[{subgraph.name}] "{coordinate}" cannot be @shareable: a subscription has one subgraph that answers it.',
                places,
            )
        if count > 1:
            findings.error("INVALID_SHAREABLE_USAGE", f'[{subgraph.name}] "{coordinate}" is @shareable {count} times: keep one.', places)
    for owner in subgraph.types.values():
        parts = [applied.part for applied in owner.uses("shareable")]
        if len(parts) != len(set(parts)):
            findings.error(
                "INVALID_SHAREABLE_USAGE",
                f'[{subgraph.name}] "{owner.name}" is @shareable several times in one definition: keep one.',
                [subgraph.place(owner.node)],
            )
