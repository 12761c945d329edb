"""Finds fields that cannot be asked for side by side under one response key, because their types differ in shape.

GraphQL forbids `... on A { size } ... on B { size }` where `size` is `Int!` on the one and `Int` on the other. In the public API
composition may have made them equal while a subgraph keeps them apart; the planner then asks under different keys.
"""

from collections import defaultdict

from graph.supergraph import Supergraph


def shape_conflicts(supergraph: Supergraph) -> frozenset[tuple[str, str]]:
    """(object type, field) pairs that clash in some subgraph with a type that may stand at the same place."""
    composites = supergraph.types
    groups = {info.possible_types for info in composites.values() if info.is_abstract and len(info.possible_types) > 1}
    conflicts: set[tuple[str, str]] = set()
    for group in groups:
        shapes: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for type_name in group:
            for field in composites[type_name].fields.values():
                for subgraph, source in field.sources.items():
                    printed = source.type or field.type
                    shape = printed if field.type_name not in composites else _wrappers(printed)
                    shapes[subgraph, field.name][shape].add(type_name)
        for (_, field_name), by_shape in shapes.items():
            if len(by_shape) > 1:
                conflicts.update((type_name, field_name) for types in by_shape.values() for type_name in types)
    return frozenset(conflicts)


def _wrappers(printed: str) -> str:
    return "".join(c for c in printed if c in "[]!")
