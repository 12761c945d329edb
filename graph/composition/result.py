"""What goes into composition and what comes out of it; nothing here computes.

Error codes are the ones that Apollo publishes, so that a department's existing documentation and tooling keep their meaning.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from graph.contracts import SubgraphSDL
from graph.supergraph import Supergraph

__all__ = ["Composed", "CompositionError", "Failed", "Hint", "Location", "SubgraphSDL"]


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


class HintLevel(StrEnum):
    """How much a hint matters: a warning is rarely meant, debugging is for whoever wonders about the result."""

    WARN = "WARN"
    INFO = "INFO"
    DEBUG = "DEBUG"


# The levels that Apollo's documentation gives them; what is not here is a warning.
_LEVELS = {
    "DIRECTIVE_COMPOSITION_INFO": HintLevel.INFO,
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": HintLevel.INFO,
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": HintLevel.INFO,
    "INCONSISTENT_ENTITY": HintLevel.INFO,
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": HintLevel.INFO,
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": HintLevel.INFO,
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": HintLevel.INFO,
    "OVERRIDE_MIGRATION_IN_PROGRESS": HintLevel.INFO,
    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM": HintLevel.DEBUG,
    "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD": HintLevel.DEBUG,
    "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD": HintLevel.DEBUG,
    "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS": HintLevel.DEBUG,
    "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE": HintLevel.DEBUG,
    "INCONSISTENT_UNION_MEMBER": HintLevel.DEBUG,
    "UNUSED_ENUM_TYPE": HintLevel.DEBUG,
}


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that composes and is probably not meant."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()

    @property
    def level(self) -> HintLevel:
        return _LEVELS.get(self.code, HintLevel.WARN)

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
