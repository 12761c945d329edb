"""The demo city: what a store holds after it, that a second run does nothing, and that a broken one is completed."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from graph.contracts import source_uuid
from graph.errors import BadUserInput
from resolvers.city_objects.store import city_object
from resolvers.integrations import demo_city, traffic_counts
from resolvers.integrations.demo_city import import_demo_city
from resolvers.integrations.import_log import import_table
from resolvers.integrations.report import ImportReport
from resolvers.stores.engine import Store
from resolvers.telemetry import queries as telemetry
from resolvers.telemetry.records import Aggregation, SeriesFilter, TelemetrySourceFilter, Window
from resolvers.telemetry.store import point_table, series_table
from tests.fakes.statements import count_statements

CITY = "FI-HELSINKI"
DEMO = Path(__file__).parents[3] / "demo"
TYPES = {"BUILDING": 446, "BUILDING_PART": 126, "ROAD": 2_577, "SENSOR": 22}
POINTS = {"REAL": 54_824, "SIMULATED": 5_368}


class BrokenOffError(Exception):
    """Stands for whatever ends a run in the middle."""


async def _types(store: Store) -> dict[str, int]:
    async with store.read() as connection:
        return Counter(await connection.scalars(sa.select(city_object.c.type)))


async def _versions(store: Store) -> set[int]:
    async with store.read() as connection:
        return set(await connection.scalars(sa.select(city_object.c.version)))


async def _points(store: Store) -> dict[str, int]:
    counted = (
        sa.select(series_table.c.source, sa.func.count().label("points"))
        .join_from(point_table, series_table)
        .group_by(series_table.c.source)
    )
    async with store.read() as connection:
        return {row.source: row.points for row in await connection.execute(counted)}


async def test_demo_when_imported_then_objects_and_points_are_all_there(store: Store) -> None:
    stages: Counter[str] = Counter()

    report = await import_demo_city(store, tenant=CITY, city=CITY, progress=lambda _done, _total, stage: stages.update([stage]))

    assert (report.created, report.updated, report.unchanged) == (3_171, 0, 0)
    assert (len(report.skipped), len(report.incomplete)) == (133, 118)
    assert await _types(store) == TYPES
    assert await _points(store) == POINTS
    assert set(stages) == {"map", "sensors", "measured counts", "simulated counts"}


async def test_demo_when_imported_again_then_one_statement_tells_that_nothing_is_to_do(demo: Store) -> None:
    with count_statements(demo) as statements:
        report = await import_demo_city(demo, tenant=CITY, city=CITY)

    assert report == ImportReport(unchanged=3_171)
    assert len(statements) == 1
    assert await _versions(demo) == {1}


async def test_demo_when_its_data_have_changed_then_it_is_imported_anew_and_nothing_twice(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_city, "_MAPPING", demo_city._MAPPING + 1)

    report = await import_demo_city(demo, tenant=CITY, city=CITY)

    assert (report.created, report.updated, report.unchanged) == (0, 0, 3_171)
    assert await _versions(demo) == {1}
    assert await _points(demo) == POINTS
    async with demo.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(import_table)) == 1


@pytest.mark.parametrize("stage", ["map", "measured counts"])
async def test_demo_when_a_run_breaks_off_then_the_next_completes_it(store: Store, stage: str) -> None:
    def break_off(done: int, total: int, at: str) -> None:
        if at == stage:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        await import_demo_city(store, tenant=CITY, city=CITY, progress=break_off)

    report = await import_demo_city(store, tenant=CITY, city=CITY)

    assert report.created + report.unchanged == 3_171
    assert report.created > 0 or stage != "map"
    assert await _types(store) == TYPES
    assert await _versions(store) == {1}
    assert await _points(store) == POINTS


async def test_demo_when_averaged_by_hour_then_it_equals_the_file_s_own_figures(demo: Store) -> None:
    start, hour = int(datetime(2024, 5, 6, tzinfo=UTC).timestamp() * 1000), 3_600_000
    day = Window(
        keys=("vehicleCount",),
        start=start,
        end=start + 24 * hour,
        aggregation=Aggregation.AVG,
        interval=hour,
        series=SeriesFilter(TelemetrySourceFilter.REAL),
    )

    (answer,) = await telemetry.windows(demo, CITY, [(source_uuid(CITY, "demo-traffic", "17"), day)])

    counts = next(c for c in traffic_counts.read_counts(DEMO / "traffic_counts.csv.gz") if c.detector == 17)
    hours = defaultdict(list)
    for timestamp, vehicles in zip(counts.timestamps, counts.vehicles, strict=True):
        hours[timestamp - timestamp % hour].append(vehicles)
    expected = {at: sum(hours[at]) / len(hours[at]) for at in range(start, start + 24 * hour, hour)}
    assert not isinstance(answer, BadUserInput)
    (series,) = answer.columns
    assert series.timestamps == list(expected)
    assert series.values == pytest.approx(list(expected.values()), abs=1e-9)
