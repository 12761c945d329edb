"""The rules of composition, one a file, in the order in which their errors are reported.

A rule looks at one subgraph (`EACH_SUBGRAPH`), at all of them side by side (`ACROSS_SUBGRAPHS`), or at the merged supergraph
(`MERGED`), and reports to `Findings`. It changes nothing.
"""

from collections.abc import Callable

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merged import Merged
from graph.composition.rules.subgraph_names import check_names
from graph.composition.subgraph import Subgraph

EACH_SUBGRAPH: tuple[Callable[[Subgraph, Findings], None], ...] = ()
ACROSS_SUBGRAPHS: tuple[Callable[[Gathered, Findings], None], ...] = ()
MERGED: tuple[Callable[[Merged, Gathered, Findings], None], ...] = ()

__all__ = ["ACROSS_SUBGRAPHS", "EACH_SUBGRAPH", "MERGED", "check_names"]
