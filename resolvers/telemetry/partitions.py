"""PostgreSQL: the partitions of `telemetry_point`, by time. SQLite has none, and nothing here does anything there.

A month is a partition where it lies about the present, a year where it lies further off, and all before 1970 is one, and all from
2100 on: a clock that is wrong, or an archive that is loaded, cannot make them thousands. There is no default partition: to add
another beside it, PostgreSQL would stop every reader, where so neither readers nor writers wait.

Who writes points shares a lock, which `exclude_writers` takes for itself alone: no partition is dropped under a writer.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Partition", "ensure_partitions", "exclude_writers", "partition_for", "partitions"]

_Month: TypeAlias = tuple[int, int]

_FIRST_YEAR, _LAST_YEAR = 1970, 2099
_MONTHLY_BACK, _MONTHLY_AHEAD = 3, 1
"""So many years before and after this one have a partition a month."""
_MONTHS_AHEAD = 2
_BEFORE, _AFTER = "telemetry_point_before", "telemetry_point_after"

_WRITERS = 0x7E1E_0001
_MAKERS = 0x7E1E_0002
_LOCK_TIMEOUT = "5s"


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """Points from `start` on and before `end`; None where there is no bound."""

    start: int | None
    end: int | None
    name: str


async def ensure_partitions(connection: AsyncConnection, times: npt.NDArray[np.int64]) -> None:
    """Sees to it that points of these times can be stored in the open write transaction, before it writes any.

    The next months are made along, so that hardly ever a writer waits for another who makes one.
    """
    if connection.dialect.name != "postgresql":
        return
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_WRITERS)))
    known, today = await _names(connection), datetime.now(UTC)
    this_month = today.year * 12 + today.month - 1
    ahead = [(number // 12, number % 12 + 1) for number in range(this_month, this_month + _MONTHS_AHEAD + 1)]
    if missing := [month for month in [*_months(times), *ahead] if partition_for(month, known, today.year).name not in known]:
        await _make(connection, missing, today.year)


async def partitions(connection: AsyncConnection) -> list[Partition]:
    """All there are, oldest first."""
    return sorted((_named(name) for name in await _names(connection)), key=lambda found: (found.start is not None, found.start))


async def exclude_writers(connection: AsyncConnection) -> None:
    """Until the open write transaction ends, nobody else stores points: without this, no series and no partition is deleted.

    A statement of this transaction that waits for a lock longer than some seconds fails, since others wait behind it.
    """
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS)))


def partition_for(month: _Month, known: Collection[str], this_year: int) -> Partition:
    """The partition that the month lies in, or is to lie in where none of `known` has it.

    A year that has months already goes on with them: what was near the present once stays divided.
    """
    year, _ = month
    if year < _FIRST_YEAR:
        return _named(_BEFORE)
    if year > _LAST_YEAR:
        return _named(_AFTER)
    monthly = this_year - _MONTHLY_BACK <= year <= this_year + _MONTHLY_AHEAD or any(name.startswith(_of_year(year, "m")) for name in known)
    yearly = _of_year(year, "y")
    if yearly in known or not monthly:
        return _named(yearly)
    return _named(f"{_of_year(year, 'm')}_{month[1]:02}")


def _of_year(year: int, kind: str) -> str:
    return f"telemetry_point_{kind}{year}"


def _named(name: str) -> Partition:
    """A partition's name says its bounds."""
    if name == _BEFORE:
        return Partition(None, _month_start(_FIRST_YEAR, 1), name)
    if name == _AFTER:
        return Partition(_month_start(_LAST_YEAR + 1, 1), None, name)
    kind, _, rest = name.removeprefix("telemetry_point_").partition("_")
    year = int(kind[1:])
    if kind.startswith("y"):
        return Partition(_month_start(year, 1), _month_start(year + 1, 1), name)
    month = int(rest)
    return Partition(_month_start(year, month), _month_start(year + month // 12, month % 12 + 1), name)


def _month_start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)


def _months(times: npt.NDArray[np.int64]) -> list[_Month]:
    """The months that times in epoch milliseconds lie in; what is out of all bounds as the nearest month within them."""
    bounded = times.clip(_month_start(_FIRST_YEAR, 1) - 1, _month_start(_LAST_YEAR + 1, 1))
    numbers = bounded.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    # There are few months, so to count them is quicker than to sort the points, which would hold the event loop up.
    first = int(numbers.min(initial=0))
    found = (np.flatnonzero(np.bincount(numbers - first)) + first).tolist()
    return [(1970 + number // 12, number % 12 + 1) for number in found]


async def _names(connection: AsyncConnection) -> frozenset[str]:
    found = await connection.exec_driver_sql(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid WHERE inhparent = 'telemetry_point'::regclass"
    )
    return frozenset(found.scalars())


async def _make(connection: AsyncConnection, months: Iterable[_Month], this_year: int) -> None:
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKERS)))
    known = set(await _names(connection))
    for month in months:
        wanted = partition_for(month, known, this_year)
        if wanted.name in known:
            continue
        # Attached rather than made as a partition, which would stop readers and writers of the whole table.
        bounds = f"FROM ({'MINVALUE' if wanted.start is None else wanted.start}) TO ({'MAXVALUE' if wanted.end is None else wanted.end})"
        await connection.exec_driver_sql(f"CREATE TABLE {wanted.name} (LIKE telemetry_point INCLUDING ALL)")
        await connection.exec_driver_sql(f"ALTER TABLE telemetry_point ATTACH PARTITION {wanted.name} FOR VALUES {bounds}")
        known.add(wanted.name)
