"""What can be asked of telemetry: windows of points, raw, in buckets or thinned out; newest points; keys; the last sign of life.

Each function takes all askers of a request at once and runs one statement. Arguments are checked where a question is made
(`window`, `latest`), so that a wrong one costs no statement at all.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from tsdownsample import LTTBDownsampler
from tsdownsample.downsampling_interface import AbstractDownsampler

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.stores.rows import rows_parameter
from resolvers.telemetry import store as sql
from resolvers.telemetry.records import (
    MAX_KEYS,
    MAX_POINTS,
    MAX_TIMESTAMP,
    Aggregation,
    Answer,
    Columns,
    KeyRange,
    Latest,
    Point,
    SeriesFilter,
    SeriesName,
    TelemetrySource,
    TelemetrySourceFilter,
    Window,
)

_ROWS_AT_A_TIME = 1_000
"""So many rows are taken over before the event loop has its turn again: about a millisecond."""

_THREAD_FROM = 10_000
"""Points of one series from which on thinning them out is left to a thread."""

_LTTB: AbstractDownsampler = LTTBDownsampler()  # type: ignore[no-untyped-call]

_Question = TypeVar("_Question", Window, Latest)


def window(
    *,
    keys: Sequence[str],
    start: int,
    end: int,
    aggregation: Aggregation,
    interval: int | None,
    series: SeriesFilter,
    limit: int,
) -> Window:
    """A checked window; raises `BadUserInput`. A key named twice counts once."""
    _check_keys(keys)
    for name, time in (("startTs", start), ("endTs", end)):
        if abs(time) > MAX_TIMESTAMP:
            raise BadUserInput(f"{name} is {time}: expected milliseconds within ±2^53")
    if end < start:
        raise BadUserInput(f"endTs ({end}) is before startTs ({start})")
    if not 1 <= limit <= MAX_POINTS:
        raise BadUserInput(f"limit is {limit}: expected 1 to {MAX_POINTS:,} points a key")
    _check_interval(aggregation, interval)
    return Window(tuple(dict.fromkeys(keys)), start, end, aggregation, interval, series, limit)


def latest(keys: Sequence[str] | None, series: SeriesFilter) -> Latest:
    """A checked question for newest points; raises `BadUserInput`."""
    if keys is None:
        return Latest(None, series)
    _check_keys(keys)
    return Latest(tuple(dict.fromkeys(keys)), series)


def _check_keys(keys: Sequence[str]) -> None:
    if len(keys) > MAX_KEYS:
        raise BadUserInput(f"keys names {len(keys)} keys: at most {MAX_KEYS} can be asked for at once")


def _check_interval(aggregation: Aggregation, interval: int | None) -> None:
    if aggregation.has_buckets and interval is None:
        raise BadUserInput(f"intervalMs is missing: aggregation {aggregation} needs the length of its buckets")
    if interval is None:
        return
    if not aggregation.has_buckets:
        raise BadUserInput(f"intervalMs is {interval}, but aggregation {aggregation} has no buckets: leave it out")
    if not 1 <= interval <= MAX_TIMESTAMP:
        raise BadUserInput(f"intervalMs is {interval}: expected at least 1 millisecond")


async def windows(store: Store, tenant: str, asks: Sequence[tuple[UUID, Window]]) -> list[Answer | BadUserInput]:
    """The answer to each ask, in order; one that has no answer gets its error, and costs the others nothing.

    Raises `BadUserInput` where all the answers together would have more than `MAX_POINTS` points.
    """
    asked, questions = _numbered(asks)
    raw = [question for question in questions if not question.aggregation.has_buckets]
    statement = sql.windows_statement(raw=bool(raw), buckets=len(raw) < len(questions))
    parameters: dict[str, Any] = {"tenant": tenant, "asks": asked, "windows": rows_parameter(_window_rows(questions))}
    if raw:
        parameters["longest"] = max(question.limit for question in raw)
    found: list[list[Columns]] = [[] for _ in asks]
    total = 0
    async with store.read() as connection:
        result = await connection.stream(statement, parameters)
        async for rows in result.partitions(_ROWS_AT_A_TIME):
            total += len(rows)
            if total > MAX_POINTS:
                raise BadUserInput(
                    f"The answer would have more than {MAX_POINTS:,} points: ask for fewer entities or keys, a shorter"
                    " window, a smaller limit, or an aggregation"
                )
            _take_over(rows, asks, found)
    return [await _answer(question, columns) for (_, question), columns in zip(asks, found, strict=True)]


def _numbered(asks: Sequence[tuple[UUID, _Question]]) -> tuple[str, list[_Question]]:
    """The parameter `asks`, and the distinct questions by the numbers that it gives them."""
    numbers: dict[_Question, int] = {}
    rows = [(ask, entity, numbers.setdefault(question, len(numbers))) for ask, (entity, question) in enumerate(asks)]
    return rows_parameter(rows), list(numbers)


def _window_rows(questions: Sequence[Window]) -> Iterable[tuple[str | int | UUID | None, ...]]:
    for number, asked in enumerate(questions):
        most = None if asked.aggregation is Aggregation.LTTB else asked.limit
        terms = (*_source_terms(asked.series), asked.aggregation, asked.start, asked.end, asked.interval, most)
        yield from ((number, place, key, *terms) for place, key in enumerate(asked.keys))


def _source_terms(series: SeriesFilter) -> tuple[str | None, UUID | None]:
    return (None if series.source is TelemetrySourceFilter.BOTH else series.source.value, series.scenario)


def _take_over(rows: Iterable[tuple[Any, ...]], asks: Sequence[tuple[UUID, Window]], found: list[list[Columns]]) -> None:
    """Appends rows, which come series by series, to the columns of their asks."""
    for ask, place, ts, num, json, quality, attributes, rank, unit, source, scenario in rows:
        question, lines = asks[ask][1], found[ask]
        name = lines[-1].name if lines else None
        if name is None or (name.scenario or sql.NO_SCENARIO, name.source, name.key) != (scenario, source, question.keys[place]):
            lines.append(Columns(_series_name(question.keys[place], unit, source, scenario, question.aggregation)))
        line = lines[-1]
        if rank > question.limit and question.aggregation is not Aggregation.LTTB:
            lines[-1] = replace(line, next_start=ts)
            continue
        line.timestamps.append(ts)
        line.values.append(json if num is None else num)
        line.qualities.append(sql.QUALITIES.get(quality))
        line.attributes.append(attributes)


def _series_name(key: str, unit: str | None, source: str, scenario: UUID, aggregation: Aggregation = Aggregation.NONE) -> SeriesName:
    """A count of points is a pure number, whatever the points measure."""
    of = None if scenario == sql.NO_SCENARIO else scenario
    return SeriesName(key, "1" if aggregation is Aggregation.COUNT else unit, TelemetrySource(source), of)


async def _answer(question: Window, found: list[Columns]) -> Answer | BadUserInput:
    lines: list[Columns] = []
    for line in found:
        match question.aggregation:
            case Aggregation.LTTB:
                lines.append(await _thinned(line, question.limit))
            case Aggregation.COUNT:
                lines.append(replace(line, values=[int(count) for count in line.values if isinstance(count, float)]))
            case Aggregation.AVG | Aggregation.SUM:
                if not all(isinstance(value, float) and isfinite(value) for value in line.values):
                    return BadUserInput(f"A {question.aggregation} of {line.name.key!r} is too large for a number: shorten intervalMs")
                lines.append(line)
            case _:
                lines.append(line)
    truncated = any(line.next_start is not None for line in lines)
    return Answer(tuple(_with_empty_ones(question, lines)), truncated)


def _with_empty_ones(question: Window, lines: Iterable[Columns]) -> Iterable[Columns]:
    """Every key has a series: where it has no points, an empty one of the kind that was asked for."""
    by_key: dict[str, list[Columns]] = {key: [] for key in question.keys}
    for line in lines:
        by_key[line.name.key].append(line)
    asked = question.series
    if asked.source is TelemetrySourceFilter.SIMULATED:
        source, scenario = TelemetrySource.SIMULATED, asked.scenario
    else:
        source, scenario = TelemetrySource.REAL, None
    for key, found in by_key.items():
        yield from found or (Columns(SeriesName(key, None, source, scenario)),)


async def _thinned(line: Columns, limit: int) -> Columns:
    """At most `limit` of the points, first and last among them, by Largest Triangle Three Buckets (Steinarsson, 2013)."""
    count = len(line.timestamps)
    if count <= limit:
        return line
    if limit < 3:  # the method needs a bucket between the ends
        kept = [0, count - 1][:limit]
    elif count < _THREAD_FROM:
        kept = _largest_triangles(line, limit)
    else:
        kept = await asyncio.to_thread(_largest_triangles, line, limit)
    return Columns(
        line.name,
        [line.timestamps[index] for index in kept],
        [line.values[index] for index in kept],
        [line.qualities[index] for index in kept],
        [line.attributes[index] for index in kept],
    )


def _largest_triangles(line: Columns, limit: int) -> list[int]:
    times, values = np.asarray(line.timestamps, dtype=np.int64), np.asarray(line.values, dtype=np.float64)
    kept: list[int] = _LTTB.downsample(times, values, n_out=limit).tolist()
    return kept


async def latest_points(store: Store, tenant: str, asks: Sequence[tuple[UUID, Latest]]) -> list[list[Point]]:
    """For each ask the newest point of each series that it means, by key, measured before simulated."""
    asked, questions = _numbered(asks)
    rows = [
        (number, place, key, *_source_terms(question.series), None, None, None, None, None)
        for number, question in enumerate(questions)
        for place, key in enumerate((None,) if question.keys is None else question.keys)
    ]
    found: list[list[Point]] = [[] for _ in asks]
    parameters = {"tenant": tenant, "asks": asked, "windows": rows_parameter(rows)}
    async with store.read() as connection:
        result = await connection.stream(sql.latest_statement(), parameters)
        async for partition in result.partitions(_ROWS_AT_A_TIME):
            for ask, key, unit, source, scenario, ts, num, json, quality, attributes in partition:
                name = _series_name(key, unit, source, scenario)
                value = json if num is None else num
                found[ask].append(Point(ts, name, value, sql.QUALITIES.get(quality), attributes))
    return found


async def key_ranges(store: Store, tenant: str, entities: Sequence[UUID]) -> list[list[KeyRange]]:
    """For each entity the keys that it has points of, in code-point order; the unit is that of the measured series, if any."""
    found: list[dict[str, KeyRange]] = [{} for _ in entities]
    parameters = {"tenant": tenant, "asks": _entity_rows(entities)}
    async with store.read() as connection:
        result = await connection.stream(sql.ranges_statement(), parameters)
        async for partition in result.partitions(_ROWS_AT_A_TIME):
            for ask, key, unit, first, last in partition:
                known = found[ask].get(key, KeyRange(key, unit, first, last))
                found[ask][key] = KeyRange(key, known.unit or unit, min(known.first, first), max(known.last, last))
    return [list(ranges.values()) for ranges in found]


async def last_seen(store: Store, tenant: str, entities: Sequence[UUID]) -> list[int | None]:
    """For each entity the time of its newest measured point; simulated ones say nothing about a device being alive."""
    found: list[int | None] = [None] * len(entities)
    parameters = {"tenant": tenant, "asks": _entity_rows(entities)}
    async with store.read() as connection:
        for ask, last in await connection.execute(sql.last_seen_statement(), parameters):
            found[ask] = last
    return found


def _entity_rows(entities: Sequence[UUID]) -> str:
    return rows_parameter((ask, entity, 0) for ask, entity in enumerate(entities))
