"""Merging what the subgraphs say of each element into what the supergraph says.

Merging reports no errors: the rules have looked at everything before, and where they were satisfied there is always an answer.
"""
