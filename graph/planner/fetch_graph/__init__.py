"""From chosen paths to requests: who is asked for what, with which inputs, after whom."""

from graph.planner.fetch_graph.build import FetchGraph
from graph.planner.fetch_graph.merge import delay_to_merge
from graph.planner.fetch_graph.printing import to_fetches

__all__ = ["FetchGraph", "delay_to_merge", "to_fetches"]
