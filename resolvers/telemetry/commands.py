"""What can be done to telemetry: storing points.

A call is one transaction: when it returns, every point is committed. Storing the same points again changes nothing, so a
caller that is in doubt sends them once more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from math import inf, isfinite
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.stores.rows import rows_parameter
from resolvers.telemetry import store as sql
from resolvers.telemetry.records import MAX_TIMESTAMP, SeriesPoints, TelemetrySource, TelemetryValue, is_number

_BATCH = 1_000
"""Points bound at a time: about two milliseconds of the event loop."""

_Identity = tuple[UUID, str, str, UUID]


async def store_points(store: Store, *, tenant: str, points: Sequence[SeriesPoints]) -> int:
    """Stores the points; one that is there already, by series and time, takes the new value. Returns how many were given.

    A series is made with its first points, and its unit with its first number. Raises `BadUserInput`, and stores nothing,
    where columns differ in length, a number is not finite or has no unit, a time is out of range, a source and its scenario do
    not go together, or the unit is not the one that the series has.
    """
    async with store.write() as connection:
        return await store_points_in(connection, tenant=tenant, points=points)


async def store_points_in(connection: AsyncConnection, *, tenant: str, points: Sequence[SeriesPoints]) -> int:
    """As `store_points`, within an open write transaction, which an error leaves fit for a rollback only."""
    for given in points:
        _check(given)
    series = await _series(connection, tenant, points)
    rows = _rows(points, series)
    statement = sql.upsert_points(connection.dialect.name)
    stored = 0
    while batch := list(islice(rows, _BATCH)):
        await connection.execute(statement, batch)
        stored += len(batch)
    return stored


def _check(given: SeriesPoints) -> None:
    name = f"{given.key!r} of {given.entity}"
    if not given.key:
        raise BadUserInput(f"A key of {given.entity} is empty")
    if (given.source is TelemetrySource.SIMULATED) != (given.scenario is not None):
        raise BadUserInput(f"{name}: simulated points need a scenario, and measured ones have none")
    columns = [len(given.timestamps), len(given.values)] + ([] if given.attributes is None else [len(given.attributes)])
    if len(set(columns)) != 1:
        raise BadUserInput(f"{name}: columns have {', '.join(map(str, columns))} entries; each needs one for each point")
    for timestamp in given.timestamps:
        if abs(timestamp) > MAX_TIMESTAMP:
            raise BadUserInput(f"{name}: {timestamp} is not a time: expected milliseconds within ±2^53")
    numbers = [_number(value) for value in given.values]
    for value, number in zip(given.values, numbers, strict=True):
        if number is not None and not isfinite(number):
            raise BadUserInput(f"{name}: {str(value)[:64]} is not a value: expected a finite double")
    if given.unit is None and any(number is not None for number in numbers):
        raise BadUserInput(f"{name}: numbers need a unit (UCUM); a pure number has '1'")


def _number(value: TelemetryValue) -> float | None:
    """The value as it is stored, where it is a number; infinity for an integer that no double reaches."""
    if not is_number(value):
        return None
    try:
        return float(value)
    except OverflowError:
        return inf


def _identity(given: SeriesPoints) -> _Identity:
    return (given.entity, given.key, given.source.value, given.scenario or sql.NO_SCENARIO)


async def _series(connection: AsyncConnection, tenant: str, points: Sequence[SeriesPoints]) -> dict[_Identity, int]:
    """The identifier of each series, made where it is new."""
    units: dict[_Identity, str | None] = {}
    for given in points:
        known = units.get(_identity(given))
        if known is not None and given.unit is not None and known != given.unit:
            raise _other_unit(_identity(given), known, given.unit)
        units[_identity(given)] = known or given.unit
    parameters = {"tenant": tenant, "series": rows_parameter((*identity, unit) for identity, unit in units.items())}
    await connection.execute(sql.upsert_series(connection.dialect.name), parameters)
    identifiers: dict[_Identity, int] = {}
    for number, unit, entity, key, source, scenario in await connection.execute(sql.series_statement(), parameters):
        identity = (entity, key, source, scenario)
        wished = units[identity]
        if wished is not None and unit != wished:
            raise _other_unit(identity, unit, wished)
        identifiers[identity] = number
    return identifiers


def _other_unit(identity: _Identity, known: str, given: str) -> BadUserInput:
    entity, key, source, _ = identity
    return BadUserInput(f"{key!r} of {entity} ({source}) is in {known!r}; points in {given!r} must be converted first")


def _rows(points: Iterable[SeriesPoints], series: Mapping[_Identity, int]) -> Iterator[dict[str, Any]]:
    for given in points:
        number = series[_identity(given)]
        quality = None if given.quality is None else sql.QUALITY_CODES[given.quality]
        attributes = given.attributes or repeat(None)
        for timestamp, value, more in zip(given.timestamps, given.values, attributes, strict=False):
            num = _number(value)
            json = value if num is None else None
            yield {"series": number, "ts": timestamp, "num": num, "json": json, "quality": quality, "attributes": more}
