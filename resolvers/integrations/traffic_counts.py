"""Reads the demo's traffic counts: sensors, what they counted, and what they would count were two lanes closed.

The counts are sample data from elsewhere and say so in each sensor's attributes; `demo/ATTRIBUTION.md` has source and
licences. The files are made by `demo/convert_traffic.py` so that reading them needs the standard library alone.
"""

import csv
import gzip
import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from shapely import Point

from graph.contracts import source_uuid
from resolvers.city_objects.records import CityObjectDraft, CityObjectType
from resolvers.telemetry.records import SeriesPoints, TelemetryQuality, TelemetrySource

SOURCE = "demo-traffic"
KEY = "vehicleCount"
UNIT = "{vehicle}"
"""UCUM: a pure number, annotated with what is counted."""

TWO_LANES_CLOSED = UUID("b2f7a9a4-3c1d-4e58-9d26-7a1f0c5e8b43")
CLOSED_DETECTORS = (3, 4, 5, 6, 17, 18, 19, 20)
CLOSED_FROM = datetime(2024, 5, 6, tzinfo=UTC)
CLOSED_UNTIL = datetime(2024, 5, 13, tzinfo=UTC)
_PERCENT_STAYING = 85
_PERCENT_CAPACITY = 60

_PROVENANCE = {
    "sampleData": True,
    "dataNote": "The counts are sample data from another place, given to this junction for demonstration; no such detector stands here.",
    "dataSource": "traffic_anomaly/data/sample_counts.parquet of the PyPI package traffic-anomaly 2.5.4",
    "dataLicence": "MIT, © 2024 Shawn Strasser",
    "locationLicence": "ODbL-1.0, © OpenStreetMap contributors",
}


class _Place(TypedDict):
    """A detector and its junction, as `traffic_sensors.json` has them."""

    detector: int
    osmNode: int
    longitude: float
    latitude: float
    streets: list[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """What one detector counted: vehicles in 15 minutes, by time stamp (epoch milliseconds, oldest first)."""

    detector: int
    timestamps: Sequence[int]
    vehicles: Sequence[int]


def read_sensors(path: Path) -> list[CityObjectDraft]:
    """A sensor a detector, at its junction."""
    places: list[_Place] = json.loads(path.read_text(encoding="utf-8"))
    return [_sensor(place) for place in places]


def read_counts(path: Path) -> list[Counts]:
    """All counts, detector by detector. A cell is empty where a detector has no count for the row's time."""
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        header, *rows = csv.reader(lines)
    times = [_milliseconds(datetime.fromisoformat(row[0])) for row in rows]
    return [_column(int(detector), times, [row[place] for row in rows]) for place, detector in enumerate(header) if place]


def measured(tenant: str, counts: Sequence[Counts]) -> Iterator[SeriesPoints]:
    """The counts as they are, one series a detector."""
    for column in counts:
        yield SeriesPoints(
            entity=source_uuid(tenant, SOURCE, str(column.detector)),
            key=KEY,
            unit=UNIT,
            source=TelemetrySource.REAL,
            timestamps=column.timestamps,
            values=column.vehicles,
            quality=TelemetryQuality.RAW,
        )


def simulated(tenant: str, counts: Sequence[Counts]) -> Iterator[SeriesPoints]:
    """The scenario `TWO_LANES_CLOSED` for its detectors and its week."""
    for column in counts:
        if column.detector not in CLOSED_DETECTORS:
            continue
        week = _between(column, _milliseconds(CLOSED_FROM), _milliseconds(CLOSED_UNTIL))
        yield SeriesPoints(
            entity=source_uuid(tenant, SOURCE, str(week.detector)),
            key=KEY,
            unit=UNIT,
            source=TelemetrySource.SIMULATED,
            scenario=TWO_LANES_CLOSED,
            timestamps=week.timestamps,
            values=lanes_closed(week.vehicles),
            quality=TelemetryQuality.SIMULATED,
        )


def lanes_closed(vehicles: Sequence[int]) -> list[int]:
    """What would pass in each interval: some drivers go another way, the rest queue at a bottleneck.

    Of the vehicles counted so far, `_PERCENT_STAYING` have come. In an interval no more than `_PERCENT_CAPACITY` of the busiest
    one pass; the others wait and come first in the next. All in whole vehicles, so that every machine gets the same.
    """
    capacity = max(vehicles, default=0) * _PERCENT_CAPACITY // 100
    gone = 0
    passed = []
    for counted in accumulate(vehicles):
        passed.append(min(counted * _PERCENT_STAYING // 100 - gone, capacity))
        gone += passed[-1]
    return passed


def _sensor(place: _Place) -> CityObjectDraft:
    detector, streets = place["detector"], place["streets"]
    return CityObjectDraft(
        type=CityObjectType.SENSOR,
        name=f"Traffic counter {detector}, {' / '.join(streets)}",
        source=SOURCE,
        source_id=str(detector),
        geometry=Point(place["longitude"], place["latitude"]),
        attributes={
            "sensorType": "TRAFFIC_COUNTER",
            "detector": detector,
            "streets": streets,
            "osmNode": place["osmNode"],
            **_PROVENANCE,
        },
    )


def _column(detector: int, times: Sequence[int], cells: Sequence[str]) -> Counts:
    counted = [(time, int(cell)) for time, cell in zip(times, cells, strict=True) if cell]
    return Counts(detector, [time for time, _ in counted], [vehicles for _, vehicles in counted])


def _between(column: Counts, start: int, end: int) -> Counts:
    """The counts from `start` on and before `end`."""
    first, last = bisect_left(column.timestamps, start), bisect_left(column.timestamps, end)
    return Counts(column.detector, column.timestamps[first:last], column.vehicles[first:last])


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
