"""Brings an operation into the one form that planner and projection work on."""
