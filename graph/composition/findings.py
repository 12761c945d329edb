"""Collecting errors and hints: every rule reports here, and a stage ends where one of its rules has found an error."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import Node

from graph.composition.result import CompositionError, Hint, Location


@dataclass(frozen=True, slots=True)
class Place:
    """A node of one subgraph's SDL; the node may be missing where only the subgraph is known."""

    subgraph: str
    node: Node | None = None

    def location(self) -> Location | None:
        if self.node is None or self.node.loc is None:
            return None
        token = self.node.loc.start_token
        return Location(self.subgraph, token.line, token.column)


@dataclass(slots=True)
class Findings:
    """Errors and hints in the order in which they were found; one that is found twice is kept once."""

    errors: list[CompositionError] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    _seen: set[CompositionError | Hint] = field(default_factory=set)

    def error(self, code: str, message: str, places: Iterable[Place] = ()) -> None:
        error = CompositionError(code, message, *_where(places))
        if error not in self._seen:
            self._seen.add(error)
            self.errors.append(error)

    def hint(self, code: str, message: str, places: Iterable[Place] = ()) -> None:
        hint = Hint(code, message, *_where(places))
        if hint not in self._seen:
            self._seen.add(hint)
            self.hints.append(hint)


def _where(places: Iterable[Place]) -> tuple[tuple[str, ...], tuple[Location, ...]]:
    listed = list(places)
    locations = {location for place in listed if (location := place.location()) is not None}
    return tuple(sorted({place.subgraph for place in listed})), tuple(sorted(locations))
