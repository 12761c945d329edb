"""What `@requires` and `@provides` name must come from elsewhere: which selected fields don't."""

from collections.abc import Iterator

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from graph.composition.facts import Facts
from graph.composition.field_sets import with_implementations
from graph.composition.subgraph import Coordinate, Subgraph
from graph.composition.type_ref import named


def not_external(subgraph: Subgraph, facts: Facts, type_name: str, selection: SelectionSetNode) -> Iterator[Coordinate]:
    """Selected leaves that are not external, and have no external field above them.

    An interface's field counts as external where an implementation's is: `@external` cannot stand on interfaces. Federation 1 put
    it on keys as a formality, and asked for no more.
    """
    if not subgraph.is_federation_two:
        return
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else type_name
            yield from not_external(subgraph, facts, condition, node.selection_set)
        if not isinstance(node, FieldNode) or node.name.value == "__typename":
            continue
        coordinate = Coordinate(type_name, node.name.value)
        if any(found in facts.external for found in with_implementations(subgraph, coordinate)):
            continue
        if node.selection_set is None:
            yield coordinate
        else:
            target = named(subgraph.field(coordinate).type)
            yield from not_external(subgraph, facts, target, node.selection_set)
