"""Makes `traffic_counts.csv.gz` and `traffic_sensors.json`; run by a maintainer when a source has a new version.

    pip install pyarrow osmium pyproj
    pip download traffic-anomaly==2.5.4 --no-deps
    unzip traffic_anomaly-2.5.4-*.whl traffic_anomaly/data/sample_counts.parquet
    python demo/convert_traffic.py traffic_anomaly/data/sample_counts.parquet

The counts are copied exactly: one row for each 15 minutes, one column for each detector. The detectors stood at one
crossing far from Helsinki; to have something to look at, each is given a junction of the demo's own roads. The same
input gives the same bytes.
"""

import csv
import gzip
import io
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import osmium
import pyarrow.parquet
from pyproj import Geod

DEMO = Path(__file__).parent
CENTRAL_STATION = (24.9414, 60.1719)
_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
DRIVABLE = {*_ROADS, *(f"{road}_link" for road in _ROADS), "unclassified", "residential", "living_street"}
WGS84 = Geod(ellps="WGS84")


@dataclass(slots=True)
class Junction:
    """A node of the road network, with what meets there."""

    node: int
    longitude: float
    latitude: float
    neighbours: set[int] = field(default_factory=set)
    streets: set[str] = field(default_factory=set)
    ways: set[int] = field(default_factory=set)

    def distance(self, longitude: float, latitude: float) -> float:
        """Metres on the ellipsoid."""
        return float(WGS84.inv(self.longitude, self.latitude, longitude, latitude)[2])


def main(parquet: Path) -> None:
    counts, timestamps = read_counts(parquet)
    write_counts(counts, timestamps)
    places = spread(junctions(DEMO / "helsinki.osm.pbf"), len(counts))
    write_sensors(sorted(counts), places)


def read_counts(parquet: Path) -> tuple[dict[int, dict[datetime, int]], list[datetime]]:
    """Counts by detector and time. The time stamps have no zone and are read as UTC."""
    rows = pyarrow.parquet.read_table(parquet).to_pylist()
    counts: dict[int, dict[datetime, int]] = defaultdict(dict)
    for row in rows:
        counts[row["detector"]][row["timestamp"].replace(tzinfo=UTC)] = row["total"]
    timestamps = sorted({timestamp for series in counts.values() for timestamp in series})
    if sum(len(series) for series in counts.values()) != len(rows):
        raise SystemExit(f"{parquet} counts a detector twice at the same time")
    return counts, timestamps


def write_counts(counts: dict[int, dict[datetime, int]], timestamps: list[datetime]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    detectors = sorted(counts)
    table.writerow(["timestamp", *detectors])
    for timestamp in timestamps:
        row = [counts[detector].get(timestamp, "") for detector in detectors]
        table.writerow([timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"), *row])
    packed = gzip.compress(text.getvalue().encode("ascii"), compresslevel=9, mtime=0)
    (DEMO / "traffic_counts.csv.gz").write_bytes(packed)


def junctions(pbf: Path) -> list[Junction]:
    """Nodes where several drivable ways and at least two streets of different names meet."""
    nodes: dict[int, Junction] = {}
    for way in osmium.FileProcessor(pbf).with_locations().with_filter(osmium.filter.KeyFilter("highway")):
        if not way.is_way() or way.tags["highway"] not in DRIVABLE:
            continue
        line = [node for node in way.nodes if node.location.valid()]
        for i, node in enumerate(line):
            junction = nodes.setdefault(node.ref, Junction(node.ref, node.lon, node.lat))
            junction.ways.add(way.id)
            junction.neighbours.update(other.ref for other in (*line[max(i - 1, 0) : i], *line[i + 1 : i + 2]))
            if "name" in way.tags:
                junction.streets.add(way.tags["name"])
    return [j for j in nodes.values() if len(j.ways) > 1 and len(j.neighbours) > 2 and len(j.streets) > 1]


def spread(candidates: list[Junction], wanted: int) -> list[Junction]:
    """The junction nearest to the Central Station, then again and again the one farthest from all that are chosen."""
    chosen = [min(candidates, key=lambda j: (j.distance(*CENTRAL_STATION), j.node))]
    while len(chosen) < wanted:
        chosen.append(max(candidates, key=lambda j: (min(j.distance(c.longitude, c.latitude) for c in chosen), -j.node)))
    return chosen


def write_sensors(detectors: list[int], places: list[Junction]) -> None:
    sensors = [
        {
            "detector": detector,
            "osmNode": place.node,
            "longitude": place.longitude,
            "latitude": place.latitude,
            "streets": sorted(place.streets),
        }
        for detector, place in zip(detectors, places, strict=True)
    ]
    lines = ",\n".join("  " + json.dumps(sensor, ensure_ascii=False) for sensor in sensors)
    (DEMO / "traffic_sensors.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
