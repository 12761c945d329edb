"""What a fetch's document asks for, as keys: which of them hold objects, and which are leaves.

Merging needs it (an object is merged, a JSON scalar that happens to be an object is not), and so do error paths. It is read from the
document once per plan; types are not needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

JSONObject = dict[str, Any]
TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Shape:
    """A selection set over all its type conditions: `objects` by key, and the keys of its `leaves`."""

    objects: Mapping[str, "Shape"] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()

    @property
    def flat(self) -> bool:
        """Whether an answer can be copied into its target as it is: only leaves, and no type name to guard."""
        return not self.objects and TYPENAME not in self.leaves

    def all_keys(self) -> Iterator[str]:
        yield from self.leaves
        yield from self.objects


def read_shape(document: str) -> Shape:
    """The shape of the document's one operation."""
    parsed = parse(document, no_location=True)
    operation = next(node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
    return _shape([operation.selection_set], _fragments(parsed))


def _fragments(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _shape(selection_sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> Shape:
    nested: dict[str, list[SelectionSetNode]] = {}
    leaves: set[str] = set()
    for selected in _fields(selection_sets, fragments):
        key = (selected.alias or selected.name).value
        if selected.selection_set is None:
            leaves.add(key)
        else:
            nested.setdefault(key, []).append(selected.selection_set)
    objects = {key: _shape(below, fragments) for key, below in nested.items()}
    return Shape(objects, frozenset(leaves))


def _fields(selection_sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """Every field of the selection sets, whatever its type condition."""
    for selection_set in selection_sets:
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    yield selection
                case InlineFragmentNode():
                    yield from _fields([selection.selection_set], fragments)
                case FragmentSpreadNode():
                    yield from _fields([fragments[selection.name.value].selection_set], fragments)
