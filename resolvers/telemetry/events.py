"""What telemetry tells those who listen: the points that were stored, entity by entity, in columns as they came.

Not kept in the journal: the points themselves are in the store, for who has missed an event.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from graph.contracts import Event
from resolvers.telemetry.records import SeriesPoints, TelemetrySource

KIND = "TelemetryReceived"
MAX_POINTS = 1_000
"""In one event; more become several."""


def channel(entity: UUID) -> str:
    return f"telemetry/{entity}"


def received(tenant: str, at: int, stored: Iterable[SeriesPoints]) -> list[Event]:
    """The events of a call, each entity's in the order of its points.

    A payload has `entity`, `source`, `scenario` (null for measured points) and `series`: each with `key`, `unit`, `quality` and the
    columns `timestamps`, `values` and `attributes` (null where no point has any). All series of an event have one source.
    """
    of_entities: defaultdict[tuple[UUID, TelemetrySource, UUID | None], list[SeriesPoints]] = defaultdict(list)
    for line in stored:
        of_entities[line.entity, line.source, line.scenario].append(line)
    events: list[Event] = []
    for (entity, source, scenario), lines in of_entities.items():
        head = {"entity": str(entity), "source": source.value, "scenario": None if scenario is None else str(scenario)}
        events += [Event(tenant, channel(entity), KIND, at, {**head, "series": series}) for series in _portions(lines)]
    return events


def _portions(lines: Iterable[SeriesPoints]) -> Iterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    room = MAX_POINTS
    for line in lines:
        start = 0
        while start < len(line.timestamps):
            part = _cut(line, start, start + room)
            portion.append(_columns(part))
            start += len(part.timestamps)
            room -= len(part.timestamps)
            if not room:
                yield portion
                portion, room = [], MAX_POINTS
    if portion:
        yield portion


def _cut(line: SeriesPoints, start: int, end: int) -> SeriesPoints:
    if start == 0 and len(line.timestamps) <= end:
        return line
    attributes = None if line.attributes is None else line.attributes[start:end]
    return replace(line, timestamps=line.timestamps[start:end], values=line.values[start:end], attributes=attributes)


def _columns(line: SeriesPoints) -> dict[str, Any]:
    return {
        "key": line.key,
        "unit": line.unit,
        "quality": None if line.quality is None else line.quality.value,
        "timestamps": line.timestamps,
        "values": line.values,
        "attributes": line.attributes,
    }
