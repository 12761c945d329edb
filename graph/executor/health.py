"""How each subgraph has been answering, and the circuit breaker that follows from it (ICD §4.2).

A subgraph that fails again and again is left alone for a while: whoever asks gets its error at once instead of waiting, and the subgraph
has time to recover. The executor asks `admit` before each request and says afterwards how it went.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from graph.errors import Unavailable

OPEN_AFTER = 5
"""Failures in a row."""
PROBE_AFTER_SECONDS = 30.0
CLOSE_AFTER = 3
"""Successes in a row, of which the first is a probe that goes alone."""


class CircuitState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(slots=True)
class SubgraphHealth:
    """Times are seconds since the epoch; None: not yet. A GraphQL error is an answer, and so a success."""

    last_success_at: float | None = None
    last_failure_at: float | None = None
    last_failure: str | None = None
    consecutive_failures: int = 0
    clock: Callable[[], float] = time.monotonic
    _opened_at: float | None = None
    _successes: int = 0
    _probing: bool = False

    @property
    def circuit(self) -> CircuitState:
        if self._opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._wait() > 0 else CircuitState.HALF_OPEN

    def admit(self, subgraph: str) -> None:
        """Raises `Unavailable` where no request may be sent now; who is admitted must say how it went."""
        if self._opened_at is None:
            return
        wait = self._wait()
        if wait > 0 or self._probing:
            raise Unavailable(
                f"subgraph {subgraph!r} has failed {self.consecutive_failures} times in a row and is left alone for now",
                extensions={"circuit": self.circuit.value, "retryAfterSeconds": max(1, round(wait))},
            )
        self._probing = True

    def succeeded(self) -> None:
        self.last_success_at = time.time()
        self.consecutive_failures = 0
        self._probing = False
        if self._opened_at is None:
            return
        self._successes += 1
        if self._successes >= CLOSE_AFTER:
            self._opened_at = None

    def failed(self, reason: str) -> None:
        self.last_failure_at = time.time()
        self.last_failure = reason
        self.consecutive_failures += 1
        probed, self._probing = self._probing, False
        if probed or (self._opened_at is None and self.consecutive_failures >= OPEN_AFTER):
            self._opened_at, self._successes = self.clock(), 0

    def given_up(self) -> None:
        """Whoever asked went away before there was an answer: that says nothing of the subgraph."""
        self._probing = False

    def _wait(self) -> float:
        """Seconds until a probe may go."""
        assert self._opened_at is not None
        return self._opened_at + PROBE_AFTER_SECONDS - self.clock()


@dataclass(slots=True)
class HealthRegistry:
    """The health of every subgraph that has been asked."""

    subgraphs: dict[str, SubgraphHealth] = field(default_factory=dict)

    def of(self, subgraph: str) -> SubgraphHealth:
        health = self.subgraphs.get(subgraph)
        if health is None:
            health = self.subgraphs[subgraph] = SubgraphHealth()
        return health
