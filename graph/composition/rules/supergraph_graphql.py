"""Whatever no other rule has a name for: the supergraph as a whole must be GraphQL."""

from graphql import build_schema, validate_schema
from graphql.error import GraphQLError

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merged import Merged
from graph.composition.printing import print_supergraph


def check_supergraph_graphql(merged: Merged, gathered: Gathered, findings: Findings) -> None:
    """INVALID_GRAPHQL. Runs last, and only where nothing else was wrong: its messages know no subgraphs."""
    if findings.errors:
        return
    try:
        errors = validate_schema(build_schema(print_supergraph(merged)))
    except (GraphQLError, TypeError) as raised:
        findings.error("INVALID_GRAPHQL", f"The merged schema is not GraphQL: {raised}")
        return
    places = [member.subgraph.place() for member in gathered.members]
    for error in errors:
        findings.error("INVALID_GRAPHQL", f"The merged schema is not GraphQL: {error.message}", places)
