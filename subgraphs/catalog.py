"""The list of slices: each a name and what builds its schema. Adding a slice means adding a line here."""

from collections.abc import Callable
from dataclasses import dataclass

from strawberry.federation import Schema

import subgraphs.cities.schema
import subgraphs.city_objects.schema
import subgraphs.scenarios.schema
import subgraphs.telemetry.schema


@dataclass(frozen=True, slots=True)
class Slice:
    """`name` is the subgraph's; `build` makes its schema, anew at each call."""

    name: str
    build: Callable[[], Schema]


SLICES: tuple[Slice, ...] = (
    Slice("cities", subgraphs.cities.schema.build),
    Slice("city_objects", subgraphs.city_objects.schema.build),
    Slice("telemetry", subgraphs.telemetry.schema.build),
    Slice("scenarios", subgraphs.scenarios.schema.build),
)
