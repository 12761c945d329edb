"""What a device or a simulation sends in one call, gathered and checked as far as that goes without the store.

A fault costs its own points only, and is kept with its place in the input.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias
from uuid import UUID

from graph.errors import BadUserInput, CityGraphError
from resolvers.stores.json_bounds import check_json, check_text
from resolvers.telemetry.records import MAX_TIMESTAMP, JSONValue, SeriesPoints, TelemetryQuality, TelemetrySource, TelemetryValue, is_number
from resolvers.telemetry.units import MAX_LENGTH, is_unit

MAX_POINTS = 100_000
"""In one call, good or not."""
MAX_KEY_LENGTH = 255
MAX_VALUE_LENGTH = 16_384
"""Characters of a string, or of an object as JSON."""
MAX_UNITS = 100
"""Different units in one call: each may cost a parser many milliseconds."""
MAX_LISTED = 1_000
"""Rejections that are listed; all of them are counted."""

Place: TypeAlias = tuple[str | int, ...]
"""Where in the input something stands: the steps of an RFC 6901 pointer."""
Attributes: TypeAlias = Sequence[Mapping[str, JSONValue] | None]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one item was not stored."""

    pointer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Lot:
    """Points of one series from one part of the input.

    `place` is that of the part. Where it is a list of points, of which others may be of other series, `indices` says which ones
    these are; a pair of columns has none.
    """

    points: SeriesPoints
    place: Place
    indices: Sequence[int] | None = None


class Refused:
    """The rejections of one call as they are found."""

    def __init__(self) -> None:
        self.points = 0
        self._listed: list[tuple[Place, CityGraphError]] = []

    def add(self, place: Place, error: CityGraphError, points: int = 1) -> None:
        self.points += points
        if len(self._listed) < MAX_LISTED:
            self._listed.append((place, error))

    def add_lot(self, lot: Lot, error: CityGraphError) -> None:
        if lot.indices is None:
            self.add(lot.place, error, len(lot.points.timestamps))
            return
        for index in lot.indices:
            self.add((*lot.place, index), error)

    def copy(self) -> "Refused":
        """A transaction may be tried again, and then finds its own anew."""
        copy = Refused()
        copy.points, copy._listed = self.points, list(self._listed)
        return copy

    def in_order(self) -> list[Rejection]:
        """By their places: steps of one depth are of one type where all before them are equal."""
        listed = sorted(self._listed, key=lambda one: one[0])
        return [Rejection(_pointer(place), error.code, error.detail) for place, error in listed]


def _pointer(place: Place) -> str:
    return "".join(f"/{step}" for step in place)


class Batch:
    """What one call brings. To gather a large one takes long, and blocks: not for the event loop."""

    def __init__(self, scenario: UUID | None = None, *, quality: TelemetryQuality | None = None) -> None:
        """`scenario` makes the points simulated ones; `quality` is that of points which come without."""
        self.refused = Refused()
        self.entities: list[EntityPoints] = []
        self._scenario, self._quality = scenario, quality
        self._keys: set[str] = set()
        self._units: dict[str, bool] = {}

    def of(self, entity: UUID, place: Place) -> "EntityPoints":
        part = EntityPoints(self, entity, place)
        self.entities.append(part)
        return part

    def line(
        self,
        entity: UUID,
        key: str,
        unit: str | None,
        quality: TelemetryQuality | None,
        timestamps: Sequence[int],
        values: Sequence[TelemetryValue],
        attributes: Attributes | None = None,
    ) -> SeriesPoints:
        source = TelemetrySource.REAL if self._scenario is None else TelemetrySource.SIMULATED
        return SeriesPoints(entity, key, unit, source, timestamps, values, self._scenario, quality or self._quality, attributes)

    def check_key(self, key: str) -> None:
        if key not in self._keys:
            check_text("key", key, MAX_KEY_LENGTH, least=1)
            self._keys.add(key)

    def check_unit(self, unit: str) -> None:
        known = self._units.get(unit)
        if known is None:
            if len(self._units) == MAX_UNITS:
                raise BadUserInput(f"{unit[:MAX_LENGTH]!r} is one unit more than the {MAX_UNITS} that one call may have")
            known = self._units[unit] = is_unit(unit)
        if not known:
            raise BadUserInput(f"{unit[:MAX_LENGTH]!r} is not a unit: expected a UCUM code such as 'Cel' or 'kW.h', '1' for a pure number")


class EntityPoints:
    """The points that a call brings for one entity; `place` is where they stand. Indices count within their own list."""

    def __init__(self, batch: Batch, entity: UUID, place: Place) -> None:
        self.entity, self.place = entity, place
        self.lots: list[Lot] = []
        self._batch = batch
        self._current: dict[str, _Run] = {}
        self._runs: list[_Run] = []

    def point(
        self,
        index: int,
        *,
        timestamp: int,
        key: str,
        value: TelemetryValue,
        unit: str | None,
        quality: TelemetryQuality | None,
        attributes: Mapping[str, JSONValue] | None,
    ) -> None:
        """Raises `BadUserInput` where the point cannot be stored, whatever the store holds."""
        self._batch.check_key(key)
        _check_time(timestamp)
        if unit is not None:
            self._batch.check_unit(unit)
        _check_value(value)
        if is_number(value) and unit is None:
            raise BadUserInput(f"{key!r} is a number without a unit (UCUM): a pure number has '1'")
        if attributes is not None:
            check_json("attributes", attributes, MAX_VALUE_LENGTH)
        # The unit of what is no number says nothing, and is not kept.
        kind = (unit if is_number(value) else None, quality)
        run = self._current.get(key)
        if run is None or run.kind != kind:
            run = self._current[key] = _Run(key, kind)
            self._runs.append(run)
        run.add(index, timestamp, value, attributes)

    def end_points(self) -> None:
        """After the last of the list `points`."""
        place = (*self.place, "points")
        for run in self._runs:
            attributes = run.attributes if any(one is not None for one in run.attributes) else None
            line = self._batch.line(self.entity, run.key, *run.kind, run.timestamps, run.values, attributes)
            self.lots.append(Lot(line, place, run.indices))

    def columns(
        self,
        index: int,
        *,
        key: str,
        unit: str,
        quality: TelemetryQuality | None,
        timestamps: Sequence[int | CityGraphError],
        values: Sequence[float],
    ) -> None:
        """Numbers of one key. A time that could not be read is the error that says so. What is refused is listed."""
        place = (*self.place, "series", index)
        try:
            self._batch.check_key(key)
            self._batch.check_unit(unit)
            _check_lengths(key, timestamps, values)
        except BadUserInput as error:
            self._batch.refused.add(place, error, max(len(timestamps), len(values)))
            return
        times, numbers = self._good(place, timestamps, values)
        self.lots.append(Lot(self._batch.line(self.entity, key, unit, quality, times, numbers), place))

    def _good(self, place: Place, timestamps: Sequence[Any], values: Sequence[Any]) -> tuple[Sequence[int], Sequence[float]]:
        """The elements that can be stored; one by one only where a look at whole columns, a hundredth of the work, finds a fault."""
        if not timestamps or (_are_times(timestamps) and set(map(type, values)) == {float} and all(map(isfinite, values))):
            return timestamps, values
        times, numbers = [], []
        for index, (timestamp, value) in enumerate(zip(timestamps, values, strict=True)):
            column = "timestamps"
            try:
                _check_time(timestamp)
                column = "values"
                _check_value(value)
            except CityGraphError as error:
                self._batch.refused.add((*place, column, index), error)
                continue
            times.append(timestamp)
            numbers.append(float(value))
        return times, numbers


class _Run:
    """Points of one key that follow each other in one unit and quality, on their way to become columns.

    Where either changes a new run begins, so that the points of a key stay in their order: the last of a time is the one that is kept.
    """

    __slots__ = ("attributes", "indices", "key", "kind", "timestamps", "values")

    def __init__(self, key: str, kind: tuple[str | None, TelemetryQuality | None]) -> None:
        self.key, self.kind = key, kind
        self.indices: list[int] = []
        self.timestamps: list[int] = []
        self.values: list[TelemetryValue] = []
        self.attributes: list[Mapping[str, JSONValue] | None] = []

    def add(self, index: int, timestamp: int, value: TelemetryValue, attributes: Mapping[str, JSONValue] | None) -> None:
        self.indices.append(index)
        self.timestamps.append(timestamp)
        self.values.append(value)
        self.attributes.append(attributes)


def _check_lengths(key: str, timestamps: Sequence[object], values: Sequence[object]) -> None:
    if len(timestamps) != len(values):
        raise BadUserInput(f"{key!r} has {len(timestamps):,} timestamps and {len(values):,} values: expected one for each")


def _are_times(column: Sequence[Any]) -> bool:
    return set(map(type, column)) == {int} and min(column) >= -MAX_TIMESTAMP and max(column) <= MAX_TIMESTAMP


def _check_time(timestamp: int | CityGraphError) -> None:
    if isinstance(timestamp, CityGraphError):
        raise timestamp
    if abs(timestamp) > MAX_TIMESTAMP:
        raise BadUserInput(f"{timestamp} is not a time: expected milliseconds within ±2^53")


def _check_value(value: TelemetryValue) -> None:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        if not abs(value) <= sys.float_info.max:
            raise BadUserInput(f"{str(value)[:64]} is not a value: expected a finite double")
    elif isinstance(value, str):
        check_text("value", value, MAX_VALUE_LENGTH)
    elif isinstance(value, Mapping):
        check_json("value", value, MAX_VALUE_LENGTH)
    else:
        raise BadUserInput(f"{str(value)[:64]!r} is not a value: expected a number, string, boolean or object")
