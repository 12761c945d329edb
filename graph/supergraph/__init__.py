"""The supergraph: which subgraph owns which field, and what of it the public may see."""

from graph.supergraph.model import Supergraph
from graph.supergraph.reading import SupergraphError, read_supergraph

__all__ = ["Supergraph", "SupergraphError", "read_supergraph"]
