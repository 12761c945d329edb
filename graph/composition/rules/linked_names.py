"""A directive that is merged has one name in all subgraphs that link it: the supergraph knows only one."""

from graph.composition.findings import Findings, Place
from graph.composition.gathered import Gathered
from graph.composition.specs import KNOWN_SPECS

MERGED_DIRECTIVES = ("tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize")


def check_linked_names(gathered: Gathered, findings: Findings) -> None:
    """LINK_IMPORT_NAME_MISMATCH. Only imports count: a subgraph that doesn't import a directive has no opinion."""
    names: dict[str, dict[str, list[Place]]] = {}
    for member in gathered.members:
        for link in member.subgraph.links:
            for imported in link.imports:
                if link.identity in KNOWN_SPECS and imported.element.removeprefix("@") in MERGED_DIRECTIVES:
                    place = member.subgraph.place(link.node)
                    names.setdefault(imported.element, {}).setdefault(imported.alias, []).append(place)
    for element, aliases in sorted(names.items()):
        if len(aliases) < 2:
            continue
        described = "; ".join(f'"{alias}" in {", ".join(place.subgraph for place in places)}' for alias, places in sorted(aliases.items()))
        findings.error(
            "LINK_IMPORT_NAME_MISMATCH",
            f'"{element}" is imported under different names: {described}. Agree on one.',
            [place for places in aliases.values() for place in places],
        )
