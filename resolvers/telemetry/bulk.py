"""Points in columns, and the quick ways of both drivers to take many of them.

SQLAlchemy's own way costs a dictionary a point. Here SQLite gets some hundred rows a statement, and PostgreSQL a binary COPY that
is made without a look at single points where all values are numbers.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeAlias

import asyncpg  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["NO_QUALITY", "Columns", "Integers", "Numbers", "Texts", "ordered", "write"]

Integers: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.intp]
Texts: TypeAlias = list[str | None]

NO_QUALITY = -1
_ROWS_A_STATEMENT = 500
"""SQLite's driver lets go of the interpreter once a statement: row by row, a busy event loop would hold it up at each."""
_COPY_PART = 1 << 18
_THREAD_FROM = 2_000
_NEWER_FROM = 500
"""Points from which on it pays to ask which of them are newer than all there are."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Points as columns of one length. `num` is NaN where the value is no number and `json` has its text; `json` and
    `attributes` are None where no point has any."""

    series: Integers
    ts: Integers
    num: Numbers
    quality: Integers
    json: Texts | None
    attributes: Texts | None

    def __len__(self) -> int:
        return len(self.series)

    def at(self, places: Places) -> "Columns":
        """The points at these places, in their order."""
        json, attributes = (
            None if texts is None else [texts[place] for place in places.tolist()] for texts in (self.json, self.attributes)
        )
        return Columns(self.series[places], self.ts[places], self.num[places], self.quality[places], json, attributes)


def ordered(columns: Columns, identifiers: Integers) -> Columns:
    """The points by series and time, the series named by the identifiers at their numbers; of two at one time the later given.

    All writers lock what they meet in this one order, so that no two wait for each other.
    """
    named = replace(columns, series=identifiers[columns.series])
    order = np.lexsort((named.ts, named.series))  # stable
    series, ts = named.series[order], named.ts[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (series[1:] != series[:-1]) | (ts[1:] != ts[:-1])
    return named.at(order[last])


async def write(connection: AsyncConnection, columns: Columns) -> None:
    """Stores ordered points in the open write transaction; those that are there already take the new values."""
    if not len(columns):
        return
    driver = (await connection.get_raw_connection()).driver_connection
    await (_copy(driver, columns) if connection.dialect.name == "postgresql" else _insert(driver, columns))


async def _insert(driver: Any, columns: Columns) -> None:
    width = 4 if columns.json is None and columns.attributes is None else 6
    whole, rest = divmod(len(columns), _ROWS_A_STATEMENT)
    cells = _cells(columns, width)
    # The driver takes from the iterator in its own thread.
    if whole:
        lots = (tuple(islice(cells, _ROWS_A_STATEMENT * width)) for _ in range(whole))
        await driver.executemany(_insert_statement(width, _ROWS_A_STATEMENT), lots)
    if rest:
        await driver.executemany(_insert_statement(width, rest), (tuple(islice(cells, rest * width)) for _ in range(1)))


def _cells(columns: Columns, width: int) -> Iterator[Any]:
    """The first `width` cells of each row, one after the other. A generator, so that nothing is done before the first is taken."""
    nothing: Texts = [None] * len(columns)
    quality = [None if code == NO_QUALITY else code for code in columns.quality.tolist()]
    every = (
        columns.series.tolist(),
        columns.ts.tolist(),
        _or_none(columns),
        quality,
        columns.json or nothing,
        columns.attributes or nothing,
    )
    yield from chain.from_iterable(zip(*every[:width], strict=True))


def _or_none(columns: Columns) -> list[float | None]:
    numbers: list[float | None] = columns.num.tolist()
    if columns.json is None:
        return numbers
    return [number if text is None else None for number, text in zip(numbers, columns.json, strict=True)]


@lru_cache(maxsize=64)
def _insert_statement(width: int, rows: int) -> str:
    names = ("series", "ts", "num", "quality", "json", "attributes")[:width]
    values = ",".join([f"({','.join('?' * width)})"] * rows)
    return f"""
        INSERT INTO telemetry_point ({",".join(names)}) VALUES {values}
        ON CONFLICT (series, ts) DO UPDATE SET num = excluded.num, quality = excluded.quality, json = excluded.json,
            attributes = excluded.attributes
    """


# COPY cannot say what to do about points that are there: they go by a table that the transaction's end empties.
_MAKE_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS telemetry_incoming
    (series bigint, ts bigint, num double precision, quality smallint, json jsonb, attributes jsonb) ON COMMIT DELETE ROWS;
    TRUNCATE telemetry_incoming
"""
_LOCK_LATEST = "SELECT series, ts FROM telemetry_latest WHERE series = ANY($1::bigint[]) ORDER BY series FOR UPDATE"
_RENEW_LATEST = """
    WITH renewed AS (
        INSERT INTO telemetry_latest AS known (series, ts, num, quality, json, attributes, first_ts)
        SELECT DISTINCT ON (series) series, ts, num, quality, json, attributes, min(ts) OVER (PARTITION BY series)
        FROM telemetry_incoming ORDER BY series, ts DESC
        ON CONFLICT (series) DO UPDATE
        SET ts = greatest(known.ts, excluded.ts), first_ts = least(known.first_ts, excluded.first_ts),
            num = CASE WHEN excluded.ts >= known.ts THEN excluded.num ELSE known.num END,
            quality = CASE WHEN excluded.ts >= known.ts THEN excluded.quality ELSE known.quality END,
            json = CASE WHEN excluded.ts >= known.ts THEN excluded.json ELSE known.json END,
            attributes = CASE WHEN excluded.ts >= known.ts THEN excluded.attributes ELSE known.attributes END
        WHERE excluded.ts >= known.ts OR excluded.first_ts < known.first_ts
        RETURNING series, xmax = 0 AS is_new
    )
    SELECT series FROM renewed WHERE is_new
"""
_STORE_INCOMING = """
    INSERT INTO telemetry_point AS known (series, ts, num, quality, json, attributes)
    SELECT series, ts, num, quality, json, attributes FROM telemetry_incoming
    ON CONFLICT (series, ts) DO UPDATE
    SET num = excluded.num, quality = excluded.quality, json = excluded.json, attributes = excluded.attributes
    WHERE (known.num, known.quality, known.json, known.attributes)
        IS DISTINCT FROM (excluded.num, excluded.quality, excluded.json, excluded.attributes)
"""


async def _copy(driver: Any, columns: Columns) -> None:
    """The newest point of a series is written first of all: whoever has that row is the only one to write the series' points."""
    await driver.execute(_MAKE_INCOMING)
    if len(columns) < _NEWER_FROM:
        await _copy_into(driver, "telemetry_incoming", columns)
        await driver.execute(_RENEW_LATEST)
        await driver.execute(_STORE_INCOMING)
        return
    is_newer = await _renew_latest(driver, columns)
    try:
        async with driver.transaction():
            await _copy_into(driver, "telemetry_point", columns.at(np.flatnonzero(is_newer)))
        others = columns.at(np.flatnonzero(~is_newer))
    except asyncpg.UniqueViolationError:
        others = columns  # somebody else has changed the tables: the slow way takes everything
    if len(others):
        await driver.execute("TRUNCATE telemetry_incoming")
        await _copy_into(driver, "telemetry_incoming", others)
        await driver.execute(_STORE_INCOMING)


async def _renew_latest(driver: Any, columns: Columns) -> npt.NDArray[np.bool_]:
    """Which points are newer than all that their series had: these cannot be there, and need not be looked for, which is more
    than half of the work."""
    # Ordered as they are, series need no search.
    is_first, is_last = np.ones((2, len(columns)), dtype=np.bool_)
    is_first[1:] = is_last[:-1] = columns.series[1:] != columns.series[:-1]
    series, places = columns.series[is_first], np.cumsum(is_first) - 1
    newest = np.full(len(series), np.iinfo(np.int64).max)
    if known := await driver.fetch(_LOCK_LATEST, series.tolist()):
        numbers, times = np.array(known, dtype=np.int64).T
        newest[np.searchsorted(series, numbers)] = times
    await _copy_into(driver, "telemetry_incoming", columns.at(np.flatnonzero(is_first | is_last)))
    if made := await driver.fetch(_RENEW_LATEST):
        newest[np.searchsorted(series, np.array(made, dtype=np.int64)[:, 0])] = np.iinfo(np.int64).min
    is_newer: npt.NDArray[np.bool_] = columns.ts > newest[places]
    return is_newer


async def _copy_into(driver: Any, table: str, columns: Columns) -> None:
    encoded = await asyncio.to_thread(_encoded, columns) if len(columns) > _THREAD_FROM else _encoded(columns)
    await driver.copy_to_table(table, source=_parts(encoded), format="binary", columns=_COPIED)


async def _parts(encoded: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(encoded), _COPY_PART):
        yield encoded[start : start + _COPY_PART]


# COPY's binary format, https://www.postgresql.org/docs/current/sql-copy.html: a count of fields, then each with its length;
# the length -1 is NULL. A jsonb is a version, 1, and the text.
_COPIED = ("series", "ts", "num", "quality", "json", "attributes")
_COPY_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_NULL = struct.pack(">i", -1)
_LENGTH = ">i4"
_NUMBER_ROW: list[Any] = [
    ("fields", ">i2"),
    *[("series_length", _LENGTH), ("series", ">i8")],
    *[("ts_length", _LENGTH), ("ts", ">i8")],
    *[("num_length", _LENGTH), ("num", ">f8")],
]
_WITH_QUALITY = np.dtype([*_NUMBER_ROW, ("quality_length", _LENGTH), ("quality", ">i2"), ("nulls", _LENGTH, 2)])
_WITHOUT_QUALITY = np.dtype([*_NUMBER_ROW, ("nulls", _LENGTH, 3)])


def _encoded(columns: Columns) -> bytes:
    without_quality = columns.quality == NO_QUALITY
    of_one_form = without_quality.all() or not without_quality.any()
    only_numbers = columns.json is None and columns.attributes is None and of_one_form
    return _COPY_START + (_number_rows(columns) if only_numbers else b"".join(_rows(columns))) + _COPY_END


def _number_rows(columns: Columns) -> bytes:
    with_quality = len(columns) > 0 and columns.quality[0] != NO_QUALITY
    rows = np.empty(len(columns), dtype=_WITH_QUALITY if with_quality else _WITHOUT_QUALITY)
    rows["fields"], rows["nulls"] = len(_COPIED), -1
    rows["series_length"] = rows["ts_length"] = rows["num_length"] = 8
    rows["series"], rows["ts"], rows["num"] = columns.series, columns.ts, columns.num
    if with_quality:
        rows["quality_length"], rows["quality"] = 2, columns.quality
    return rows.tobytes()


def _rows(columns: Columns) -> Iterator[bytes]:
    nothing: Texts = [None] * len(columns)
    pairs = zip(columns.json or nothing, columns.attributes or nothing, strict=True)
    every = zip(columns.series.tolist(), columns.ts.tolist(), columns.num.tolist(), columns.quality.tolist(), pairs, strict=True)
    for series, ts, num, quality, (json, attributes) in every:
        yield struct.pack(">hiqiq", len(_COPIED), 8, series, 8, ts)
        yield struct.pack(">id", 8, num) if json is None else _NULL
        yield _NULL if quality == NO_QUALITY else struct.pack(">ih", 2, quality)
        yield _jsonb(json) + _jsonb(attributes)


def _jsonb(text: str | None) -> bytes:
    if text is None:
        return _NULL
    encoded = b"\x01" + text.encode()
    return struct.pack(">i", len(encoded)) + encoded
