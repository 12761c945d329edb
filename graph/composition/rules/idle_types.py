"""A federation 1 type whose fields are all external and unused would vanish, which it must not where something refers to it."""

from graph.composition.facts import facts_of, fields_of
from graph.composition.findings import Findings
from graph.composition.subgraph import Coordinate, Kind, Subgraph
from graph.composition.type_ref import named


def check_idle_types(subgraph: Subgraph, findings: Findings) -> None:
    """TYPE_WITH_ONLY_UNUSED_EXTERNAL."""
    if subgraph.is_federation_two:
        return
    facts = facts_of(subgraph)
    referenced = {named(field.type) for _, field in fields_of(subgraph)} | {m for t in subgraph.types.values() for m in t.members}
    for owner in subgraph.types.values():
        if owner.kind is not Kind.OBJECT or owner.name not in referenced:
            continue
        coordinates = [Coordinate(owner.name, name) for name in owner.fields]
        if all(c in facts.external and not facts.used(c) for c in coordinates):
            findings.error(
                "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
                f'[{subgraph.name}] "{owner.name}" has only @external fields that nothing needs: say which of them this subgraph answers,'
                " or remove the type and what refers to it.",
                [subgraph.place(owner.node)],
            )
