"""Points as they come in, for one who watches some entities: those that come close together are told at once.

What was missed is told again from what the bus remembers (minutes, not days): the points themselves are in the store.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from graph.contracts import Bus, Event
from graph.errors import ResyncRequired
from resolvers.telemetry.events import channel
from resolvers.telemetry.records import (
    Latest,
    Point,
    SeriesFilter,
    SeriesName,
    TelemetryQuality,
    TelemetrySource,
    TelemetrySourceFilter,
)

__all__ = ["MAX_WAITING", "Received", "received"]

MAX_WAITING = 10_000
"""Points that a subscription holds back; with more, those that wait longest are told before their time."""
MAX_AT_ONCE = 1_000
"""Points of one entity from which on it is told at once, and with it those that wait longer: more would hold others up."""


@dataclass(frozen=True, slots=True)
class Received:
    """New points of one entity, in the order in which they came.

    `position` is the bus's: whoever resumes there misses nothing. It may hear once more what came in between others' points.
    """

    entity: UUID
    points: Sequence[Point]
    position: str


@dataclass(slots=True)
class _Waiting:
    """An entity's points since the first that is not told; `before` is what was heard ahead of that one."""

    due: float
    before: str
    points: list[Point] = field(default_factory=list)


@dataclass(slots=True)
class _Gathering:
    """What waits, the oldest first. All wait equally long, so that who came first is due first."""

    wanted: Latest
    seconds: float
    waiting: dict[UUID, _Waiting] = field(default_factory=dict)
    heard: str = ""
    points: int = 0
    crowded: bool = False

    def take(self, event: Event, now: float) -> None:
        before, self.heard = self.heard, event.position
        points = _points(event.payload, self.wanted)
        if points:
            entity = UUID(event.payload["entity"])
            mine = self.waiting.get(entity)
            if mine is None:
                mine = self.waiting[entity] = _Waiting(now + self.seconds, before)
            mine.points += points
            self.points += len(points)
            self.crowded |= len(mine.points) >= MAX_AT_ONCE

    def seconds_left(self, now: float) -> float | None:
        """Until somebody is due; None where nobody waits."""
        first = next(iter(self.waiting.values()), None)
        return None if first is None else max(0.0, first.due - now)

    def due(self, now: float) -> Received | None:
        """The next that is told now."""
        for entity, first in self.waiting.items():
            if first.due <= now or self.crowded or self.points > MAX_WAITING:
                return self.told(entity)
            break
        return None

    def told(self, entity: UUID) -> Received:
        points = self.waiting.pop(entity).points
        self.points -= len(points)
        self.crowded &= len(points) < MAX_AT_ONCE
        # What the next one waits for is not told yet, though the bus may have brought it before some of this.
        next_one = next(iter(self.waiting.values()), None)
        return Received(entity, points, self.heard if next_one is None else next_one.before)


async def received(
    bus: Bus, tenant: str, entities: Sequence[UUID], wanted: Latest, milliseconds: int, after: str | None = None
) -> AsyncGenerator[Received, None]:
    """The entities' new points of the series that `wanted` means; those that come within so many milliseconds at once.

    Raises `ResyncRequired` where `after` is too long ago, or points were dropped because they were not taken for too long.
    """
    now = asyncio.get_running_loop().time
    gathering = _Gathering(wanted, milliseconds / 1_000)
    async with bus.listen(tenant, [channel(entity) for entity in entities], after=after) as heard:
        arriving = asyncio.ensure_future(anext(heard))
        try:
            while True:
                await asyncio.wait({arriving}, timeout=gathering.seconds_left(now()))
                if arriving.done():
                    gathering.take(arriving.result(), now())
                    arriving = asyncio.ensure_future(anext(heard))
                while (told := gathering.due(now())) is not None:
                    yield told
        except ResyncRequired:
            # What came before the loss is whole.
            for entity in list(gathering.waiting):
                yield gathering.told(entity)
            raise
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)


def _points(payload: Mapping[str, Any], wanted: Latest) -> list[Point]:
    source = TelemetrySource(payload["source"])
    scenario = None if payload["scenario"] is None else UUID(payload["scenario"])
    if not _is_meant(source, scenario, wanted.series):
        return []
    points: list[Point] = []
    for line in payload["series"]:
        if wanted.keys is None or line["key"] in wanted.keys:
            name = SeriesName(line["key"], line["unit"], source, scenario)
            quality = None if line["quality"] is None else TelemetryQuality(line["quality"])
            attributes = line["attributes"] or [None] * len(line["timestamps"])
            rows = zip(line["timestamps"], line["values"], attributes, strict=True)
            points += [Point(timestamp, name, value, quality, more) for timestamp, value, more in rows]
    return points


def _is_meant(source: TelemetrySource, scenario: UUID | None, series: SeriesFilter) -> bool:
    """As the statements of `store` have it: a scenario narrows the simulated series, and measured ones have none."""
    if source is TelemetrySource.REAL:
        return series.source is not TelemetrySourceFilter.SIMULATED
    return series.source is not TelemetrySourceFilter.REAL and series.scenario in (None, scenario)
