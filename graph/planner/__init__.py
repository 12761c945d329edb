"""Turns a validated operation into a plan of subgraph requests."""

from graph.planner.planner import Planner

__all__ = ["Planner"]
