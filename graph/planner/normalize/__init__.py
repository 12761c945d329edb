"""Brings an operation into the one form that planner and projection work on."""

from graph.planner.normalize.keys import KeyAllocator
from graph.planner.normalize.normalizer import Normalizer, find_operation
from graph.planner.normalize.shapes import shape_conflicts

__all__ = ["KeyAllocator", "Normalizer", "find_operation", "shape_conflicts"]
