"""The query plan: what the planner hands to the executor. Immutable, so that one plan serves many requests at once.

A plan is a graph of fetches, each with the fetches that it waits for: a slow fetch delays only what needs its answer. (A nesting of
sequences and parallels cannot say that for every graph; `explain.py` prints the nearest nesting for people.)

Fetches merge their answers into one tree of dictionaries. In that tree every field stands under its `key` (see
`normalize/operation.py`), not under the client's response key; the projection turns one into the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.contracts import OperationKind
from graph.planner.normalize.operation import Condition, Operation
from graph.query_graph.paths import PathSegment
from graph.supergraph.demands import NOTHING_DENIED, Denied

__all__ = ["ContextVariable", "EntityCall", "Fetch", "InputField", "PathSegment", "Plan", "Representation"]


@dataclass(frozen=True, slots=True)
class InputField:
    """One field of a representation: `name` for the subgraph, `key` where its value stands in the response tree.

    `types`: only on objects of these run-time types (None: on any). `fields` is empty for a leaf. Where `fields` is not empty
    the nested objects are sent with their `__typename` if it is in the tree. `nullable` is true of inputs for `@requires`, where
    null is a value like any other; a null in a key means that there is no entity.
    """

    name: str
    key: str
    types: frozenset[str] | None = None
    fields: tuple["InputField", ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Representation:
    """How an object of the response becomes a representation for `_entities`.

    It applies to objects whose `__typename` is in `types` (None: to any object, for an interface object whose type is unknown).
    `typename` is what the subgraph is told: the object's own type, or the interface that stands for it there
    (None: the object's own).
    """

    types: frozenset[str] | None
    typename: str | None
    fields: tuple[InputField, ...]


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable that takes its value from an object above the entity: the leaf to which `fields` lead, from the end of `path`.

    `path` is the beginning of the entity's own. Entities whose values differ are sent in different requests.
    """

    variable: str
    path: tuple[PathSegment, ...]
    fields: tuple[InputField, ...]


@dataclass(frozen=True, slots=True)
class EntityCall:
    """One `_entities` field of a fetch: the answers for all objects under `paths`, merged into those objects.

    `alias` is its response key in the subgraph's answer, `variable` the variable that takes the representations.
    An object that fits no representation, lacks one of its input fields, or has null in a key, is not sent.
    """

    alias: str
    variable: str
    paths: tuple[tuple[PathSegment, ...], ...]
    representations: tuple[Representation, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph. Without `calls` it is a root fetch, and its data is merged at the root.

    `variables` names the client's variables that the document uses; `conditions`: the fetch is needed where any of the
    alternatives holds, each being conditions that must all hold (empty: always). `depends_on` are indices into `Plan.fetches`,
    all smaller than the fetch's own.
    """

    subgraph: str
    document: str
    kind: OperationKind
    variables: tuple[str, ...] = ()
    calls: tuple[EntityCall, ...] = ()
    depends_on: tuple[int, ...] = ()
    conditions: tuple[frozenset[Condition], ...] = ()
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Fetches in topological order, and the normalised operation that the projection follows."""

    operation: Operation
    fetches: tuple[Fetch, ...]
    response_keys: Mapping[str, str] = field(default_factory=dict)
    """The client's response key of every key that differs from it; keys that only the planner added map to ""."""
    denied: Denied = NOTHING_DENIED
    """What the callers of this plan may not see; the fetches leave it out, the operation has it still."""
