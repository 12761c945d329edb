"""Turns a validated operation into a plan of subgraph requests."""
