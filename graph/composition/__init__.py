"""Subgraph SDLs in, supergraph SDL (join v0.5) out, or errors with Apollo's codes.

Satisfiability is not looked at here: it walks the query graph, which is made of the supergraph.
"""

from graph.composition.compose import compose
from graph.composition.result import Composed, CompositionError, Failed, Hint, HintLevel, Location, SubgraphSDL

__all__ = ["Composed", "CompositionError", "Failed", "Hint", "HintLevel", "Location", "SubgraphSDL", "compose"]
