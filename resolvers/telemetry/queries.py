"""What can be asked of telemetry: windows of points, raw, in buckets or thinned out; newest points; keys; the last sign of life.

Each function takes all askers of a request at once and runs one statement. Arguments are checked where a question is made
(`window`, `latest`), so that a wrong one costs no statement at all.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice
from json import loads
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from sqlalchemy import Select
from tsdownsample import LTTBDownsampler
from tsdownsample.downsampling_interface import AbstractDownsampler

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.stores.outages import sqlstate
from resolvers.stores.rows import rows_parameter
from resolvers.telemetry import store as sql
from resolvers.telemetry.records import (
    MAX_KEYS,
    MAX_POINTS,
    MAX_ROWS,
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
    is_number,
)

_ROWS_AT_A_TIME = 2_000
"""So many rows are taken over before the event loop has its turn again: some three milliseconds."""

_THREAD_FROM = 5_000
"""Points in all from which on cutting and thinning them out is left to a thread."""

_OUT_OF_RANGE = "22003"
"""PostgreSQL's code for a number that no double reaches."""

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
    longest = max((question.limit for question in questions), default=0)
    parameters = {"tenant": tenant, "asks": asked, "windows": rows_parameter(_window_rows(questions)), "longest": longest}
    kinds = _kinds(questions)
    try:
        found = await _found(store, asks, kinds, parameters)
    except Exception as error:
        if sqlstate(error) != _OUT_OF_RANGE:
            raise
        found = await _found(store, asks, replace(kinds, exact=True), parameters)
    if sum(len(line.timestamps) for lines in found for line in lines) < _THREAD_FROM:
        return _answers(asks, found)
    return await asyncio.to_thread(_answers, asks, found)


async def _found(
    store: Store, asks: Sequence[tuple[UUID, Window]], kinds: sql.WindowKinds, parameters: Mapping[str, Any]
) -> list[list[Columns]]:
    """The series of each ask."""
    found: list[list[Columns]] = [[] for _ in asks]
    line: Columns | None = None
    take_over = _take_over_points if kinds.have_raw_points else _take_over_buckets
    async with aclosing(_rows(store, sql.windows_statement(store.dialect, kinds), parameters)) as parts:
        async for rows in parts:
            line = take_over(rows, line, asks, found)
    return found


def _answers(asks: Sequence[tuple[UUID, Window]], found: Sequence[list[Columns]]) -> list[Answer | BadUserInput]:
    answers = [_answer(question, lines) for (_, question), lines in zip(asks, found, strict=True)]
    points = sum(len(line.timestamps) for answer in answers if isinstance(answer, Answer) for line in answer.columns)
    if points > MAX_POINTS:
        raise _too_many_points()
    return answers


def _kinds(questions: Sequence[Window]) -> sql.WindowKinds:
    long = any((asked.end - asked.start) // asked.interval >= asked.limit for asked in questions if asked.interval is not None)
    return sql.WindowKinds(frozenset(question.aggregation for question in questions), long)


async def _rows(store: Store, statement: Select[Any], parameters: Mapping[str, Any]) -> AsyncGenerator[Sequence[tuple[Any, ...]]]:
    """The statement's rows, some at a time, so that the event loop has its turn in between."""
    count = 0
    async with store.read() as connection:
        result = await connection.stream(statement, parameters)
        async for rows in result.partitions(_ROWS_AT_A_TIME):
            count += len(rows)
            if count > MAX_ROWS:
                raise _too_many_points()
            yield rows


def _too_many_points() -> BadUserInput:
    return BadUserInput(
        f"The answer would have, or need, more than {MAX_POINTS:,} points: ask for fewer entities or keys, a shorter window,"
        " a smaller limit, or an aggregation"
    )


def _numbered(asks: Sequence[tuple[UUID, _Question]]) -> tuple[str, list[_Question]]:
    """The parameter `asks`, and the distinct questions by the numbers that it gives them."""
    numbers: dict[_Question, int] = {}
    rows: list[tuple[int, UUID, int]] = []
    # Most follow one that asks the same: to hash a question takes longer than all else here.
    for question, some in groupby(enumerate(asks), key=lambda numbered: numbered[1][1]):
        number = numbers.setdefault(question, len(numbers))
        rows += [(ask, entity, number) for ask, (entity, _) in some]
    return rows_parameter(rows), list(numbers)


def _window_rows(questions: Sequence[Window]) -> Iterable[tuple[str | int | UUID | None, ...]]:
    for number, asked in enumerate(questions):
        most = None if asked.aggregation is Aggregation.LTTB else asked.limit
        terms = (*_source_terms(asked.series), asked.aggregation, asked.start, asked.end, asked.interval, most)
        yield from ((number, place, key, *terms) for place, key in enumerate(asked.keys))


def _source_terms(series: SeriesFilter) -> tuple[str | None, UUID | None]:
    return (None if series.source is TelemetrySourceFilter.BOTH else series.source.value, series.scenario)


def _take_over_points(
    rows: Iterable[tuple[Any, ...]], line: Columns | None, asks: Sequence[tuple[UUID, Window]], found: list[list[Columns]]
) -> Columns | None:
    """Puts rows into the columns of their asks. `line` is the series that the rows before these ended in; returns theirs."""
    for ask, place, unit, source, scenario, ts, num, json, quality, attributes in rows:
        if ts is None:
            line = _next_line(asks, found, ask, place, unit, source, scenario)
        elif line is not None:
            line.timestamps.append(ts)
            line.values.append(loads(json) if num is None else num)
            line.qualities.append(sql.QUALITIES.get(quality))
            line.attributes.append(None if attributes is None else loads(attributes))
    return line


def _take_over_buckets(
    rows: Iterable[tuple[Any, ...]], line: Columns | None, asks: Sequence[tuple[UUID, Window]], found: list[list[Columns]]
) -> Columns | None:
    """The same for rows of nothing but time and number."""
    for ask, place, unit, source, scenario, ts, num in rows:
        if ts is None:
            line = _next_line(asks, found, ask, place, unit, source, scenario)
        elif line is not None:
            line.timestamps.append(ts)
            line.values.append(num)
            line.qualities.append(None)
            line.attributes.append(None)
    return line


def _next_line(
    asks: Sequence[tuple[UUID, Window]],
    found: list[list[Columns]],
    ask: int,
    place: int,
    unit: str | None,
    source: str,
    scenario: UUID | None,
) -> Columns:
    question = asks[ask][1]
    line = Columns(_series_name(question.keys[place], unit, source, scenario, question.aggregation))
    found[ask].append(line)
    return line


@lru_cache(maxsize=4_096)
def _series_name(key: str, unit: str | None, source: str, scenario: UUID | None, aggregation: Aggregation = Aggregation.NONE) -> SeriesName:
    """A count of points is a pure number, whatever the points measure."""
    return SeriesName(key, "1" if aggregation is Aggregation.COUNT else unit, TelemetrySource(source), scenario)


def _answer(question: Window, found: Iterable[Columns]) -> Answer | BadUserInput:
    lines = [line for line in found if line.timestamps]
    match question.aggregation:
        case Aggregation.LTTB:
            lines = [_thinned(line, question.limit) for line in lines]
        case Aggregation.COUNT:
            lines = [replace(line, values=[int(count) for count in line.values if is_number(count)]) for line in lines]
        case Aggregation.AVG | Aggregation.SUM:
            for line in lines:
                if not all(is_number(value) and isfinite(value) for value in line.values):
                    return BadUserInput(f"A {question.aggregation} of {line.name.key!r} exceeds a double: shorten intervalMs")
    columns: list[Columns] = []
    for key in question.keys:
        of_key = [line for line in lines if line.name.key == key] or [_empty_series(key, question.series)]
        columns += of_key if question.aggregation is Aggregation.LTTB else _within(question.limit, of_key)
    return Answer(tuple(columns), truncated=any(line.next_start is not None for line in columns))


def _within(limit: int, lines: list[Columns]) -> list[Columns]:
    """The series of one key, cut after the oldest `limit` points of all of them."""
    if sum(len(line.timestamps) for line in lines) <= limit:
        return lines
    by_time = merge(*([(time, number) for time in line.timestamps] for number, line in enumerate(lines)))
    kept = Counter(number for _, number in islice(by_time, limit))
    return [_cut(line, kept[number]) for number, line in enumerate(lines)]


def _cut(line: Columns, count: int) -> Columns:
    if count == len(line.timestamps):
        return line
    return Columns(
        line.name,
        line.timestamps[:count],
        line.values[:count],
        line.qualities[:count],
        line.attributes[:count],
        next_start=line.timestamps[count],
    )


def _empty_series(key: str, asked: SeriesFilter) -> Columns:
    """What stands for a key without points: a series of the kind that was asked for."""
    if asked.source is TelemetrySourceFilter.SIMULATED:
        return Columns(SeriesName(key, None, TelemetrySource.SIMULATED, asked.scenario))
    return Columns(SeriesName(key, None, TelemetrySource.REAL))


def _thinned(line: Columns, limit: int) -> Columns:
    """At most `limit` of the points, first and last among them, by Largest Triangle Three Buckets (Steinarsson, 2013)."""
    count = len(line.timestamps)
    if count <= limit:
        return line
    # The method needs a bucket between the ends.
    kept = [0, count - 1][:limit] if limit < 3 else _largest_triangles(line, limit)
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
    async with aclosing(_rows(store, sql.latest_statement(store.dialect), parameters)) as parts:
        async for part in parts:
            for ask, key, unit, source, scenario, ts, num, json, quality, attributes in part:
                name = _series_name(key, unit, source, scenario)
                value = loads(json) if num is None else num
                more = None if attributes is None else loads(attributes)
                found[ask].append(Point(ts, name, value, sql.QUALITIES.get(quality), more))
    several = [points for points in found if len(points) > 1]
    if sum(map(len, several)) > _THREAD_FROM:
        await asyncio.to_thread(_sort_by_series, several)
    else:
        _sort_by_series(several)
    return found


def _sort_by_series(lists: Iterable[list[Point]]) -> None:
    for points in lists:
        points.sort(key=_series_order)


def _series_order(point: Point) -> tuple[str, str, UUID]:
    name = point.series
    return name.key, name.source, name.scenario or sql.NO_SCENARIO


async def key_ranges(store: Store, tenant: str, entities: Sequence[UUID]) -> list[list[KeyRange]]:
    """For each entity the keys that it has points of, in code-point order; the unit is that of the measured series, if any."""
    found: list[dict[str, KeyRange]] = [{} for _ in entities]
    parameters = {"tenant": tenant, "asks": _entity_rows(entities)}
    async with aclosing(_rows(store, sql.ranges_statement(store.dialect), parameters)) as parts:
        async for part in parts:
            for ask, key, unit, first, last in part:
                known = found[ask].get(key, KeyRange(key, unit, first, last))
                found[ask][key] = KeyRange(key, known.unit or unit, min(known.first, first), max(known.last, last))
    return [list(ranges.values()) for ranges in found]


async def last_seen(store: Store, tenant: str, entities: Sequence[UUID]) -> list[int | None]:
    """For each entity the time of its newest measured point; simulated ones say nothing about a device being alive."""
    found: list[int | None] = [None] * len(entities)
    parameters = {"tenant": tenant, "asks": _entity_rows(entities)}
    async with store.read() as connection:
        for ask, last in await connection.execute(sql.last_seen_statement(store.dialect), parameters):
            found[ask] = last
    return found


def _entity_rows(entities: Sequence[UUID]) -> str:
    return rows_parameter((ask, entity, 0) for ask, entity in enumerate(entities))
