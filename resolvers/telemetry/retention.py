"""Points that have outlived their time (ICD §6.3), of every tenant, and series that have none left.

PostgreSQL drops whole partitions; what else there is to delete goes some thousand points a transaction, so that those who store
new ones meanwhile wait for milliseconds.
"""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.stores.engine import Store
from resolvers.stores.joins import look_up
from resolvers.stores.rows import json_rows, rows_parameter
from resolvers.telemetry import store as sql
from resolvers.telemetry.partitions import exclude_writers, partitions

__all__ = ["purge"]

_POINTS_AT_A_TIME = 5_000
_SERIES_AT_A_TIME = 500
_GONE = "telemetry_gone_"
"""How a partition is called from its leaving the table until its end."""


async def purge(store: Store, before: int) -> int:
    """Deletes the points of before that time, in epoch milliseconds, and series without any. Returns how many points are gone.

    Raises `Unavailable` where PostgreSQL's table of points cannot be had within seconds, because of a long backup, say: what is
    gone by then stays gone, and the next purge goes on.
    """
    gone = await _drop_partitions(store, before) if store.dialect == "postgresql" else 0
    last = -1
    while series := await _stale_series(store, before, last):
        last = series[-1]
        lot: dict[str, str | int] = {"lot": rows_parameter((one,) for one in series), "before": before}
        gone += await _delete_points(store, lot)
        await _tidy_up(store, lot)
    return gone


async def _drop_partitions(store: Store, before: int) -> int:
    async with store.read() as connection:
        old = [found.name for found in await partitions(connection) if found.end is not None and found.end <= before]
    for name in old:
        # Who reads is held up for no longer than this takes, whatever there is to count.
        async with store.write() as connection:
            await exclude_writers(connection)
            await connection.exec_driver_sql(f"ALTER TABLE telemetry_point DETACH PARTITION {name}")
            await connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {_GONE}{name.removeprefix('telemetry_point_')}")
    gone = 0
    async with store.write() as connection:
        # A purge that died may have left some.
        left = sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, :prefix) AND pg_table_is_visible(oid)")
        for name in (await connection.execute(left, {"prefix": _GONE})).scalars().all():
            gone += (await connection.exec_driver_sql(f"SELECT count(*) FROM {name}")).scalar_one()
            await connection.exec_driver_sql(f"DROP TABLE {name}")
    return gone


async def _stale_series(store: Store, before: int, last: int) -> Sequence[int]:
    """The next series, by identifier, that have points of before that time, or none at all."""
    oldest, _ = sql.span_ends(store.dialect)
    s = sql.series_table.c
    stale = sa.select(s.id).where(s.id > last, sa.func.coalesce(oldest, before - 1) < before).order_by(s.id).limit(_SERIES_AT_A_TIME)
    async with store.read() as connection:
        return (await connection.execute(stale)).scalars().all()


async def _delete_points(store: Store, lot: dict[str, str | int]) -> int:
    p = sql.point_table.c
    points = sql.point_table.alias("old")
    series = _lot()
    old = look_up(series, points, sa.and_(points.c.series == series.c.id, points.c.ts < sa.bindparam("before", type_=sa.BigInteger)))
    some = sa.select(points.c.series, points.c.ts).select_from(old).limit(_POINTS_AT_A_TIME)
    statement = sa.delete(sql.point_table).where(sa.tuple_(p.series, p.ts).in_(some))
    gone = 0
    while True:
        async with store.write() as connection:
            count = (await connection.execute(statement, lot)).rowcount
        gone += count
        if count < _POINTS_AT_A_TIME:
            return gone


async def _tidy_up(store: Store, lot: dict[str, str | int]) -> None:
    """Puts the newest points of these series right, and deletes those that have no point left."""
    async with store.write() as connection:
        await exclude_writers(connection)
        if store.dialect == "postgresql":
            await _renew_latest(connection, lot)
        s, series = sql.series_table.c, _lot()
        oldest, _ = sql.span_ends(store.dialect)
        await connection.execute(sa.delete(sql.series_table).where(s.id.in_(sa.select(series.c.id)), oldest.is_(None)), lot)


async def _renew_latest(connection: AsyncConnection, lot: dict[str, str | int]) -> None:
    """A late point may have come in between, older than what was known as the newest and is gone."""
    known, series = sql.latest_table, _lot()
    of_lot = known.c.series.in_(sa.select(series.c.id))
    stale = known.c.first_ts < sa.bindparam("before", type_=sa.BigInteger)
    await connection.execute(sa.delete(known).where(of_lot, stale), lot)
    names = [column.name for column in sql.point_table.c]
    p, ends = sql.point_table.c, sql.point_table.alias("ends").c
    newest = sa.select(*(p[name] for name in names)).where(p.series == series.c.id).order_by(p.ts.desc()).limit(1).lateral("newest")
    oldest = sa.select(sa.func.min(ends.ts)).where(ends.series == series.c.id).scalar_subquery()
    found = sa.select(*(newest.c[name] for name in names), oldest).select_from(series.join(newest, sa.true()))
    there = sa.select(known.c.series).where(known.c.series == series.c.id).exists()
    await connection.execute(sa.insert(known).from_select([*names, "first_ts"], found.where(~there)), lot)


def _lot() -> sa.Subquery:
    """Not as a CTE: of a statement that begins with WITH, SQLite's driver does not say how many rows it deleted."""
    return cast("sa.Select[tuple[int]]", json_rows("lot", "lot", id=sa.BigInteger).element).subquery("lot")
