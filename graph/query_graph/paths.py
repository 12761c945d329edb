"""Paths: the ways in which a place of the response can be reached.

A path is a linked list of moves that begins at a root. It knows the fetches that it needs, as (level, subgraph) pairs: fetches of one
subgraph on one level become one request, so the size of a union of such sets is the number of requests of a plan.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from graph.query_graph.nodes import Node
from graph.query_graph.selections import Field, Selection

Steps = frozenset[tuple[int, str]]
MAX_WAYS = 4
"""Alternative ways to one node that are kept."""


@dataclass(frozen=True, slots=True)
class PathSegment:
    """One step down the response tree; lists on the way are walked through.

    `types`: go on only from objects whose `__typename` is one of these (None: from any).
    """

    key: str
    types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the response: its path from the root, and the types that are left of those that may stand there."""

    segments: tuple[PathSegment, ...]
    type_name: str
    narrowed_to: frozenset[str] | None = None
    """None where nothing has been ruled out."""

    def below(self, key: str, type_name: str) -> "Place":
        """The position of a field of the objects here."""
        *above, last = self.segments or (None,)
        if last is None:
            return Place((PathSegment(key),), type_name)
        here = PathSegment(last.key, self.narrowed_to)
        return Place((*(s for s in above if s is not None), here, PathSegment(key)), type_name)

    def narrow(self, type_name: str, possible_types: frozenset[str]) -> "Place":
        """The same position, for objects of some types only."""
        left = possible_types if self.narrowed_to is None else possible_types & self.narrowed_to
        return Place(self.segments, type_name, left)


@dataclass(frozen=True, slots=True)
class Enter:
    """The path begins at a root type of a subgraph."""


@dataclass(frozen=True, slots=True)
class Select:
    """Down a field; `type` is its type in the subgraph, as printed. What is no leaf may have nothing selected all the same."""

    field: Field
    type: str
    is_leaf: bool


@dataclass(frozen=True, slots=True)
class Cast:
    """`... on type_name`."""

    type_name: str


@dataclass(frozen=True, slots=True)
class ContextInput:
    """An argument of a field that comes from an object further up: what is selected there goes into `variable`."""

    variable: str
    argument: str
    type: str
    segments: tuple[PathSegment, ...]
    selections: tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Hop:
    """Into a subgraph through `_entities`, with inputs that `premises` bring: paths to each leaf of `key`, `requires`, `contexts`."""

    place: Place
    typename: str | None
    key: tuple[Selection, ...]
    requires: tuple[Selection, ...]
    premises: tuple["Path", ...] = field(repr=False)
    contexts: tuple[ContextInput, ...] = ()

    @property
    def is_typed(self) -> bool:
        """Whether the premises bring the objects' types."""
        return self.place.narrowed_to is not None or self.typename is None

    def request(self, subgraph: str) -> str:
        """What the request is counted under: a subgraph's, or one of its own, since contexts differ from entity to entity."""
        return subgraph if not self.contexts else f"{subgraph} with {', '.join(c.variable for c in self.contexts)}"


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """`level` is that of the fetch in which the tail stands, 0 for a root's."""

    tail: Node
    move: Enter | Select | Cast | Hop
    parent: "Path | None"
    level: int
    steps: Steps

    @property
    def last_step(self) -> tuple[int, str]:
        """The fetch in which the tail stands; nothing in this path waits for it."""
        return self.level, self.tail.subgraph

    @property
    def cost(self) -> tuple[int, int, str]:
        """Sequential steps first, then fetches; the subgraph's name makes the choice the same every time."""
        return self.level, len(self.steps), self.tail.subgraph


def enter(node: Node) -> Path:
    return Path(node, Enter(), None, 0, frozenset({(0, node.subgraph)}))


def select(path: Path, field: Field, type_: str, tail: Node | None) -> Path:
    """The path down a field; a leaf's path stays at the object that has the field."""
    return Path(tail or path.tail, Select(field, type_, tail is None), path, path.level, path.steps)


def cast(path: Path, tail: Node) -> Path:
    return path if tail is path.tail else Path(tail, Cast(tail.type_name), path, path.level, path.steps)


def hop(path: Path, tail: Node, move: Hop) -> Path:
    """The path into another subgraph: one level after the last of what it needs."""
    level = 1 + max(p.level for p in move.premises)
    steps = frozenset().union(*(p.steps for p in move.premises)) | {(level, move.request(tail.subgraph))}
    return Path(tail, move, path, level, steps)


def cheapest(paths: Iterable[Path]) -> Path:
    return min(paths, key=lambda p: p.cost)


def undominated(paths: Iterable[Path]) -> list[Path]:
    """The paths of which none needs all the fetches that another needs, cheapest first."""
    kept: list[Path] = []
    for path in sorted(paths, key=lambda p: p.cost):
        if not any(other.steps <= path.steps for other in kept):
            kept.append(path)
    return kept


def best_by_tail(paths: Iterable[Path]) -> list[Path]:
    """For each node the best few paths that end there, cheapest first.

    Several, because which of two equally long ways is better depends on what else the operation needs.
    """
    by_tail: dict[Node, list[Path]] = {}
    for path in paths:
        by_tail.setdefault(path.tail, []).append(path)
    if len(by_tail) == 1 and len(only := next(iter(by_tail.values()))) == 1:
        return only
    best = (path for ways in by_tail.values() for path in undominated(ways)[:MAX_WAYS])
    return sorted(best, key=lambda p: p.cost)
