"""`@inaccessible` hides what belongs to a subgraph; what belongs to GraphQL, federation or a directive's definition cannot be hidden."""

from collections.abc import Iterator

from graphql import DirectiveDefinitionNode, DocumentNode, Node, TypeDefinitionNode, TypeExtensionNode

from graph.composition.executable import EXECUTABLE_LOCATIONS
from graph.composition.findings import Findings, Place
from graph.composition.links import Names
from graph.composition.specs import BUILT_IN_DIRECTIVES, BUILT_IN_SCALARS

_CHILDREN = ("fields", "values", "arguments")


def check_disallowed_inaccessible(document: DocumentNode, names: Names, subgraph: str, findings: Findings) -> None:
    """DISALLOWED_INACCESSIBLE. Looks at the document, because the `Subgraph` has none of these definitions any more."""
    hiding = {written for written, own in names.directives.items() if own == "inaccessible"}
    for node in document.definitions:
        problem = _problem(node, names)
        if problem is None:
            continue
        for hidden in _hidden(node, hiding):
            findings.error(
                "DISALLOWED_INACCESSIBLE",
                f"[{subgraph}] {problem}, so nothing of it can be @inaccessible: remove the directive.",
                [Place(subgraph, hidden)],
            )


def _problem(node: Node, names: Names) -> str | None:
    """Why nothing of the definition may be hidden, or None where it may."""
    if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
        name = node.name.value
        if name in BUILT_IN_SCALARS or name.startswith("__"):
            return f'"{name}" is GraphQL\'s own type'
        return f'"{name}" is a type of a linked specification' if name in names.types else None
    if isinstance(node, DirectiveDefinitionNode):
        name = node.name.value
        if name in BUILT_IN_DIRECTIVES or name in names.directives:
            return f'"@{name}" is defined by GraphQL or a linked specification'
        for_clients = any(location.value in EXECUTABLE_LOCATIONS for location in node.locations)
        return None if for_clients else f'"@{name}" stands in schemas, where there are no clients to hide it from'
    return None


def _hidden(node: Node, hiding: set[str]) -> Iterator[Node]:
    if any(directive.name.value in hiding for directive in getattr(node, "directives", None) or ()):
        yield node
    for children in _CHILDREN:
        for child in getattr(node, children, None) or ():
            yield from _hidden(child, hiding)
