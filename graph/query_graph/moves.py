"""The moves between nodes: select a field, narrow to a type, enter another subgraph as an entity.

Everything is looked up in the supergraph and remembered, so that a plan costs dictionary look-ups. What a move needs (the fields of a
key, of `@requires`) is only told here; finding it is the search's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from graph.query_graph.nodes import Node, provided_field
from graph.supergraph.field_sets import FieldSet
from graph.supergraph.model import ContextArgument, FieldInfo, FieldSource, Supergraph, TypeInfo

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class FieldMove:
    """A field that the node's subgraph resolves: `tail` is None for a leaf.

    `requires` must be sent with the entity, `contexts` as arguments; with either the subgraph must be entered for the field.
    """

    tail: Node | None
    type: str
    requires: FieldSet = ()
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def needs_inputs(self) -> bool:
        return bool(self.requires or self.contexts)


@dataclass(frozen=True, slots=True, eq=False)
class EntityMove:
    """Entering `tail.subgraph` through `_entities`: `key` must be known, `typename` is what it is told
    (None: the object's own type, which then must be known too)."""

    tail: Node
    key: FieldSet
    typename: str | None


class QueryGraph:
    """The query graph of one supergraph, for one set of active override labels."""

    def __init__(self, supergraph: Supergraph, active_labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.types = supergraph.types
        self._labels = active_labels
        self._nodes: dict[tuple[str, str, FieldSet], Node] = {}
        self._fields: dict[Node, dict[str, FieldMove | None]] = {}
        self._entities: dict[tuple[str, bool], tuple[EntityMove, ...]] = {}
        self.requiring = frozenset(
            field.name
            for info in supergraph.types.values()
            for field in info.fields.values()
            if any(source.requires or source.contexts for source in field.sources.values())
        )
        """Names of fields that need inputs in some type and subgraph."""

    def node(self, subgraph: str, type_name: str, provided: FieldSet = ()) -> Node:
        """The node for a type in a subgraph; always the same one."""
        key = (subgraph, type_name, provided)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node(subgraph, type_name, provided)
            self._fields[node] = {}
        return node

    def field(self, node: Node, name: str) -> FieldMove | None:
        """The move along a field, None where this node's subgraph cannot resolve it for every object that may stand there."""
        moves = self._fields[node]
        if name not in moves:
            moves[name] = self._find_field(node, name)
        return moves[name]

    def entity_moves(self, node: Node) -> tuple[EntityMove, ...]:
        """All ways from a node's type into subgraphs, its own included (there `@requires` inputs can be handed in)."""
        key = (node.type_name, self.is_interface_object(node))
        if key not in self._entities:
            self._entities[key] = tuple(self._find_entity_moves(*key))
        return self._entities[key]

    def is_interface_object(self, node: Node) -> bool:
        """Whether the subgraph knows the interface's objects only as objects, without their types."""
        return self.types[node.type_name].subgraphs[node.subgraph].is_interface_object

    def possible_types(self, node: Node) -> frozenset[str]:
        """The object types that may stand at the node; for an interface object all that the supergraph knows."""
        info = self.types[node.type_name]
        local = info.subgraphs[node.subgraph]
        return info.possible_types if local.is_interface_object else local.possible_types

    def narrow(self, node: Node, type_name: str) -> Node | None:
        """The node after `... on type_name`; None where no object of that type can stand here.

        An interface object stays what it is: its subgraph cannot tell the types apart.
        """
        if node.type_name == type_name or self.is_interface_object(node):
            return node
        info = self.types[type_name]
        if node.subgraph not in info.subgraphs or info.subgraphs[node.subgraph].is_interface_object:
            return None
        if not self.possible_types(node) & info.subgraphs[node.subgraph].possible_types:
            return None
        if not self.types[node.type_name].is_abstract:  # an object's own type says more than an interface of it
            return node
        return self.node(node.subgraph, type_name, node.provided)

    def agrees_on(self, node: Node, type_name: str) -> bool:
        """Whether the subgraph, asked for `... on type_name`, would pick the objects that the supergraph means."""
        if self.is_interface_object(node):
            return True
        info = self.types[type_name]
        local = info.subgraphs.get(node.subgraph)
        possible = self.possible_types(node)
        meant = possible & info.possible_types
        return not meant or (local is not None and possible & local.possible_types == meant)

    def roots(self, type_name: str) -> tuple[Node, ...]:
        """The root type's nodes, one a subgraph."""
        return tuple(self.node(subgraph, type_name) for subgraph in self.types[type_name].subgraphs)

    def _find_field(self, node: Node, name: str) -> FieldMove | None:
        info = self.types[node.type_name]
        field = info.fields.get(name)
        if field is None:
            return None
        move = self._own_field(node, field)
        if move is None or not self._holds_for_implementations(node, info, name):
            return None
        return move

    def _holds_for_implementations(self, node: Node, info: TypeInfo, name: str) -> bool:
        """An interface's field can be asked for as such only if each implementation resolves it in the same subgraph."""
        if not info.is_abstract or self.is_interface_object(node):
            return True
        for type_name in sorted(self.possible_types(node)):
            move = self.field(self.node(node.subgraph, type_name, node.provided), name)
            if move is None or move.needs_inputs:
                return False
        return True

    def _own_field(self, node: Node, field: FieldInfo) -> FieldMove | None:
        source = field.sources.get(node.subgraph)
        if source is None:
            return None
        provided = provided_field(node.provided, field.name, self.types[node.type_name].interfaces | {node.type_name})
        if provided is None and not self._resolves(node.subgraph, field, source):
            return None
        type_name = _bottom(source.type) if source.type else field.type_name
        printed = source.type or field.type
        requires = () if provided is not None else source.requires
        if type_name not in self.types:
            return FieldMove(None, printed, requires, source.contexts)
        tail = self.node(node.subgraph, type_name, (provided or ()) + source.provides)
        return FieldMove(tail, printed, requires, source.contexts)

    def _resolves(self, subgraph: str, field: FieldInfo, source: FieldSource) -> bool:
        if source.external or (source.used_overridden and source.override_label is None):
            return False
        if source.override_label is not None and source.overrides is not None:
            return source.override_label in self._labels
        return not any(other.overrides == subgraph and other.override_label in self._labels for other in field.sources.values())

    def _find_entity_moves(self, type_name: str, blind: bool) -> Iterator[EntityMove]:
        info = self.types[type_name]
        for target, local in info.subgraphs.items():
            told: str | None = type_name
            if info.is_abstract and not blind and not local.is_interface_object:
                told = None
            yield from (EntityMove(self.node(target, type_name), k.fields, told) for k in local.keys if k.resolvable)
        for interface in sorted(info.interfaces):
            if interface not in self.types:
                continue
            for target, local in self.types[interface].subgraphs.items():
                if local.is_interface_object:
                    yield from (EntityMove(self.node(target, interface), k.fields, interface) for k in local.keys if k.resolvable)


def _bottom(printed: str) -> str:
    return printed.replace("[", "").replace("]", "").replace("!", "")
