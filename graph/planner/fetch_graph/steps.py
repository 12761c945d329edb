"""The parts of a fetch graph while it grows: steps (requests), their entity calls, and the selections that each asks for."""

from dataclasses import dataclass, field

from graph.planner.normalize.operation import Condition, Field
from graph.planner.plan import ContextVariable, PathSegment, Representation
from graph.query_graph import Node

Conditions = frozenset[Condition]
MAX_ALTERNATIVES = 8
"""A step that is needed under more alternative conditions than this is simply always run."""


@dataclass(slots=True, eq=False)
class OutputField:
    """A selected field; `tree` is None for a leaf."""

    field: Field
    tree: "OutputTree | None"


@dataclass(slots=True, eq=False)
class OutputTree:
    """What is asked of one subgraph at one place. Fields under their key and own conditions, fragments under their type."""

    node: Node
    fields: dict[tuple[str, Conditions], OutputField] = field(default_factory=dict)
    fragments: dict[str, "OutputTree"] = field(default_factory=dict)

    def select(self, selected: Field, tail: Node | None) -> OutputField:
        """The entry for a field, new or known."""
        key = (selected.key, selected.conditions)
        if key not in self.fields:
            self.fields[key] = OutputField(selected, OutputTree(tail) if tail is not None else None)
        return self.fields[key]

    def fragment(self, node: Node) -> "OutputTree":
        """The selections of `... on` a type; of the tree itself where that type is its own."""
        if node.type_name == self.node.type_name:
            return self
        if node.type_name not in self.fragments:
            self.fragments[node.type_name] = OutputTree(node)
        return self.fragments[node.type_name]


@dataclass(slots=True, eq=False)
class Call:
    """One `_entities` field, for the objects at one place."""

    segments: tuple[PathSegment, ...]
    representations: list[Representation]
    tree: OutputTree

    def takes(self, new: Representation) -> bool:
        """Whether the representation is this call's already, or can be added: no object may fit two."""
        if new in self.representations:
            return True
        return all(new.types is not None and known.types is not None and not new.types & known.types for known in self.representations)


@dataclass(slots=True, eq=False)
class Step:
    """One request: at the root (`root`), or of entities: `places` holds its calls by the place whose objects they send."""

    subgraph: str
    level: int
    root: OutputTree | None = None
    places: dict[tuple[PathSegment, ...], list[Call]] = field(default_factory=dict)
    depends_on: set["Step"] = field(default_factory=set)
    alternatives: set[Conditions] | None = field(default_factory=set)
    """Conditions under any of which the step is needed; None: always."""
    contexts: tuple[ContextVariable, ...] = ()
    context_types: tuple[str, ...] = ()

    @property
    def calls(self) -> list[Call]:
        """Every call, place by place."""
        return [call for calls in self.places.values() for call in calls]

    @property
    def deferral_only(self) -> bool:
        """Whether nothing of it is wanted at once."""
        return self.alternatives is not None and all(any(c.is_deferral for c in conditions) for conditions in self.alternatives)

    def call(self, segments: tuple[PathSegment, ...], representation: Representation) -> Call:
        """The call that sends objects of a place in this form."""
        here = self.places.setdefault(segments, [])
        for call in here:
            if call.takes(representation):
                break
        else:
            call = Call(segments, [], OutputTree(Node(self.subgraph, "_Entity")))
            here.append(call)
        if representation not in call.representations:
            call.representations.append(representation)
        return call

    def need(self, conditions: Conditions) -> None:
        """Notes that something that the step brings is wanted under these conditions."""
        if self.alternatives is None:
            return
        self.alternatives.add(conditions)
        if not conditions or len(self.alternatives) > MAX_ALTERNATIVES:
            self.alternatives = None
