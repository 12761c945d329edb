"""Points as clients send them, and their reading into a batch.

The two inputs are taken as they come (`subgraphs.whole_inputs`), dictionaries of 100,000 points, without objects made of their parts.
What GraphQL guarantees of their shape (members, lists, no nulls) is relied on; the scalars are read here, so that a wrong time
is a rejection of its point alone. All of it may take long: it belongs in a thread.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar
from uuid import UUID

import orjson
import strawberry
from strawberry.types.arguments import InputContext
from strawberry.types.base import get_object_definition

from graph.contracts import GlobalId
from graph.errors import BadUserInput, NotFound
from resolvers.telemetry import records
from resolvers.telemetry.batches import MAX_POINTS, Batch, EntityPoints, Place
from subgraphs.arguments import given
from subgraphs.scalars import JSONObject, TelemetryValue, Timestamp, read_timestamp

Input = TypeVar("Input", bound=type)

WHOLE_INPUTS = (
    "IngestTelemetryInput",
    "SubmitSimulatedTelemetryInput",
    "EntityTelemetryInput",
    "TelemetrySeriesInput",
    "TelemetryPointInput",
)
_POINTS_AT_A_TIME = 1_000
"""So many are printed for a digest in one go, which no other thread can interrupt."""


@strawberry.input
class TelemetryPointInput:
    timestamp: Timestamp
    key: str
    value: TelemetryValue
    unit: str | None = strawberry.field(default=strawberry.UNSET, description="UCUM. Needed for numbers; `1` for a pure number.")
    quality: records.TelemetryQuality | None = strawberry.UNSET
    attributes: JSONObject | None = strawberry.UNSET


@strawberry.input(description="Numbers of one key as columns: the cheap form for many points.")
class TelemetrySeriesInput:
    key: str
    unit: str
    quality: records.TelemetryQuality | None = strawberry.UNSET
    timestamps: list[Timestamp]
    values: list[float] = strawberry.field(description="One for each timestamp.")


@strawberry.input(description="`points`, `series` or both.")
class EntityTelemetryInput:
    entity_id: strawberry.ID
    points: list[TelemetryPointInput] | None = strawberry.UNSET
    series: list[TelemetrySeriesInput] | None = strawberry.UNSET


def _as_it_comes(cls: Input) -> Input:
    """Has Strawberry hand the whole of an input over instead of converting each of its parts."""

    def take(_type: type, sent: Mapping[str, Any], _context: InputContext) -> Mapping[str, Any]:
        return sent

    get_object_definition(cls, strict=True).from_input = take
    return cls


@_as_it_comes
@strawberry.input
class IngestTelemetryInput:
    entities: list[EntityTelemetryInput]
    idempotency_key: str | None = strawberry.UNSET


@_as_it_comes
@strawberry.input
class SubmitSimulatedTelemetryInput:
    entity_id: strawberry.ID
    scenario_id: strawberry.ID
    points: list[TelemetryPointInput] | None = strawberry.UNSET
    series: list[TelemetrySeriesInput] | None = strawberry.UNSET
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key with the same input repeats the first answer and stores nothing twice;"
        " with another input it is IDEMPOTENCY_KEY_REUSED (409).",
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """`told` stands for the input where an idempotency key remembers it; None without a key."""

    batch: Batch
    told: str | None


def gather_measured(sent: Any, home_city: str) -> Gathered:
    """Raises `BadUserInput` where there are more points than one call may bring."""
    entities = sent["entities"]
    _check_size(entities)
    batch = Batch()
    for index, entity in enumerate(entities):
        place = ("entities", index)
        try:
            uuid = _home_entity(entity["entityId"], home_city)
        except (BadUserInput, NotFound) as error:
            batch.refused.add(place, error, _size(entity))
        else:
            _gather(batch, uuid, place, entity)
    return Gathered(batch, _told(sent, entities))


def gather_simulated(sent: Any, entity: UUID, scenario: UUID) -> Gathered:
    """Raises `BadUserInput` where there are more points than one call may bring."""
    _check_size([sent])
    batch = Batch(scenario, quality=records.TelemetryQuality.SIMULATED)
    _gather(batch, entity, (), sent)
    return Gathered(batch, _told(sent, [sent]))


@lru_cache(maxsize=65_536)
def _home_entity(entity_id: str, home_city: str) -> UUID:
    """Remembered, as the same sensors report again and again."""
    entity = GlobalId.parse(entity_id, kind="object", home_city=home_city)
    if entity.city != home_city:
        raise NotFound(f"There is no city object {str(entity)!r} here")
    return entity.uuid


def _check_size(entities: Sequence[Mapping[str, Any]]) -> None:
    """Entities and series count too where they bring no point: else they would have no bound."""
    points = sum(map(_size, entities))
    parts = len(entities) + sum(len(entity.get("series") or ()) for entity in entities)
    if max(points, parts) > MAX_POINTS:
        raise BadUserInput(
            f"The input brings {points:,} points in {parts:,} entities and series: at most {MAX_POINTS:,} of each in one call"
        )


def _size(entity: Mapping[str, Any]) -> int:
    columns = sum(max(len(line["timestamps"]), len(line["values"])) for line in entity.get("series") or ())
    return len(entity.get("points") or ()) + columns


def _gather(batch: Batch, entity: UUID, place: Place, sent: Mapping[str, Any]) -> None:
    part = batch.of(entity, place)
    for index, point in enumerate(sent.get("points") or ()):
        try:
            _gather_point(part, index, point)
        except BadUserInput as error:
            batch.refused.add((*place, "points", index), error)
    part.end_points()
    for index, line in enumerate(sent.get("series") or ()):
        part.columns(
            index,
            key=line["key"],
            unit=line["unit"],
            quality=_quality(line),
            timestamps=_times(line["timestamps"]),
            values=line["values"],
        )


def _gather_point(part: EntityPoints, index: int, point: Mapping[str, Any]) -> None:
    part.point(
        index,
        timestamp=read_timestamp(point["timestamp"]),
        key=point["key"],
        value=point["value"],
        unit=given(point.get("unit")),
        quality=_quality(point),
        attributes=given(point.get("attributes")),
    )


def _quality(sent: Mapping[str, Any]) -> records.TelemetryQuality | None:
    quality = given(sent.get("quality"))
    return None if quality is None else records.TelemetryQuality(quality)


def _times(column: Sequence[Any]) -> Sequence[int | BadUserInput]:
    """A column of integers, the usual case, is taken as it is."""
    if set(map(type, column)) <= {int}:
        return column
    return [_time(value) for value in column]


def _time(value: object) -> int | BadUserInput:
    try:
        return read_timestamp(value)
    except BadUserInput as error:
        return error


def _told(sent: Mapping[str, Any], entities: Sequence[Mapping[str, Any]]) -> str | None:
    if given(sent.get("idempotencyKey")) is None:
        return None
    digest = blake2b(digest_size=32)
    for part in _parts(entities):
        digest.update(_printed(part))
        digest.update(b"\n")
    return digest.hexdigest()


def _printed(part: object) -> bytes:
    try:
        return orjson.dumps(part, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, more than 254 levels
        return _printed_slowly(part)


def _printed_slowly(part: object) -> bytes:
    try:
        return json.dumps(part, sort_keys=True, separators=(",", ":")).encode()
    except RecursionError:
        raise BadUserInput("The input is nested too deeply") from None


def _parts(entities: Sequence[Mapping[str, Any]]) -> Iterator[object]:
    for entity in entities:
        yield [entity["entityId"], entity.get("scenarioId")]
        for name in ("points", "series"):
            items = entity.get(name) or ()
            yield [name, len(items)]
            for start in range(0, len(items), _POINTS_AT_A_TIME):
                yield items[start : start + _POINTS_AT_A_TIME]
