"""Scenarios beside the measured data: the same keys over the same buckets of time, one column each on one axis, and how far off they are.

Errors are told only where both columns are in one unit, or in none: a difference of degrees and kelvins says nothing. A figure that no
double can hold is left out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.records import MAX_POINTS, Aggregation, Answer, Columns, SeriesFilter, SeriesName, TelemetrySourceFilter, Window

MAX_SCENARIOS = 20

_Numbers: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Over one column's values. The two errors are against the measured column of the key, over the times that both have."""

    mean: float | None
    min: float | None
    max: float | None
    mean_absolute_error: float | None
    root_mean_square_error: float | None


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """`values` has one for each time of the comparison; None where the series has no point."""

    name: SeriesName
    values: Sequence[float | None]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Comparison:
    """`timestamps` are the starts of all buckets in which any column has points."""

    timestamps: Sequence[int]
    columns: Sequence[ComparedColumn]


def compared_windows(
    *, keys: Sequence[str], scenarios: Sequence[UUID], start: int, end: int, aggregation: Aggregation, interval: int
) -> list[Window]:
    """A checked window for the measured data and for each scenario, as asked; raises `BadUserInput`. One named twice counts once."""
    if len(scenarios) > MAX_SCENARIOS:
        raise BadUserInput(f"scenarioIds names {len(scenarios)} scenarios: at most {MAX_SCENARIOS} can be compared at once")
    if not aggregation.has_buckets:
        raise BadUserInput(f"aggregation is {aggregation}: a comparison needs buckets, so one of AVG, MIN, MAX, SUM and COUNT")
    series = [SeriesFilter(TelemetrySourceFilter.REAL)]
    series += [SeriesFilter(TelemetrySourceFilter.SIMULATED, scenario) for scenario in dict.fromkeys(scenarios)]
    return [
        queries.window(keys=keys, start=start, end=end, aggregation=aggregation, interval=interval, series=one, limit=MAX_POINTS)
        for one in series
    ]


async def compare(store: Store, tenant: str, entity: UUID, windows: Sequence[Window]) -> Comparison:
    """One statement. Columns are by key as asked, the measured one first, then the scenarios as asked.

    Raises `BadUserInput` where the columns would have more than `MAX_POINTS` places in all.
    """
    answers: list[Answer] = []
    for answer in await queries.windows(store, tenant, [(entity, window) for window in windows]):
        if isinstance(answer, BadUserInput):
            raise answer
        answers.append(answer)
    return await asyncio.to_thread(_compared, answers)


def _compared(answers: Sequence[Answer]) -> Comparison:
    """Each answer has one series a key, as each asks for one source, and for one scenario."""
    by_key = [column for columns in zip(*(answer.columns for answer in answers), strict=True) for column in columns]
    times = np.unique(np.concatenate([np.asarray(column.timestamps, dtype=np.int64) for column in by_key] or [np.zeros(0, np.int64)]))
    if len(times) * len(by_key) > MAX_POINTS:
        raise BadUserInput(
            f"The comparison would have {len(by_key)} columns of {len(times):,} buckets, more than {MAX_POINTS:,} values:"
            " ask for fewer keys or scenarios, a shorter range, or a longer intervalMs"
        )
    columns: list[ComparedColumn] = []
    for place, column in enumerate(by_key):
        measured = by_key[place - place % len(answers)]
        columns.append(ComparedColumn(column.name, _aligned(column, times), _figures(column, measured)))
    return Comparison(times.tolist(), columns)


def _aligned(column: Columns, times: npt.NDArray[np.int64]) -> list[float | None]:
    values: list[float | None] = [None] * len(times)
    for place, value in zip(np.searchsorted(times, column.timestamps).tolist(), _numbers(column).tolist(), strict=True):
        values[place] = value
    return values


def _numbers(column: Columns) -> _Numbers:
    """The values of buckets, which are numbers."""
    return np.asarray(column.values, dtype=np.float64)


def _figures(column: Columns, measured: Columns) -> Figures:
    values = _numbers(column)
    if not len(values):
        return Figures(None, None, None, None, None)
    absolute, square = _errors(column, measured)
    return Figures(_mean(values), float(values.min()), float(values.max()), absolute, square)


def _errors(column: Columns, measured: Columns) -> tuple[float | None, float | None]:
    if column is measured or column.name.unit != measured.name.unit:
        return None, None
    _, here, there = np.intersect1d(column.timestamps, measured.timestamps, assume_unique=True, return_indices=True)
    if not len(here):
        return None, None
    with np.errstate(over="ignore"):
        off = np.abs(_numbers(column)[here] - _numbers(measured)[there])
        largest = off.max()
        # Scaled by the largest, so that squares of large numbers stay within a double.
        square = largest * np.sqrt(np.mean((off / largest) ** 2)) if 0 < largest < np.inf else largest
    return _mean(off), _finite(square)


def _mean(values: _Numbers) -> float | None:
    with np.errstate(over="ignore"):
        return _finite(values.mean())


def _finite(figure: Any) -> float | None:
    return float(figure) if isfinite(figure) else None
