"""Descriptions that differ: the supergraph has only one of them."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.hints.elements import elements


def hint_descriptions(gathered: Gathered, findings: Findings) -> None:
    """INCONSISTENT_DESCRIPTION."""
    texts = {member.name: member.subgraph.schema_description for member in gathered.members}
    if len({text for text in texts.values() if text}) > 1:
        findings.hint("INCONSISTENT_DESCRIPTION", _message("The schema", [name for name, text in texts.items() if text]))
    for coordinate, sources in elements(gathered):
        described = [(member, element) for member, element in sources if element.description]
        if len({element.description for _, element in described}) > 1:
            findings.hint(
                "INCONSISTENT_DESCRIPTION",
                _message(f'"{coordinate}"', [member.name for member, _ in described]),
                [member.subgraph.place(element.node) for member, element in described],
            )


def _message(what: str, names: list[str]) -> str:
    return f"{what} is described differently in {', '.join(names)}: the supergraph has the description that most of them have."
