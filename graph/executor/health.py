"""How each subgraph has been answering. The executor writes it; health pages and, later, circuit breakers read it."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class SubgraphHealth:
    """Times are seconds since the epoch; None: not yet. A GraphQL error is an answer, and so a success."""

    last_success_at: float | None = None
    last_failure_at: float | None = None
    last_failure: str | None = None
    consecutive_failures: int = 0

    def succeeded(self) -> None:
        self.last_success_at = time.time()
        self.consecutive_failures = 0

    def failed(self, reason: str) -> None:
        self.last_failure_at = time.time()
        self.last_failure = reason
        self.consecutive_failures += 1


@dataclass(slots=True)
class HealthRegistry:
    """The health of every subgraph that has been asked."""

    subgraphs: dict[str, SubgraphHealth] = field(default_factory=dict)

    def of(self, subgraph: str) -> SubgraphHealth:
        health = self.subgraphs.get(subgraph)
        if health is None:
            health = self.subgraphs[subgraph] = SubgraphHealth()
        return health
