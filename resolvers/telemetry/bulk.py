"""Points in columns, and the quick ways of both drivers to take many of them.

SQLAlchemy's own way costs a dictionary a point. Here SQLite gets some hundred rows a statement, and PostgreSQL a binary COPY that
is made without a look at single points where all values are numbers.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["NO_QUALITY", "Columns", "Integers", "Numbers", "Texts", "ordered", "write"]

Integers: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Texts: TypeAlias = list[str | None]

NO_QUALITY = -1
_ROWS_A_STATEMENT = 500
"""SQLite's driver lets go of the interpreter once a statement: row by row, a busy event loop would hold it up at each."""
_COPY_PART = 1 << 18
_THREAD_FROM = 2_000


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


def ordered(columns: Columns, identifiers: Integers) -> Columns:
    """The points by series and time, the series named by the identifiers at their numbers; of two at one time the later given.

    All writers lock what they meet in this one order, so that no two wait for each other.
    """
    series = identifiers[columns.series]
    order = np.lexsort((columns.ts, series))  # stable
    series, ts = series[order], columns.ts[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (series[1:] != series[:-1]) | (ts[1:] != ts[:-1])
    kept = order[last]
    return Columns(
        series=series[last],
        ts=ts[last],
        num=columns.num[kept],
        quality=columns.quality[kept],
        json=_picked(columns.json, kept),
        attributes=_picked(columns.attributes, kept),
    )


def _picked(texts: Texts | None, places: npt.NDArray[np.intp]) -> Texts | None:
    return None if texts is None else [texts[place] for place in places.tolist()]


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
_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS telemetry_incoming
    (series bigint, ts bigint, num double precision, quality smallint, json text, attributes text) ON COMMIT DELETE ROWS;
    TRUNCATE telemetry_incoming
"""
_FROM_INCOMING = """
    INSERT INTO telemetry_point AS known (series, ts, num, quality, json, attributes)
    SELECT series, ts, num, nullif(quality, -1), json::jsonb, attributes::jsonb FROM telemetry_incoming
    ON CONFLICT (series, ts) DO UPDATE
    SET num = excluded.num, quality = excluded.quality, json = excluded.json, attributes = excluded.attributes
    WHERE (known.num, known.quality, known.json, known.attributes)
        IS DISTINCT FROM (excluded.num, excluded.quality, excluded.json, excluded.attributes);

    INSERT INTO telemetry_latest AS known (series, ts, num, quality, json, attributes, first_ts)
    SELECT DISTINCT ON (series) series, ts, num, nullif(quality, -1), json::jsonb, attributes::jsonb, min(ts) OVER (PARTITION BY series)
    FROM telemetry_incoming ORDER BY series, ts DESC
    ON CONFLICT (series) DO UPDATE
    SET ts = greatest(known.ts, excluded.ts), first_ts = least(known.first_ts, excluded.first_ts),
        num = CASE WHEN excluded.ts >= known.ts THEN excluded.num ELSE known.num END,
        quality = CASE WHEN excluded.ts >= known.ts THEN excluded.quality ELSE known.quality END,
        json = CASE WHEN excluded.ts >= known.ts THEN excluded.json ELSE known.json END,
        attributes = CASE WHEN excluded.ts >= known.ts THEN excluded.attributes ELSE known.attributes END
    WHERE excluded.ts >= known.ts OR excluded.first_ts < known.first_ts
"""

# COPY's binary format, https://www.postgresql.org/docs/current/sql-copy.html: a count of fields, then each with its length;
# the length -1 is NULL. Here a quality is never NULL but -1.
_COPY_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_NULL = struct.pack(">i", -1)
_LENGTH = ">i4"
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *[("series_length", _LENGTH), ("series", ">i8")],
        *[("ts_length", _LENGTH), ("ts", ">i8")],
        *[("num_length", _LENGTH), ("num", ">f8")],
        *[("quality_length", _LENGTH), ("quality", ">i2")],
        ("no_texts", _LENGTH, 2),
    ]
)


async def _copy(driver: Any, columns: Columns) -> None:
    encoded = await asyncio.to_thread(_encoded, columns) if len(columns) > _THREAD_FROM else _encoded(columns)
    await driver.execute(_INCOMING)
    await driver.copy_to_table("telemetry_incoming", source=_parts(encoded), format="binary")
    await driver.execute(_FROM_INCOMING)


async def _parts(encoded: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(encoded), _COPY_PART):
        yield encoded[start : start + _COPY_PART]


def _encoded(columns: Columns) -> bytes:
    only_numbers = columns.json is None and columns.attributes is None
    return _COPY_START + (_number_rows(columns) if only_numbers else b"".join(_rows(columns))) + _COPY_END


def _number_rows(columns: Columns) -> bytes:
    rows = np.empty(len(columns), dtype=_ROW)
    rows["fields"], rows["no_texts"] = 6, -1
    rows["series_length"], rows["ts_length"], rows["num_length"], rows["quality_length"] = 8, 8, 8, 2
    rows["series"], rows["ts"], rows["num"], rows["quality"] = columns.series, columns.ts, columns.num, columns.quality
    return rows.tobytes()


def _rows(columns: Columns) -> Iterator[bytes]:
    nothing: Texts = [None] * len(columns)
    pairs = zip(columns.json or nothing, columns.attributes or nothing, strict=True)
    every = zip(columns.series.tolist(), columns.ts.tolist(), columns.num.tolist(), columns.quality.tolist(), pairs, strict=True)
    for series, ts, num, quality, (json, attributes) in every:
        yield struct.pack(">hiqiq", 6, 8, series, 8, ts)
        yield struct.pack(">id", 8, num) if json is None else _NULL
        yield struct.pack(">ih", 2, quality)
        yield _text_field(json) + _text_field(attributes)


def _text_field(text: str | None) -> bytes:
    if text is None:
        return _NULL
    encoded = text.encode()
    return struct.pack(">i", len(encoded)) + encoded
