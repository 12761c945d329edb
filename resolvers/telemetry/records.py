"""What telemetry is made of: series, points, and the questions that can be asked about them. No SQL, no GraphQL.

A *series* is one line of a chart: one key of one entity from one source, and of one scenario where it is simulated. A key
that is measured and also simulated in two scenarios is three series, and no answer ever mixes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from itertools import chain, groupby
from typing import NamedTuple, TypeAlias, TypeGuard
from uuid import UUID

JSONValue: TypeAlias = "bool | int | float | str | Sequence[JSONValue] | Mapping[str, JSONValue] | None"
TelemetryValue: TypeAlias = bool | int | float | str | Mapping[str, JSONValue]


def is_number(value: TelemetryValue) -> TypeGuard[int | float]:
    """A boolean is none, whatever Python says."""
    return isinstance(value, int | float) and not isinstance(value, bool)


MAX_KEYS = 100
MAX_POINTS = 1_000_000
MAX_ROWS = 2 * MAX_POINTS
"""What may be read for one answer: points to be thinned out, and the first ones that limits leave out, come on top."""
MAX_TIMESTAMP = 2**53
"""Both ways from 1970: what a JSON number holds exactly, and some 285,000 years."""


class TelemetrySource(StrEnum):
    REAL = "REAL"
    SIMULATED = "SIMULATED"


class TelemetrySourceFilter(StrEnum):
    """`SIMULATED` without a scenario means every scenario, each its own series."""

    REAL = "REAL"
    SIMULATED = "SIMULATED"
    BOTH = "BOTH"


class TelemetryQuality(StrEnum):
    RAW = "RAW"
    VALIDATED = "VALIDATED"
    SIMULATED = "SIMULATED"


class Aggregation(StrEnum):
    """How the points of a window become the points of an answer."""

    NONE = "NONE"
    AVG = "AVG"
    MIN = "MIN"
    MAX = "MAX"
    SUM = "SUM"
    COUNT = "COUNT"
    LTTB = "LTTB"

    @property
    def has_buckets(self) -> bool:
        """True where it takes an interval and gives one value for each."""
        return self not in (Aggregation.NONE, Aggregation.LTTB)


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """Which series of a key are meant. `scenario` narrows the simulated ones; measured ones have none."""

    source: TelemetrySourceFilter = TelemetrySourceFilter.BOTH
    scenario: UUID | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A question about some keys over some time; hashable, because many entities are asked the same.

    `start` is inclusive, `end` exclusive, both epoch milliseconds. `limit` counts points a key, over all of its series; with
    LTTB it counts points a series, since each line of a chart is thinned out by itself.
    """

    keys: tuple[str, ...]
    start: int
    end: int
    aggregation: Aggregation = Aggregation.NONE
    interval: int | None = None
    series: SeriesFilter = SeriesFilter()
    limit: int = 10_000


@dataclass(frozen=True, slots=True)
class Latest:
    """A question for the newest point of each series; of all keys where `keys` is None."""

    keys: tuple[str, ...] | None
    series: SeriesFilter = SeriesFilter(TelemetrySourceFilter.REAL)


@dataclass(frozen=True, slots=True)
class SeriesName:
    """What a series is called within its entity. `unit` (UCUM) describes its numbers and does not identify it."""

    key: str
    unit: str | None
    source: TelemetrySource
    scenario: UUID | None = None


class Point(NamedTuple):
    """A tuple, because an answer may have a million: a frozen dataclass takes three times as long to make."""

    timestamp: int
    series: SeriesName
    value: TelemetryValue
    quality: TelemetryQuality | None = None
    attributes: Mapping[str, JSONValue] | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The points of one series in an answer, oldest first; all lists have the same length.

    `next_start` is the time of the first point that `limit` left out: a window that starts there goes on without a gap.
    """

    name: SeriesName
    timestamps: list[int] = field(default_factory=list)
    values: list[TelemetryValue] = field(default_factory=list)
    qualities: list[TelemetryQuality | None] = field(default_factory=list)
    attributes: list[Mapping[str, JSONValue] | None] = field(default_factory=list)
    next_start: int | None = None

    def points(self) -> list[Point]:
        rows = zip(self.timestamps, self.values, self.qualities, self.attributes, strict=True)
        return [Point(timestamp, self.name, value, quality, more) for timestamp, value, quality, more in rows]


@dataclass(frozen=True, slots=True)
class Answer:
    """To one window of one entity. `columns` are by key in the order asked, then measured before simulated, then by scenario;
    a key without points has one empty series. `truncated` where a key has more points than the limit."""

    columns: tuple[Columns, ...]
    truncated: bool

    def points(self) -> list[Point]:
        """Key by key, oldest first."""
        by_key = groupby(self.columns, key=lambda columns: columns.name.key)
        return list(chain.from_iterable(_by_time([columns.points() for columns in group]) for _, group in by_key))


def _by_time(lines: list[list[Point]]) -> Iterable[Point]:
    return lines[0] if len(lines) == 1 else merge(*lines, key=lambda point: point.timestamp)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A key that an entity has points of, in whatever series, and the time they span."""

    key: str
    unit: str | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series to store. `quality` goes for all of them; `attributes`, where given, has one for each point."""

    entity: UUID
    key: str
    unit: str | None
    source: TelemetrySource
    timestamps: Sequence[int]
    values: Sequence[TelemetryValue]
    scenario: UUID | None = None
    quality: TelemetryQuality | None = None
    attributes: Sequence[Mapping[str, JSONValue] | None] | None = None
