"""The drivers with nothing around them: what `store.py` measures the store beside."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]

_TABLE = """
    CREATE TABLE IF NOT EXISTS bare_point
    (series bigint NOT NULL, ts bigint NOT NULL, num {double}, json text, quality smallint, attributes text, PRIMARY KEY (series, ts))
"""
_REPLACED = "ON CONFLICT (series, ts) DO UPDATE SET num = excluded.num"


class Bare(Protocol):
    """A driver with nothing around it."""

    async def rows(self, sql: str, *arguments: object) -> Sequence[Sequence[Any]]: ...

    async def store(self, rows: Sequence[tuple[int, int, float]]) -> None:
        """Series, time and number of each point, into a table like the store's, in one transaction."""
        ...


class BareSQLite:
    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            _TABLE.format(double="DOUBLE") + " WITHOUT ROWID",
        ):
            self._connection.execute(statement)

    async def rows(self, sql: str, *arguments: object) -> Sequence[Sequence[Any]]:
        return self._connection.execute(sql, arguments).fetchall()

    async def store(self, rows: Sequence[tuple[int, int, float]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(f"INSERT INTO bare_point (series, ts, num) VALUES (?, ?, ?) {_REPLACED}", rows)
        self._connection.execute("COMMIT")

    async def close(self) -> None:
        self._connection.close()


class BarePostgreSQL:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> "BarePostgreSQL":
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute(_TABLE.format(double="double precision"))
        return cls(connection)

    async def rows(self, sql: str, *arguments: object) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = await self._connection.fetch(sql, *arguments)
        return found

    async def store(self, rows: Sequence[tuple[int, int, float]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        source = "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::double precision[])"
        await self._connection.execute(f"INSERT INTO bare_point (series, ts, num) {source} {_REPLACED}", *columns)

    async def close(self) -> None:
        await self._connection.close()


_SQLITE = {
    "box": """
        SELECT o.uuid, o.type, o.name, o.source, o.source_id, o.geometry, o.attributes, o.footprint_area, o.length, o.updated_at
        FROM city_object_geometry_rt rt CROSS JOIN city_object o ON o.pk = rt.id
        WHERE rt.x0 <= ? AND rt.x1 >= ? AND rt.y0 <= ? AND rt.y1 >= ? AND o.tenant = ? ORDER BY o.city, o.uuid LIMIT 500
    """,
    "latest": """
        SELECT s.entity, s.key, s.unit, p.ts, p.num, p.json, p.quality, p.attributes
        FROM json_each(?) asked CROSS JOIN telemetry_series s ON s.entity = asked.value AND s.tenant = ? AND s.source = 'REAL'
        CROSS JOIN telemetry_point p ON p.series = s.id AND p.ts = (SELECT max(ts) FROM telemetry_point WHERE series = s.id)
    """,
    "averages": """
        SELECT s.entity, (p.ts - ?2) / 300000 AS bucket, avg(p.num)
        FROM json_each(?1) asked CROSS JOIN telemetry_series s ON s.entity = asked.value AND s.tenant = ?4 AND s.key = 'power'
        CROSS JOIN telemetry_point p ON p.series = s.id AND p.ts >= ?2 AND p.ts < ?3 GROUP BY s.id, bucket ORDER BY s.id, bucket
    """,
}
_POSTGRESQL = {
    "box": """
        SELECT uuid, type, name, source, source_id, ST_AsBinary(geometry), attributes, footprint_area, length, updated_at FROM city_object
        WHERE geometry && ST_MakeEnvelope($2, $4, $1, $3, 4326) AND tenant = $5 ORDER BY city, uuid LIMIT 500
    """,
    "latest": """
        SELECT s.entity, s.key, s.unit, p.ts, p.num, p.json, p.quality, p.attributes
        FROM unnest($1::uuid[]) asked (entity) JOIN telemetry_series s ON s.entity = asked.entity AND s.tenant = $2 AND s.source = 'REAL'
        CROSS JOIN LATERAL (SELECT * FROM telemetry_point WHERE series = s.id ORDER BY ts DESC LIMIT 1) p
    """,
    "averages": """
        SELECT s.entity, p.bucket, p.num
        FROM unnest($1::uuid[]) asked (entity) JOIN telemetry_series s ON s.entity = asked.entity AND s.tenant = $4 AND s.key = 'power'
        CROSS JOIN LATERAL (
            SELECT (ts - $2) / 300000 AS bucket, avg(num) AS num FROM telemetry_point
            WHERE series = s.id AND ts >= $2 AND ts < $3 GROUP BY 1
        ) p ORDER BY s.id, p.bucket
    """,
}

QUESTIONS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""Hand-written SQL for what the benchmark asks, by dialect."""
