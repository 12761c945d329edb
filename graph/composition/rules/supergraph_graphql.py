"""Whatever no other rule has a name for: the supergraph as a whole must be GraphQL."""

from collections.abc import Iterator

from graphql import validate_schema

from graph.composition.result import CompositionError
from graph.supergraph import Supergraph


def not_graphql(supergraph: Supergraph) -> Iterator[CompositionError]:
    """INVALID_GRAPHQL. For where nothing else was wrong: its messages know no subgraphs."""
    for error in validate_schema(supergraph.full_schema):
        yield CompositionError("INVALID_GRAPHQL", f"The merged schema is not GraphQL: {error.message}", tuple(supergraph.subgraphs))
