"""What the demo must show, asked over a real socket (FC-01, AC-03, TC-03)."""

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from graph.app import city_supergraph
from graph.planner import Planner

ROOT = Path(__file__).parents[2]
NEAREST = (Path(__file__).parent / "queries" / "nearest_buildings.graphql").read_text(encoding="utf-8")
HOUR = 3_600_000
DAY = {"startTs": "2024-05-06T00:00:00Z", "endTs": "2024-05-07T00:00:00Z"}
DAY_START = 1_714_953_600_000


def _hourly_averages(detector: str) -> dict[int, float]:
    """Computed from the file of counts, by nothing that the project itself computes with."""
    values: dict[int, list[int]] = defaultdict(list)
    with gzip.open(ROOT / "demo" / "traffic_counts.csv.gz", "rt", encoding="ascii") as lines:
        for row in csv.DictReader(lines):
            time = int(datetime.fromisoformat(row["timestamp"]).timestamp() * 1000)
            if DAY_START <= time < DAY_START + 24 * HOUR and row[detector]:
                values[time // HOUR * HOUR].append(int(row[detector]))
    return {hour: sum(counts) / len(counts) for hour, counts in values.items()}


def test_nearest_buildings_when_asked_with_their_sensors_then_one_answer_right_to_1e9(demo: Any) -> None:
    edges = demo.ask(NEAREST, **DAY)["cityObjects"]["edges"]

    distances = [edge["distanceMetres"] for edge in edges]
    assert len(edges) == 20
    assert distances == sorted(distances)
    assert {edge["node"]["name"] for edge in edges} >= {"Helsingin päärautatieasema"}
    assert any(edge["node"]["storeysAboveGround"] == 4 for edge in edges)
    sensors = [near for edge in edges for near in edge["node"]["nearby"]]
    assert all(near["distanceMetres"] <= 400 for near in sensors)
    assert sensors
    for near in sensors:
        detector = near["node"]["name"].removeprefix("Traffic counter ").partition(",")[0]
        (series,) = near["node"]["telemetry"]["series"]
        expected = _hourly_averages(detector)
        assert dict(zip(series["timestamps"], series["values"], strict=True)) == pytest.approx(expected, abs=1e-9, rel=0)
        assert len(expected) == 24


def test_nearest_buildings_when_planned_then_at_most_four_fetches() -> None:
    supergraph = city_supergraph()
    document = parse(NEAREST)
    assert validate(supergraph.api_schema, document) == []

    plan = Planner(supergraph).plan(document)

    assert len(plan.fetches) <= 4


def test_lttb_when_asked_then_first_and_last_point_are_kept(demo: Any) -> None:
    query = """query ($startTs: Timestamp!, $endTs: Timestamp!) {
      cityObjects(filter: {types: [SENSOR], name: "Traffic counter 19,"}) { edges { node {
        raw: telemetry(keys: ["vehicleCount"], startTs: $startTs, endTs: $endTs, source: REAL) { series { timestamps values } }
        few: telemetry(keys: ["vehicleCount"], startTs: $startTs, endTs: $endTs, source: REAL, aggregation: LTTB, limit: 20) {
          series { timestamps values }
        }
      } } }
    }"""

    (edge,) = demo.ask(query, **DAY)["cityObjects"]["edges"]

    raw, few = (edge["node"][name]["series"][0] for name in ("raw", "few"))
    assert len(raw["timestamps"]) == 96
    assert len(few["timestamps"]) == 20
    assert (few["timestamps"][0], few["values"][0]) == (raw["timestamps"][0], raw["values"][0])
    assert (few["timestamps"][-1], few["values"][-1]) == (raw["timestamps"][-1], raw["values"][-1])


def test_demo_when_asked_who_and_what_it_is_then_it_says(demo: Any) -> None:
    data = demo.ask("{ viewer { subject tenant roles } city { id name status cityObjectCounts { type count } } cities { id } }")

    assert (data["viewer"]["subject"], data["viewer"]["tenant"]) == ("demo", "FI-HELSINKI")
    assert (data["city"]["id"], data["city"]["name"], data["city"]["status"]) == ("FI-HELSINKI", "Helsinki", "AVAILABLE")
    assert {"type": "SENSOR", "count": 22} in data["city"]["cityObjectCounts"]
    assert data["cities"] == [{"id": "FI-HELSINKI"}]


def test_demo_when_it_keeps_data_that_is_older_than_retention_then_nothing_is_purged(demo: Any) -> None:
    document = '{ backupStatus { nextBackup } auditLog(filter: {operation: "retention.telemetry"}) { totalCount } }'

    answer = demo.ask(document)

    assert answer["backupStatus"]["nextBackup"] is not None
    assert answer["auditLog"]["totalCount"] == 0
