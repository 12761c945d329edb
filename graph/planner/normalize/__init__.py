"""Brings an operation into the one form that planner and projection work on."""

from graph.planner.normalize.normalizer import Normalizer, find_operation
from graph.planner.normalize.shapes import shape_conflicts
from graph.query_graph.keys import KeyAllocator

__all__ = ["KeyAllocator", "Normalizer", "find_operation", "shape_conflicts"]
