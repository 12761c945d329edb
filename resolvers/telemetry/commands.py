"""What can be done to telemetry: storing points.

A call is one transaction: when it returns, every point is committed. Storing the same points again changes nothing, so a
caller that is in doubt sends them once more.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import nan
from typing import Any, TypeAlias, TypeVar, TypeVarTuple
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.stores.rows import rows_parameter
from resolvers.telemetry import bulk
from resolvers.telemetry import store as sql
from resolvers.telemetry.partitions import ensure_partitions
from resolvers.telemetry.records import MAX_TIMESTAMP, JSONValue, SeriesPoints, TelemetrySource, TelemetryValue, is_number

_THREAD_FROM = 1_000
"""Points from which on they are looked through in a thread: about a millisecond."""
_ROWS_AT_A_TIME = 1_000
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

_Identity: TypeAlias = tuple[UUID, str, str, UUID]
"""Entity, key, source and scenario."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """The checked points of a call: its series, and columns whose `series` counts these from 0."""

    series: "Sequence[_SeriesRow]"
    columns: bulk.Columns


async def store_points(store: Store, *, tenant: str, points: Sequence[SeriesPoints]) -> int:
    """Stores the points; one that is there already, by series and time, takes the new value. Returns how many were given.

    A series is made with its first points, and its unit with its first number. Raises `BadUserInput`, and stores nothing,
    where columns differ in length, a number is not finite or has no unit, a time is out of range, a source and its scenario do
    not go together, the unit is not the one that the series has, or a text or object is none that both engines can keep.
    """
    batch = await _gathered(points)
    async with store.write() as connection:
        await _store(connection, tenant, batch)
    return len(batch.columns)


async def store_points_in(connection: AsyncConnection, *, tenant: str, points: Sequence[SeriesPoints]) -> int:
    """As `store_points`, within an open write transaction, which an error leaves fit for a rollback only."""
    batch = await _gathered(points)
    await _store(connection, tenant, batch)
    return len(batch.columns)


async def _gathered(points: Sequence[SeriesPoints]) -> _Batch:
    count = sum(len(given.timestamps) for given in points)
    return await asyncio.to_thread(_batch, points) if count > _THREAD_FROM else _batch(points)


async def _store(connection: AsyncConnection, tenant: str, batch: _Batch) -> None:
    if not batch.series:
        return
    await ensure_partitions(connection, batch.columns.ts)
    identifiers = await _identifiers(connection, tenant, batch.series)
    columns = await asyncio.to_thread(bulk.ordered, batch.columns, identifiers)
    await bulk.write(connection, columns)


def _batch(points: Sequence[SeriesPoints]) -> _Batch:
    for given in points:
        _check_form(given)
    units = _units(points)
    places = {identity: place for place, identity in enumerate(units)}
    owners = np.repeat(np.arange(len(points)), [len(given.timestamps) for given in points])
    series = np.fromiter((places[_identity(given)] for given in points), np.int64, len(points))
    codes = (bulk.NO_QUALITY if given.quality is None else sql.QUALITY_CODES[given.quality] for given in points)
    quality = np.fromiter(codes, np.int64, len(points))
    times, (numbers, texts) = _times(points, owners), _values(points, owners)
    rows = [(*identity, unit, place) for place, (identity, unit) in enumerate(units.items())]
    return _Batch(rows, bulk.Columns(series[owners], times, numbers, quality[owners], texts, _attributes(points)))


def _identity(given: SeriesPoints) -> _Identity:
    return (given.entity, given.key, given.source.value, given.scenario or sql.NO_SCENARIO)


def _name(given: SeriesPoints) -> str:
    return f"{given.key!r} of {given.entity}"


def _check_form(given: SeriesPoints) -> None:
    if not given.key:
        raise BadUserInput(f"A key of {given.entity} is empty")
    if not _is_storable(given.key):
        raise BadUserInput(f"{_name(given)}: the key has the character U+0000 or half a surrogate pair")
    if (given.source is TelemetrySource.SIMULATED) != (given.scenario is not None):
        raise BadUserInput(f"{_name(given)}: simulated points need a scenario, and measured ones have none")
    lengths = [len(given.timestamps), len(given.values)] + ([] if given.attributes is None else [len(given.attributes)])
    if len(set(lengths)) != 1:
        raise BadUserInput(f"{_name(given)}: columns have {', '.join(map(str, lengths))} entries; each needs one for each point")


def _is_storable(text: str) -> bool:
    """PostgreSQL keeps neither U+0000 nor what UTF-8 cannot write."""
    try:
        return "\0" not in text.encode().decode()
    except UnicodeEncodeError:
        return False


def _units(points: Iterable[SeriesPoints]) -> dict[_Identity, str | None]:
    units: dict[_Identity, str | None] = {}
    for given in points:
        identity = _identity(given)
        known = units.get(identity)
        if known is not None and given.unit is not None and known != given.unit:
            raise _other_unit(identity, known, given.unit)
        units[identity] = known or given.unit
    return units


def _other_unit(identity: Sequence[Any], known: str | None, given: str) -> BadUserInput:
    entity, key, source, _ = identity
    return BadUserInput(f"{key!r} of {entity} ({source}) is in {known!r}; points in {given!r} must be converted first")


def _times(points: Sequence[SeriesPoints], owners: bulk.Integers) -> bulk.Integers:
    try:
        times = np.fromiter(chain.from_iterable(given.timestamps for given in points), np.int64, len(owners))
    except OverflowError:
        given, time = next((given, time) for given in points for time in given.timestamps if abs(time) > MAX_TIMESTAMP)
        raise _no_time(given, time) from None
    outside = (times > MAX_TIMESTAMP) | (times < -MAX_TIMESTAMP)
    if outside.any():
        first = int(outside.argmax())
        raise _no_time(points[owners[first]], int(times[first]))
    return times


def _no_time(given: SeriesPoints, time: int) -> BadUserInput:
    return BadUserInput(f"{_name(given)}: {_shown(time)} is not a time: expected milliseconds within ±2^53")


def _values(points: Sequence[SeriesPoints], owners: bulk.Integers) -> tuple[bulk.Numbers, bulk.Texts | None]:
    """The numbers, and the JSON texts of what is no number."""
    values = list(chain.from_iterable(given.values for given in points))
    only_numbers = set(map(type, values)) <= {int, float}
    try:
        numbers = np.fromiter(values if only_numbers else map(_number_or_nan, values), np.float64, len(values))
    except OverflowError:
        first = next(place for place, value in enumerate(values) if _is_too_large(value))
        raise _no_value(points[owners[first]], values[first]) from None
    wrong = ~np.isfinite(numbers)
    texts = None
    if not only_numbers:
        texts = [None if is_number(value) else _text(points[owners[place]], value) for place, value in enumerate(values)]
        wrong &= np.fromiter((text is None for text in texts), np.bool_, len(texts))
    if wrong.any():
        first = int(wrong.argmax())
        raise _no_value(points[owners[first]], values[first])
    for given in points:
        if given.unit is None and any(map(is_number, given.values)):
            raise BadUserInput(f"{_name(given)}: numbers need a unit (UCUM); a pure number has '1'")
    return numbers, texts


def _number_or_nan(value: TelemetryValue) -> float:
    return value if is_number(value) else nan


def _is_too_large(value: TelemetryValue) -> bool:
    try:
        return is_number(value) and float(value) is nan
    except OverflowError:
        return True


def _no_value(given: SeriesPoints, value: TelemetryValue) -> BadUserInput:
    return BadUserInput(f"{_name(given)}: {_shown(value)} is not a value: expected a finite double")


def _shown(value: TelemetryValue) -> str:
    try:
        return str(value)[:64]
    except ValueError:  # Python prints no integer of more than 4,300 digits
        return "an integer of thousands of digits"


def _attributes(points: Sequence[SeriesPoints]) -> bulk.Texts | None:
    if all(given.attributes is None for given in points):
        return None
    return list(chain.from_iterable(_attribute_texts(given) for given in points))


def _attribute_texts(given: SeriesPoints) -> bulk.Texts:
    if given.attributes is None:
        return [None] * len(given.timestamps)
    return [None if more is None else _text(given, more) for more in given.attributes]


def _text(given: SeriesPoints, value: JSONValue) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError):
        raise BadUserInput(f"{_name(given)}: a value or its attributes have a number or a text that JSON has not") from None
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise BadUserInput(f"{_name(given)}: a value or its attributes have the character U+0000")
    return text


_SeriesRow: TypeAlias = tuple[UUID, str, str, UUID, str | None, int]
"""Identity, unit and place in the call."""
_Known: TypeAlias = dict[int, tuple[int, str | None]]
"""By place: the identifier and unit of each series that is there."""
_More = TypeVarTuple("_More")
_Done = TypeVar("_Done")


async def _identifiers(connection: AsyncConnection, tenant: str, series: Sequence[_SeriesRow]) -> bulk.Integers:
    """The identifier of each series, in their order; one that is new is made."""
    known = await _known_series(connection, tenant, series)
    if incomplete := await _off_loop(_incomplete, series, known):
        parameters = {"tenant": tenant, "series": await _off_loop(rows_parameter, incomplete)}
        await connection.execute(sql.upsert_series(connection.dialect.name), parameters)
        known |= await _known_series(connection, tenant, incomplete)
    return await _off_loop(_numbers, series, known)


async def _off_loop(work: Callable[[Sequence[_SeriesRow], *_More], _Done], series: Sequence[_SeriesRow], *more: *_More) -> _Done:
    """A thread goes through many series, this task through few."""
    return await asyncio.to_thread(work, series, *more) if len(series) > _THREAD_FROM else work(series, *more)


def _incomplete(series: Sequence[_SeriesRow], known: _Known) -> list[_SeriesRow]:
    """In one order, so that writers who make the same series do not wait for each other."""
    found = [row for row in series if _is_incomplete(known.get(row[5]), row[4])]
    return sorted(found, key=lambda row: (row[0].int, row[1], row[2], row[3].int))


def _numbers(series: Sequence[_SeriesRow], known: _Known) -> bulk.Integers:
    for *identity, unit, place in series:
        if unit is not None and known[place][1] != unit:
            raise _other_unit(identity, known[place][1], unit)
    return np.fromiter((known[place][0] for place in range(len(series))), np.int64, len(series))


def _is_incomplete(known: tuple[int, str | None] | None, unit: str | None) -> bool:
    """Whether the series is not there, or has no unit and now gets one."""
    return known is None or (known[1] is None and unit is not None)


async def _known_series(connection: AsyncConnection, tenant: str, series: Sequence[_SeriesRow]) -> _Known:
    parameters = {"tenant": tenant, "series": await _off_loop(rows_parameter, series)}
    known: _Known = {}
    found = await connection.stream(sql.places_statement(), parameters)
    async for part in found.partitions(_ROWS_AT_A_TIME):
        known.update((place, (number, unit)) for place, number, unit in part)
    return known
