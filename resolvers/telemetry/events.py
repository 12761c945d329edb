"""What telemetry tells those who listen: the points that were stored, entity by entity, in columns as they came.

Not kept in the journal: the points themselves are in the store, for who has missed an event.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from graph.contracts import Event
from resolvers.telemetry.records import SeriesPoints

KIND = "TelemetryReceived"
MAX_POINTS = 1_000
"""In one event; more become several."""


def channel(entity: UUID) -> str:
    return f"telemetry/{entity}"


def received(tenant: str, at: int, stored: Iterable[SeriesPoints]) -> list[Event]:
    """The events of a call, which has one source and, where that is simulated, one scenario.

    A payload has `entity`, `source`, `scenario` (null for measured points) and `series`: each with `key`, `unit`, `quality` and the
    columns `timestamps`, `values` and `attributes` (null where no point has any).
    """
    of_entities: defaultdict[UUID, list[SeriesPoints]] = defaultdict(list)
    for line in stored:
        of_entities[line.entity].append(line)
    events: list[Event] = []
    for entity, lines in of_entities.items():
        head = {"entity": str(entity), "source": lines[0].source.value, "scenario": None if (of := lines[0].scenario) is None else str(of)}
        at_channel = channel(entity)
        events += [Event(tenant, at_channel, KIND, at, {**head, "series": series}) for series in _portions(lines)]
    return events


def _portions(lines: Sequence[SeriesPoints]) -> Iterator[list[dict[str, Any]]]:
    if sum(len(line.timestamps) for line in lines) <= MAX_POINTS:
        yield [_columns(line) for line in lines]
        return
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
