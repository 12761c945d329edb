"""Root types that are renamed leave their default names free for nothing else."""

from graphql import DocumentNode, TypeDefinitionNode, TypeExtensionNode

from graph.composition.findings import Findings, Place
from graph.composition.roots import root_names


def check_root_types(document: DocumentNode, subgraph: str, findings: Findings) -> None:
    """ROOT_QUERY_USED, ROOT_MUTATION_USED, ROOT_SUBSCRIPTION_USED.

    Looks at the document, because in the `Subgraph` root types have their final names already.
    """
    renamed = {final: written for written, final in root_names(document).items() if final != written}
    for node in document.definitions:
        if not isinstance(node, TypeDefinitionNode | TypeExtensionNode) or node.name.value not in renamed:
            continue
        root, written = node.name.value, renamed[node.name.value]
        findings.error(
            f"ROOT_{root.upper()}_USED",
            f'[{subgraph}] "{root}" is a type, but the schema\'s {root.lower()} type is "{written}", which the supergraph calls'
            f' "{root}": rename one of them.',
            [Place(subgraph, node)],
        )
