"""The supergraph: which subgraph owns which field, and what of it the public may see."""

from graph.supergraph.contract import ContractError, filtered
from graph.supergraph.model import Supergraph
from graph.supergraph.reading import SupergraphError, read_supergraph

__all__ = ["ContractError", "Supergraph", "SupergraphError", "filtered", "read_supergraph"]
