"""What an import tells of itself: how far it is, what it changed, and what of the source it could not take."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.errors import BadUserInput

Progress = Callable[[int, int, str], None]
"""Called with how many items of a stage are done, how many there are in all, and the stage's name."""


class UnreadableSource(BadUserInput):
    """The file to import is not there, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something of the source that was not imported, or (in `ImportReport.incomplete`) only in part, and why."""

    source_id: str
    reason: str
    name: str | None = None

    def __str__(self) -> str:
        named = f" ({self.name})" if self.name else ""
        return f"{self.source_id}{named}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts are of city objects. Each thing in `incomplete` was imported as far as the source has it."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    incomplete: tuple[Skipped, ...] = ()

    def __add__(self, other: "ImportReport") -> "ImportReport":
        return ImportReport(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
            self.incomplete + other.incomplete,
        )


def no_progress(done: int, total: int, stage: str) -> None:
    """For callers who do not watch."""
