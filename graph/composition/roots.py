"""Root types of a document: every supergraph calls them Query, Mutation and Subscription, whatever a subgraph calls its own."""

from graphql import DocumentNode, SchemaDefinitionNode, SchemaExtensionNode

_FINAL = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


def root_names(document: DocumentNode) -> dict[str, str]:
    """Names as written in the schema definition, to the final ones; empty where there is no such definition."""
    found: dict[str, str] = {}
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            for operation in node.operation_types or ():
                found[operation.type.name.value] = _FINAL[operation.operation.value]
    return found
