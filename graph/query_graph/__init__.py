"""Where one can stand in a federation, and the moves from there. Planner and satisfiability check share it."""

from graph.query_graph.moves import EntityMove, FieldMove, QueryGraph
from graph.query_graph.nodes import Node

__all__ = ["EntityMove", "FieldMove", "Node", "QueryGraph"]
