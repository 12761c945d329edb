"""Names of subgraphs: given, different, and not the one that federation keeps for itself."""

from collections import Counter
from collections.abc import Sequence

from graph.composition.findings import Findings, Place
from graph.composition.result import SubgraphSDL

_RESERVED = ("_", "__remote")


def check_names(subgraphs: Sequence[SubgraphSDL], findings: Findings) -> None:
    """INVALID_SUBGRAPH_NAME."""
    if not subgraphs:
        findings.error("NO_QUERIES", "There are no subgraphs: a supergraph needs at least one, with a query.")
    for name, count in sorted(Counter(source.name for source in subgraphs).items()):
        if count > 1:
            message = f'The name "{name}" is given to {count} subgraphs: each needs its own.'
        elif not name.strip():
            message = "A subgraph has an empty name."
        elif name in _RESERVED:
            message = f'"{name}" is reserved and cannot be the name of a subgraph: choose another.'
        else:
            continue
        findings.error("INVALID_SUBGRAPH_NAME", message, [Place(name)])
