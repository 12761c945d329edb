"""What a simulation scenario is, and the ways its status may go. No SQL, no GraphQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

ScenarioKey: TypeAlias = tuple[str, UUID]
"""City and UUID."""

MAX_NAME = 200
MAX_DESCRIPTION = 10_000
MAX_PARAMETERS = 100_000
"""Characters of the parameters' JSON."""
MAX_DEPTH = 32
CHANNEL = "scenarios"


class ScenarioStatus(StrEnum):
    CREATED = "CREATED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


NEXT: Mapping[ScenarioStatus, frozenset[ScenarioStatus]] = {
    ScenarioStatus.CREATED: frozenset({ScenarioStatus.QUEUED}),
    ScenarioStatus.QUEUED: frozenset({ScenarioStatus.RUNNING}),
    ScenarioStatus.RUNNING: frozenset({ScenarioStatus.COMPLETED, ScenarioStatus.FAILED}),
    ScenarioStatus.COMPLETED: frozenset(),
    ScenarioStatus.FAILED: frozenset({ScenarioStatus.QUEUED}),
}
"""Where a status may go: a failed run may be queued again, a completed one is over."""


class ScenarioOrder(StrEnum):
    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    NAME_ASC = "NAME_ASC"


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Epoch milliseconds; the end is exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scenario:
    city: str
    uuid: UUID
    entity: UUID
    name: str
    description: str | None
    created_by: str
    created_at: int
    updated_at: int
    status: ScenarioStatus
    parameters: Mapping[str, Any] | None
    time_range: TimeSpan | None
    version: int

    @property
    def key(self) -> ScenarioKey:
        return self.city, self.uuid


@dataclass(frozen=True, slots=True)
class ScenarioDraft:
    """What a caller says of a new scenario."""

    name: str
    entity: UUID
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    time_range: TimeSpan | None = None


@dataclass(frozen=True, slots=True)
class ScenarioFilter:
    """All conditions hold together; None is no condition."""

    cities: tuple[str, ...] | None = None
    entity: ScenarioKey | None = None
    status: tuple[ScenarioStatus, ...] | None = None
