"""What this slice needs of others, which the assembly connects."""

from typing import Protocol

from resolvers.telemetry import ingestion, loaders
from subgraphs.context import Port


class EntityDirectory(loaders.EntityDirectory, ingestion.EntityDirectory, Protocol):
    """Asked beside a transaction, and within one."""


ENTITIES: Port[EntityDirectory] = Port("telemetry.entities")
"""To be connected to the slice of city objects."""
SCENARIOS: Port[ingestion.ScenarioDirectory] = Port("telemetry.scenarios")
"""To be connected to the slice of scenarios."""
