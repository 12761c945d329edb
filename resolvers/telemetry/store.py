"""The two tables of telemetry and the SQL over them; every question of a request is one statement, however many ask.

Questions travel into the statement as JSON rows (`resolvers.stores.rows`), are joined to the series that they mean, and these to
their points. The limit of each question is applied in SQL, so that a window over years costs no more memory than its answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import float_info
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, metadata
from resolvers.stores.rows import json_rows
from resolvers.stores.upsert import Upsert, upsert_into
from resolvers.telemetry.records import MAX_ROWS, Aggregation, TelemetryQuality, TelemetrySource

NO_SCENARIO = UUID(int=0)
"""Stored for measured series: NULL would not do, as a unique constraint takes any number of NULLs."""

QUALITY_CODES = {TelemetryQuality.RAW: 0, TelemetryQuality.VALIDATED: 1, TelemetryQuality.SIMULATED: 2}
QUALITIES = {code: quality for quality, code in QUALITY_CODES.items()}

_OPTIONAL_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

series_table = sa.Table(
    "telemetry_series",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("entity", sa.Uuid, nullable=False),
    sa.Column("key", code_point_text(), nullable=False),
    sa.Column("unit", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("scenario", sa.Uuid, nullable=False),
    # Entity first: with the tenant first, SQLite would start a join from all of the tenant's series.
    sa.UniqueConstraint("entity", "tenant", "key", "source", "scenario"),
)

point_table = sa.Table(
    "telemetry_point",
    metadata,
    sa.Column("series", sa.BigInteger, sa.ForeignKey("telemetry_series.id"), nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("num", sa.Double),
    sa.Column("json", _OPTIONAL_JSON),
    sa.Column("quality", sa.SmallInteger),
    sa.Column("attributes", _OPTIONAL_JSON),
    sa.PrimaryKeyConstraint("series", "ts"),
    sqlite_with_rowid=False,  # the rows live in the key's tree: a window is one range of it
)

latest_table = sa.table(
    "telemetry_latest",
    sa.column("series", sa.BigInteger),
    sa.column("first_ts", sa.BigInteger),
    *(sa.column(column.name, column.type) for column in point_table.c if column.name != "series"),
)
"""On PostgreSQL the newest point of each series that has any, and the time of its oldest. SQLite finds them as quickly in the
points' own tree."""

_POINT = ("ts", "num", "json", "quality", "attributes")
_HEAD = ("ask", "place", "unit", "source", "scenario")
_TENANT = sa.bindparam("tenant", type_=sa.Text)
_LONGEST = sa.bindparam("longest", type_=sa.BigInteger)


@dataclass(frozen=True, slots=True)
class WindowKinds:
    """Which kinds of window a statement is for: what none of them needs is left out.

    `long` says that one may have more buckets than its limit. `exact` is for PostgreSQL, where a sum that no double reaches
    ends the statement: then it is an infinity, as it is on SQLite.
    """

    aggregations: frozenset[Aggregation]
    long: bool = False
    exact: bool = False

    @property
    def have_buckets(self) -> bool:
        return any(aggregation.has_buckets for aggregation in self.aggregations)

    @property
    def have_raw_points(self) -> bool:
        return any(not aggregation.has_buckets for aggregation in self.aggregations)


@lru_cache(maxsize=256)
def windows_statement(dialect: str, kinds: WindowKinds) -> sa.Select[Any]:
    """The series of all windows, by ask, key, source and scenario, each with its points, oldest first.

    A series begins with a row that names it: ask, place of the key, unit, source and scenario. Its points follow, in rows that leave
    these NULL, as repeating them would double the time that a row takes. They have time and number and, where there are windows of
    raw points, JSON and attributes, as texts, and quality. Parameters: `tenant`, `asks`, `windows`, `longest`, the greatest limit
    of all windows: of no series are there more points than one above it, LTTB's excepted.
    """
    chosen = _chosen()
    point = _POINT if kinds.have_raw_points else _POINT[:2]
    parts = [_series_heads(chosen, point)]
    if kinds.have_raw_points:
        parts.append(_raw_points_of_each(chosen) if dialect == "postgresql" else _raw_points(chosen))
    if kinds.have_buckets:
        found = _buckets_of_each(chosen, kinds) if dialect == "postgresql" else _buckets(chosen, kinds)
        parts.append(_first_buckets(found, point) if kinds.long else _of_buckets(found.subquery("buckets"), point))
    lines = sa.union_all(*parts).subquery("found")
    return (
        sa.select(*(lines.c[name] for name in _HEAD), *_plain(dialect, lines, point))
        .order_by(lines.c.line, sa.nulls_first(lines.c.ts))
        .limit(MAX_ROWS + 1)
    )


@lru_cache(maxsize=256)
def latest_statement(dialect: str) -> sa.Select[Any]:
    """The newest point of each series asked for, in no order: to sort a few in each ask is cheaper than all rows.

    JSON and attributes are texts. Parameters: `tenant`, `asks`, `windows`; of a window's row only `key`, `source` and `scenario` count.
    """
    series = _chosen(every_key=True)
    points = (latest_table if dialect == "postgresql" else point_table).alias("points")
    same = points.c.series == series.c.series
    if dialect != "postgresql":
        p = point_table.c
        same &= points.c.ts == sa.select(sa.func.max(p.ts)).where(p.series == series.c.series).correlate(series).scalar_subquery()
    return (
        sa.select(*(series.c[name] for name in ("ask", "key", "unit", "source")), _scenario_of(series.c.scenario))
        .add_columns(*_plain(dialect, points, _POINT))
        .join_from(series, points, same)
        .limit(MAX_ROWS + 1)
    )


@lru_cache(maxsize=256)
def ranges_statement(dialect: str) -> sa.Select[Any]:
    """Each series of the entities in `asks` that has points, with its first and last time. Parameters: `tenant`, `asks`."""
    asked = _asked()
    s = series_table.c
    first, last = span_ends(dialect)
    spans = (
        sa.select(asked.c.ask, s.key, s.unit, s.source, first.label("first"), last.label("last"))
        .select_from(look_up(asked, series_table, sa.and_(s.tenant == _TENANT, s.entity == asked.c.entity)))
        .subquery("spans")
    )
    c = spans.c
    return sa.select(c.ask, c.key, c.unit, c.first, c.last).where(c.first.is_not(None)).order_by(c.ask, c.key, c.source).limit(MAX_ROWS + 1)


@lru_cache(maxsize=256)
def last_seen_statement(dialect: str) -> sa.Select[Any]:
    """The newest time of any measured point of each entity in `asks`. Parameters: `tenant`, `asks`."""
    asked = _asked()
    s = series_table.c
    _, last = span_ends(dialect)
    lasts = (
        sa.select(asked.c.ask, last.label("last"))
        .select_from(look_up(asked, series_table, sa.and_(s.tenant == _TENANT, s.entity == asked.c.entity)))
        .where(s.source == TelemetrySource.REAL.value)
        .subquery("lasts")
    )
    return sa.select(lasts.c.ask, sa.func.max(lasts.c.last).label("last")).group_by(lasts.c.ask)


def span_ends(dialect: str) -> tuple[sa.ScalarSelect[Any], sa.ScalarSelect[Any]]:
    """The first and the last time of the series of `series_table` that a row is about."""
    if dialect == "postgresql":
        known = latest_table.c
        ends: tuple[sa.ColumnElement[Any], ...] = (known.first_ts, known.ts)
        of_series = known.series == series_table.c.id
    else:
        p = point_table.c
        ends, of_series = (sa.func.min(p.ts), sa.func.max(p.ts)), p.series == series_table.c.id
    first, last = (sa.select(end).where(of_series).correlate(series_table).scalar_subquery() for end in ends)
    return first, last


@lru_cache(maxsize=256)
def upsert_series(dialect: str) -> Upsert:
    """Makes the series that are not there, and gives a unit to those that have none. Parameters: `tenant`, `series`."""
    given = _given_series()
    columns = ("tenant", "entity", "key", "source", "scenario", "unit")
    # SQLite would read ON CONFLICT as a join's condition where the select has no WHERE.
    rows = sa.select(_TENANT, *(given.c[name] for name in columns[1:])).where(sa.true())
    insert = upsert_into(series_table, dialect)
    insert = insert.from_select(columns, rows)
    return insert.on_conflict_do_update(
        index_elements=columns[:-1],
        set_={"unit": insert.excluded.unit},
        where=sa.and_(series_table.c.unit.is_(None), insert.excluded.unit.is_not(None)),
    )


@lru_cache(maxsize=256)
def series_statement() -> sa.Select[Any]:
    """Identifier, unit and identity of the series in `series`. Parameters: `tenant`, `series`."""
    s = series_table.c
    return _known_series(_given_series()).add_columns(s.id, s.unit, s.entity, s.key, s.source, s.scenario)


@lru_cache(maxsize=256)
def places_statement() -> sa.Select[Any]:
    """Place, identifier and unit of the series in `series`, whose rows end with a place. Parameters: `tenant`, `series`."""
    given = _given_series()
    return _known_series(given).add_columns(given.c.place, series_table.c.id, series_table.c.unit)


def _known_series(given: sa.CTE) -> sa.Select[Any]:
    s = series_table.c
    same = (s[name] == given.c[name] for name in ("entity", "key", "source", "scenario"))
    return sa.select().select_from(look_up(given, series_table, sa.and_(s.tenant == _TENANT, *same)))


def _given_series() -> sa.CTE:
    return json_rows("given", "series", entity=sa.Uuid, key=sa.Text, source=sa.Text, scenario=sa.Uuid, unit=sa.Text, place=sa.BigInteger)


def _asked() -> sa.CTE:
    """Who asks what: one row for each entity and window."""
    return json_rows("asked", "asks", ask=sa.BigInteger, entity=sa.Uuid, win=sa.BigInteger)


def _wanted() -> sa.CTE:
    """One row for each window and key. NULL means: every key, both sources, every scenario, no buckets, no limit.

    `place` is the position of the key in its window.
    """
    return json_rows(
        "wanted",
        "windows",
        win=sa.BigInteger,
        place=sa.BigInteger,
        key=sa.Text,
        source=sa.Text,
        scenario=sa.Uuid,
        aggregation=sa.Text,
        start_ts=sa.BigInteger,
        end_ts=sa.BigInteger,
        interval_ms=sa.BigInteger,
        most=sa.BigInteger,
    ).prefix_with("MATERIALIZED")  # else SQLite would read the text anew for each ask


def _chosen(*, every_key: bool = False) -> sa.CTE:
    """The series that each ask means, beside the ask's own terms; numbered by `line`, unless every key may be meant.

    Materialised in two steps, which are the order of the joins: left to itself, SQLite, which cannot know how few rows a
    JSON text holds, joins the terms last, to every point of the entity.
    """
    asked, wanted, s = _asked(), _wanted(), series_table.c
    w = wanted.c
    names = ("place", "key", "source", "scenario", "aggregation", "start_ts", "end_ts", "interval_ms", "most")
    terms = (
        sa.select(asked.c.ask, asked.c.entity, *(w[name] for name in names))
        .join_from(asked, wanted, w.win == asked.c.win)
        .cte("terms")
        .prefix_with("MATERIALIZED")
    )
    t = terms.c
    same_key = sa.or_(t.key.is_(None), s.key == t.key) if every_key else s.key == t.key
    of_scenario = sa.or_(t.scenario.is_(None), s.source == TelemetrySource.REAL.value, s.scenario == t.scenario)
    chosen = (
        sa.select(t.ask, t.place, s.id.label("series"), s.key, s.unit, s.source, s.scenario)
        .join_from(terms, series_table, sa.and_(s.tenant == _TENANT, s.entity == t.entity, same_key))
        .where(sa.or_(t.source.is_(None), s.source == t.source), of_scenario)
    )
    if not every_key:
        line = sa.func.row_number().over(order_by=(t.ask, t.place, s.key, s.source, s.scenario)).label("line")
        chosen = chosen.add_columns(line, t.aggregation, t.start_ts, t.end_ts, t.interval_ms, t.most)
    return chosen.cte("chosen").prefix_with("MATERIALIZED")


def _series_heads(chosen: sa.CTE, point: Sequence[str]) -> sa.Select[Any]:
    """The rows that name the series; their columns are those of every part of the union."""
    c = chosen.c
    no_point = (_null(name, point_table.c[name].type) for name in point)
    return sa.select(c.line, c.ask, c.place, c.unit, c.source, _scenario_of(c.scenario), *no_point)


def _point_rows(line: sa.ColumnElement[Any], *point: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Rows of points, and nothing of what names the series."""
    no_head = (_null("ask", sa.BigInteger()), _null("place", sa.BigInteger()))
    no_name = (_null(name, series_table.c[name].type) for name in ("unit", "source", "scenario"))
    values = (value.label(name) for name, value in zip(_POINT, point, strict=False))
    return sa.select(line, *no_head, *no_name, *values)


def _plain(dialect: str, found: sa.FromClause, names: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """JSON as its text, which it already is on SQLite: hardly ever is there any, and each row would pay for the question."""
    as_text = sa.cast if dialect == "postgresql" else sa.type_coerce
    return [as_text(found.c[name], sa.Text).label(name) if name in ("json", "attributes") else found.c[name] for name in names]


def _scenario_of(scenario: sa.ColumnElement[UUID]) -> sa.Label[UUID]:
    """NULL for measured series, as everywhere but in the table."""
    return sa.func.nullif(scenario, sa.literal(NO_SCENARIO, sa.Uuid), type_=sa.Uuid).label("scenario")


def _null(name: str, type_: sa.types.TypeEngine[Any]) -> sa.Label[Any]:
    return sa.cast(sa.null(), type_).label(name)


def _raw_points(chosen: sa.CTE) -> sa.Select[Any]:
    """The points of windows without buckets; with LTTB, which has no limit here, those that are numbers."""
    c, p = chosen.c, point_table.c
    later = point_table.alias("later").c
    # One point further than any limit goes: no more of a series is read than may be needed.
    cut = (
        sa.select(later.ts)
        .where(later.series == c.series, later.ts >= c.start_ts, later.ts < c.end_ts)
        .order_by(later.ts)
        .limit(1)
        .offset(_LONGEST)
        .correlate(chosen)
        .scalar_subquery()
    )
    # One upper bound, not two: SQLite seeks by one of them, and would work out the other for every row.
    end = sa.case((c.most.is_(None), c.end_ts), else_=sa.func.coalesce(cut + 1, c.end_ts))
    return (
        _point_rows(c.line, *(p[name] for name in _POINT))
        .join_from(chosen, point_table, sa.and_(p.series == c.series, p.ts >= c.start_ts, p.ts < end))
        .where(c.interval_ms.is_(None))
        .where(sa.or_(c.aggregation != Aggregation.LTTB.value, p.num.is_not(None)))
    )


def _raw_points_of_each(chosen: sa.CTE) -> sa.Select[Any]:
    """The same on PostgreSQL, which reads the partitions in their order and stops at a series' limit."""
    c, p = chosen.c, point_table.c
    of_series = (
        sa.select(*(p[name] for name in _POINT))
        .where(p.series == c.series, p.ts >= c.start_ts, p.ts < c.end_ts)
        .where(sa.or_(c.aggregation != Aggregation.LTTB.value, p.num.is_not(None)))
        .order_by(p.ts)
        .limit(c.most + 1)  # of NULL there is no limit
        .lateral("of_series")
    )
    points = _point_rows(c.line, *(of_series.c[name] for name in _POINT))
    return points.join_from(chosen, of_series, sa.true()).where(c.interval_ms.is_(None))


def _first_buckets(found: sa.Select[Any], point: Sequence[str]) -> sa.Select[Any]:
    """Of each series one bucket more than any limit admits."""
    buckets = found.subquery("every_bucket")
    rank = sa.func.row_number().over(partition_by=buckets.c.line, order_by=buckets.c.ts)
    ranked = sa.select(buckets, rank.label("rank")).subquery("buckets")
    return _of_buckets(ranked, point).where(ranked.c.rank <= _LONGEST + 1)


def _of_buckets(buckets: sa.Subquery, point: Sequence[str]) -> sa.Select[Any]:
    """A bucket's value has neither JSON nor quality nor attributes."""
    nothing = (_null(name, point_table.c[name].type) for name in point[2:])
    return _point_rows(buckets.c.line, buckets.c.ts, buckets.c.num, *nothing)


def _buckets(chosen: sa.CTE, kinds: WindowKinds) -> sa.Select[Any]:
    """One row for each bucket that has points. Grouped by its number, as short as a key can be: the rest follows from it."""
    c = chosen.c
    number, of_series, counted = _bucket_terms(chosen)
    return (
        sa.select(c.line, (c.start_ts + number * c.interval_ms).label("ts"), _bucket_value(chosen, kinds).label("num"))
        .join_from(chosen, point_table, of_series)
        .where(c.interval_ms.is_not(None), counted)
        .group_by(c.line, number)
    )


def _buckets_of_each(chosen: sa.CTE, kinds: WindowKinds) -> sa.Select[Any]:
    """The same on PostgreSQL, which else may read all points there are: it takes a JSON text for a hundred rows."""
    c = chosen.c
    number, of_series, counted = _bucket_terms(chosen)
    value = _bucket_value(chosen, kinds).label("num")
    each = sa.select(number.label("number"), value).where(of_series, counted).group_by(sa.text("1")).lateral("each")
    ts = (c.start_ts + each.c.number * c.interval_ms).label("ts")
    return sa.select(c.line, ts, each.c.num).join_from(chosen, each, sa.true()).where(c.interval_ms.is_not(None))


def _bucket_terms(chosen: sa.CTE) -> tuple[sa.ColumnElement[int], sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """The number of a point's bucket, whether it is one of the series and window, and whether it counts there.

    Times count from `start_ts`, so that division never meets a negative number.
    """
    c, p = chosen.c, point_table.c
    of_series = sa.and_(p.series == c.series, p.ts >= c.start_ts, p.ts < c.end_ts)
    return (p.ts - c.start_ts) // c.interval_ms, of_series, sa.or_(c.aggregation == Aggregation.COUNT.value, p.num.is_not(None))


def _bucket_value(chosen: sa.CTE, kinds: WindowKinds) -> sa.ColumnElement[Any]:
    num = point_table.c.num
    average, total = (_exact(function, num) if kinds.exact else function(num) for function in (sa.func.avg, sa.func.sum))
    values = {
        Aggregation.AVG: average,
        Aggregation.MIN: sa.func.min(num),
        Aggregation.MAX: sa.func.max(num),
        Aggregation.SUM: total,
        Aggregation.COUNT: sa.cast(sa.func.count(), sa.Double),
    }
    asked = sorted(kinds.aggregations & values.keys())
    # Only those asked for: each one costs time at every point.
    return values[asked[0]] if len(asked) == 1 else sa.case(*((chosen.c.aggregation == one.value, values[one]) for one in asked))


def _exact(function: Callable[[Any], Any], number: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The function of decimal numbers, which have no bound, as a double."""
    of_decimals = sa.cast(number, sa.Numeric)
    largest = sa.cast(sa.literal_column(f"'{float_info.max!r}'"), sa.Numeric)
    too_large = sa.func.abs(sa.func.sum(of_decimals)) > largest
    return sa.case((too_large, sa.cast(sa.literal_column("'Infinity'"), sa.Double)), else_=sa.cast(function(of_decimals), sa.Double))
