"""The demo's traffic counts against figures of the original table, and the scenario made of them."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pyproj import Geod

from graph.contracts import source_uuid
from resolvers.city_objects.records import CityObjectType
from resolvers.integrations import traffic_counts
from resolvers.integrations.openstreetmap.reader import Feature, read
from resolvers.telemetry.records import TelemetryQuality, TelemetrySource

DEMO = Path(__file__).parents[3] / "demo"

# Of the parquet file: detector, and the sum and the largest of its counts.
FIGURES = """
1 1714 9, 2 47298 54, 3 148043 146, 4 93406 144, 5 78409 154, 6 84403 111, 7 12907 34, 8 29742 50, 9 6686 18, 13 682 6,
14 7977 19, 15 18499 36, 16 21362 37, 17 170132 157, 18 99494 174, 19 51915 141, 20 104483 129, 21 42711 54, 22 13547 35,
23 7396 45, 27 8625 33, 28 2325 13
"""
SUMS = {detector: (total, most) for detector, total, most in (map(int, figures.split()) for figures in FIGURES.split(","))}


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_counts_when_read_then_they_are_those_of_the_source() -> None:
    counts = traffic_counts.read_counts(DEMO / "traffic_counts.csv.gz")

    assert {column.detector: (sum(column.vehicles), max(column.vehicles)) for column in counts} == SUMS
    assert sum(len(column.vehicles) for column in counts) == 54_824
    assert {len(column.timestamps) for column in counts} == {2_492}
    assert {column.timestamps[0] for column in counts} == {_milliseconds("2024-04-18T00:00:00")}
    assert {column.timestamps[-1] for column in counts} == {_milliseconds("2024-05-13T23:45:00")}


def test_counts_when_a_cell_is_empty_then_there_is_no_count(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv.gz"
    path.write_bytes(gzip.compress(b"timestamp,1,7\n1970-01-01T00:00:00Z,,5\n1970-01-01T00:15:00Z,0,6\n"))

    counts = traffic_counts.read_counts(path)

    assert counts == [traffic_counts.Counts(1, [900_000], [0]), traffic_counts.Counts(7, [0, 900_000], [5, 6])]


def test_sensors_when_read_then_each_says_that_its_counts_are_samples() -> None:
    sensors = traffic_counts.read_sensors(DEMO / "traffic_sensors.json")

    assert [sensor.source_id for sensor in sensors] == [str(detector) for detector in SUMS]
    assert {(sensor.type, sensor.source) for sensor in sensors} == {(CityObjectType.SENSOR, "demo-traffic")}
    first = sensors[0]
    assert first.name == "Traffic counter 1, Läntinen Teatterikuja / Vilhonkatu"
    assert first.geometry.wkt == "POINT (24.9434474 60.1718908)"
    assert first.attributes["sensorType"] == "TRAFFIC_COUNTER"
    assert first.attributes["sampleData"] is True
    assert "sample data from another place" in first.attributes["dataNote"]
    assert first.attributes["dataLicence"] == "MIT, © 2024 Shawn Strasser"


def test_sensors_when_placed_then_every_building_has_one_within_400_metres() -> None:
    sensors = [sensor.geometry.centroid for sensor in traffic_counts.read_sensors(DEMO / "traffic_sensors.json")]
    buildings = [
        thing.geometry.centroid
        for thing in read(DEMO / "helsinki.osm.pbf")
        if isinstance(thing, Feature) and thing.rule.type is CityObjectType.BUILDING
    ]

    ellipsoid = Geod(ellps="WGS84")
    nearest = [min(ellipsoid.inv(b.x, b.y, sensor.x, sensor.y)[2] for sensor in sensors) for b in buildings]
    assert len(nearest) == 446
    assert round(max(nearest), 1) == 335.4


def test_sensors_when_placed_then_each_stands_on_drivable_roads_of_the_map() -> None:
    places = json.loads((DEMO / "traffic_sensors.json").read_text(encoding="utf-8"))
    on_roads = {
        point
        for thing in read(DEMO / "helsinki.osm.pbf")
        if isinstance(thing, Feature) and thing.rule.type is CityObjectType.ROAD and thing.lacking is None
        for point in thing.geometry.coords
    }

    assert {(place["longitude"], place["latitude"]) for place in places} <= on_roads
    assert len({place["osmNode"] for place in places}) == 22
    assert all(len(place["streets"]) > 1 for place in places)


def test_measured_when_made_then_one_raw_series_a_detector() -> None:
    counts = traffic_counts.read_counts(DEMO / "traffic_counts.csv.gz")

    series = list(traffic_counts.measured("T", counts))

    assert [points.entity for points in series] == [source_uuid("T", "demo-traffic", str(detector)) for detector in SUMS]
    assert {(p.key, p.unit, p.source, p.scenario, p.quality) for p in series} == {
        ("vehicleCount", "{vehicle}", TelemetrySource.REAL, None, TelemetryQuality.RAW)
    }


def test_simulated_when_made_then_the_week_of_eight_detectors_has_lower_peaks() -> None:
    counts = traffic_counts.read_counts(DEMO / "traffic_counts.csv.gz")

    series = list(traffic_counts.simulated("T", counts))

    assert [points.entity for points in series] == [source_uuid("T", "demo-traffic", str(d)) for d in (3, 4, 5, 6, 17, 18, 19, 20)]
    assert {(p.key, p.unit, p.source, p.scenario, p.quality) for p in series} == {
        (
            "vehicleCount",
            "{vehicle}",
            TelemetrySource.SIMULATED,
            UUID("b2f7a9a4-3c1d-4e58-9d26-7a1f0c5e8b43"),
            TelemetryQuality.SIMULATED,
        )
    }
    assert sum(len(points.timestamps) for points in series) == 5_368
    assert {points.timestamps[0] for points in series} == {_milliseconds("2024-05-06T00:00:00")}
    assert {points.timestamps[-1] for points in series} == {_milliseconds("2024-05-12T23:45:00")}
    assert [max(points.values) for points in series] == [85, 78, 92, 66, 87, 104, 84, 77]


def test_lanes_closed_when_a_peak_exceeds_the_bottleneck_then_vehicles_wait() -> None:
    # 85 % of 100, 200, 10, 0 and 20 arrive; at most 60 % of 200 pass at a time.
    assert traffic_counts.lanes_closed([100, 200, 10, 0, 20]) == [85, 120, 58, 0, 17]


def test_lanes_closed_when_nothing_was_counted_then_nothing_passes() -> None:
    assert traffic_counts.lanes_closed([]) == []
    assert traffic_counts.lanes_closed([0, 0]) == [0, 0]
