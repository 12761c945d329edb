"""The list of slices: each a name and what builds its schema. Adding a slice means adding a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from strawberry.federation import Schema

import subgraphs.annotations.schema
import subgraphs.cities.schema
import subgraphs.city_objects.schema
import subgraphs.compliance.schema
import subgraphs.models.schema
import subgraphs.operations.schema
import subgraphs.scenarios.schema
import subgraphs.telemetry.schema


@dataclass(frozen=True, slots=True)
class Slice:
    """`name` is the subgraph's; `build` makes its schema, anew at each call.

    `nodes` are the kinds of identifiers whose things it owns, each with the entity type that stands for them, which may be an
    interface. The kind `city` has identifiers that say no kind.
    """

    name: str
    build: Callable[[], Schema]
    nodes: Mapping[str, str] = field(default_factory=dict)


SLICES: tuple[Slice, ...] = (
    Slice("cities", subgraphs.cities.schema.build, {"city": "City"}),
    Slice("city_objects", subgraphs.city_objects.schema.build, {"object": "CityObject"}),
    Slice("telemetry", subgraphs.telemetry.schema.build),
    Slice("scenarios", subgraphs.scenarios.schema.build, {"scenario": "Scenario"}),
    Slice("compliance", subgraphs.compliance.schema.build, {"report": "ComplianceReport", "dataset": "QualityControlDataset"}),
    Slice("models", subgraphs.models.schema.build, {"model": "Model", "version": "ModelVersion"}),
    Slice(
        "annotations",
        subgraphs.annotations.schema.build,
        {"annotation": "Annotation", "note": "CollaborationNote", "mention": "Mention"},
    ),
    Slice("operations", subgraphs.operations.schema.build, {"backup": "Backup", "audit": "AuditLogEntry"}),
)
