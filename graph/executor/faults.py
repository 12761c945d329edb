"""What goes wrong while an operation runs: the error list of its answer, and the mark that a failed field leaves in the tree.

An error is told once, where it happens. Every place that is null because of it is marked with `FAILED` in the response tree, so
that neither a later fetch nor the projection complains about the consequence a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

from graph.errors import CityGraphError, SubgraphError

PathKey = str | int


@final
class Failed:
    """The type of `FAILED`; its only instance stands where a value is missing and the error is known."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "FAILED"


FAILED: Final = Failed()


@dataclass(slots=True)
class Faults:
    """The errors of one answer: the first `limit` in full, the rest as a number."""

    limit: int
    errors: list[dict[str, Any]] = field(default_factory=list)
    omitted: int = 0

    @property
    def full(self) -> bool:
        return len(self.errors) >= self.limit

    def add(
        self,
        message: str,
        path: list[PathKey] | None,
        *,
        code: str = SubgraphError.code,
        service: str | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        if self.full:
            self.omitted += 1
            return
        details = {**(extensions or {}), "code": code}
        if service is not None:
            details["service"] = service
        error: dict[str, Any] = {"message": message}
        if path:
            error["path"] = path
        error["extensions"] = details
        self.errors.append(error)

    def add_exception(self, error: CityGraphError, path: list[PathKey] | None, service: str) -> None:
        self.add(error.detail, path, code=error.code, service=service, extensions=error.extensions)

    def result(self) -> list[dict[str, Any]]:
        """The list for the answer; where some were left out, its last entry says how many."""
        if not self.omitted:
            return self.errors
        message = f"{self.omitted} more errors are not shown"
        return [*self.errors, {"message": message, "extensions": {"code": SubgraphError.code, "omitted": self.omitted}}]
