"""A type is of one kind in all subgraphs, and somebody defines it."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.subgraph import ROOTS


def check_kinds(gathered: Gathered, findings: Findings) -> None:
    """TYPE_KIND_MISMATCH."""
    for name, sources in gathered.types.items():
        kinds: dict[str, list[str]] = {}
        for source in sources:
            kinds.setdefault(source.type.kind_in_supergraph.value, []).append(source.member.name)
        if len(kinds) > 1:
            described = "; ".join(f"{kind} in {', '.join(names)}" for kind, names in kinds.items())
            findings.error(
                "TYPE_KIND_MISMATCH",
                f'"{name}" is of different kinds: {described}. Make them one kind, or rename.',
                [source.place for source in sources],
            )


def check_bases(gathered: Gathered, findings: Findings) -> None:
    """EXTENSION_WITH_NO_BASE."""
    for name, sources in gathered.types.items():
        if name in ROOTS or not all(source.type.only_extended for source in sources):
            continue
        findings.error(
            "EXTENSION_WITH_NO_BASE",
            f'"{name}" is only extended, in {", ".join(source.member.name for source in sources)}: one subgraph must define it.',
            [source.place for source in sources],
        )
