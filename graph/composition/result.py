"""What goes into composition and what comes out of it; nothing here computes.

Error codes are the ones that Apollo publishes, so that a department's existing documentation and tooling keep their meaning.
"""

from dataclasses import dataclass, field

from graph.supergraph import Supergraph


@dataclass(frozen=True, slots=True)
class SubgraphSDL:
    """A subgraph as its team wrote it. `url` may be missing where the subgraph is reached by other means."""

    name: str
    url: str | None
    sdl: str


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a subgraph's SDL; line and column count from 1."""

    subgraph: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.subgraph}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class CompositionError:
    """Why the subgraphs make no supergraph. The message names the elements and says what to do about it."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that composes and is probably not meant."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class Composed:
    """The supergraph as SDL (join v0.5): the same subgraphs give the same bytes, in whatever order they are handed in."""

    supergraph_sdl: str
    supergraph: Supergraph = field(compare=False, repr=False)
    """The same, read."""
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Every error that could be found; errors of a later stage are not looked for while an earlier one fails."""

    errors: tuple[CompositionError, ...]
