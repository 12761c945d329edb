"""PostgreSQL: telemetry in monthly partitions, with the newest point of each series beside it. SQLite stays as it is.

Points lose their foreign key there: it costs more than half of the time of storing them, and series are deleted only while
nobody writes. The rule by which months and years become partitions is that of `resolvers.telemetry.partitions` at this step.
"""

from datetime import UTC, datetime
from itertools import pairwise

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = "series, ts, num, json, quality, attributes"
_POINT = "series bigint NOT NULL, ts bigint NOT NULL, num double precision, json jsonb, quality smallint, attributes jsonb"
_FIRST_YEAR, _LAST_YEAR = 1970, 2099


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE telemetry_point RENAME TO telemetry_point_whole")
    op.execute("ALTER TABLE telemetry_point_whole RENAME CONSTRAINT pk_telemetry_point TO pk_telemetry_point_whole")
    primary_key = "CONSTRAINT pk_telemetry_point PRIMARY KEY (series, ts) INCLUDE (num)"
    op.execute(f"CREATE TABLE telemetry_point ({_POINT}, {primary_key}) PARTITION BY RANGE (ts)")
    for name, bounds in _partitions():
        op.execute(f"CREATE TABLE {name} PARTITION OF telemetry_point FOR VALUES {bounds}")
    op.execute(f"INSERT INTO telemetry_point ({_COLUMNS}) SELECT {_COLUMNS} FROM telemetry_point_whole")
    op.execute("DROP TABLE telemetry_point_whole")
    # Half empty pages: a row is rewritten on its page, without a change to the index.
    primary_key = "CONSTRAINT pk_telemetry_latest PRIMARY KEY (series)"
    op.execute(f"CREATE TABLE telemetry_latest ({_POINT}, first_ts bigint NOT NULL, {primary_key}) WITH (fillfactor = 50)")
    op.execute(
        f"""
        INSERT INTO telemetry_latest ({_COLUMNS}, first_ts)
        SELECT newest.series, newest.ts, newest.num, newest.json, newest.quality, newest.attributes, oldest.ts
        FROM telemetry_series
        CROSS JOIN LATERAL (SELECT * FROM telemetry_point WHERE series = telemetry_series.id ORDER BY ts DESC LIMIT 1) newest
        CROSS JOIN LATERAL (SELECT ts FROM telemetry_point WHERE series = telemetry_series.id ORDER BY ts LIMIT 1) oldest
        """
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TABLE telemetry_latest")
    op.execute("ALTER TABLE telemetry_point RENAME TO telemetry_point_parts")
    op.execute("ALTER TABLE telemetry_point_parts RENAME CONSTRAINT pk_telemetry_point TO pk_telemetry_point_parts")
    constraints = (
        "CONSTRAINT pk_telemetry_point PRIMARY KEY (series, ts)",
        "CONSTRAINT fk_telemetry_point_series FOREIGN KEY (series) REFERENCES telemetry_series (id)",
    )
    op.execute(f"CREATE TABLE telemetry_point ({_POINT}, {', '.join(constraints)})")
    op.execute(f"INSERT INTO telemetry_point ({_COLUMNS}) SELECT {_COLUMNS} FROM telemetry_point_parts")
    op.execute("DROP TABLE telemetry_point_parts")


def _partitions() -> list[tuple[str, str]]:
    """Name and bounds of those that every store has, and of those that the points that are there need."""
    first, end = _start(_FIRST_YEAR), _start(_LAST_YEAR + 1)
    every_year = range(_FIRST_YEAR, _LAST_YEAR + 1)
    years = sa.text(
        "SELECT DISTINCT extract(year FROM to_timestamp(ts / 1000) AT TIME ZONE 'UTC')::int FROM telemetry_point_whole "
        "WHERE ts >= :first AND ts < :end"
    )
    used = set(op.get_bind().execute(years, {"first": first, "end": end}).scalars())
    now = datetime.now(UTC).year
    made = [("telemetry_point_before", f"FROM (MINVALUE) TO ({first})"), ("telemetry_point_after", f"FROM ({end}) TO (MAXVALUE)")]
    for year in sorted(used.intersection(every_year)):
        if now - 3 <= year <= now + 1:
            starts = [_start(year, month) for month in range(1, 13)] + [_start(year + 1)]
            bounds = pairwise(starts)
            made += [(f"telemetry_point_m{year}_{month:02}", f"FROM ({low}) TO ({high})") for month, (low, high) in enumerate(bounds, 1)]
        else:
            made.append((f"telemetry_point_y{year}", f"FROM ({_start(year)}) TO ({_start(year + 1)})"))
    return made


def _start(year: int, month: int = 1) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)
