"""Points that have outlived their time (ICD §6.3): the old go, the newest stay known, and writers go on meanwhile."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.stores.engine import Store
from resolvers.telemetry import partitions, queries, retention
from resolvers.telemetry.records import KeyRange, SeriesFilter
from resolvers.telemetry.store import point_table, series_table
from tests.resolvers.telemetry.series import SENSOR, TENANT, ask, columns, measured, simulated, store_points, window

OTHER = UUID("00000000-0000-4000-8000-000000000001")


def at(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


async def _counts(store: Store) -> tuple[int, int]:
    async with store.read() as connection:
        series = (await connection.execute(sa.select(sa.func.count()).select_from(series_table))).scalar_one()
        points = (await connection.execute(sa.select(sa.func.count()).select_from(point_table))).scalar_one()
    return series, points


async def test_purge_when_points_are_older_then_they_are_gone_and_series_without_any_too(store: Store) -> None:
    times = [-1, at(2001, 5), at(2025, 12, 31), at(2026, 1, 15), at(2026, 1, 16), at(2026, 2), at(2500, 1)]
    await store_points(store, measured(times, range(7)), simulated(times[:3], [1, "on", True]), measured([times[2]], [5], entity=OTHER))

    gone = await retention.purge(store, at(2026, 1, 16))

    assert gone == 8
    assert await _counts(store) == (1, 3)
    assert columns(await ask(store, window(-10, at(2600, 1)))) == [("temperature", None, times[4:], [4.0, 5.0, 6.0])]
    assert await queries.key_ranges(store, TENANT, [SENSOR, OTHER]) == [[KeyRange("temperature", "Cel", times[4], times[6])], []]
    assert await queries.last_seen(store, TENANT, [SENSOR, OTHER]) == [times[6], None]


async def test_purge_when_there_are_more_points_than_go_at_a_time_then_all_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_POINTS_AT_A_TIME", 7)
    monkeypatch.setattr(retention, "_SERIES_AT_A_TIME", 2)
    start = at(2026, 3, 10)
    entities = [UUID(int=number) for number in range(1, 6)]
    await store_points(store, *(measured(range(start, start + 20), range(20), entity=entity) for entity in entities))

    assert await retention.purge(store, start + 15) == 75
    assert await retention.purge(store, start + 15) == 0

    assert await _counts(store) == (5, 25)
    assert await queries.key_ranges(store, TENANT, entities) == [[KeyRange("temperature", "Cel", start + 15, start + 19)]] * 5


async def test_purge_when_all_points_go_then_the_key_can_have_another_unit(store: Store) -> None:
    await store_points(store, measured([0], [1]))

    await retention.purge(store, 1)
    await store_points(store, measured([5], [274], unit="K"))

    (found,) = await queries.latest_points(store, TENANT, [(SENSOR, queries.latest(None, SeriesFilter()))])
    assert [(point.timestamp, point.value, point.series.unit) for point in found] == [(5, 274.0, "K")]


async def test_purge_when_others_store_points_meanwhile_then_theirs_stay_and_none_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_POINTS_AT_A_TIME", 50)
    start, later = at(2026, 3, 10), at(2026, 4, 1)
    entities = [UUID(int=number) for number in range(1, 21)]
    await store_points(store, *(measured(range(start, start + 100), range(100), entity=entity) for entity in entities))

    async def go_on_writing() -> None:
        for number in range(20):
            await store_points(store, *(measured([later + number], [number], entity=entity) for entity in entities))

    gone, _ = await asyncio.gather(retention.purge(store, later), go_on_writing())

    assert gone == 2_000
    assert await _counts(store) == (20, 400)
    assert await queries.key_ranges(store, TENANT, entities) == [[KeyRange("temperature", "Cel", later, later + 19)]] * 20


async def test_latest_when_a_late_point_comes_then_the_newer_one_stays(store: Store) -> None:
    newest = queries.latest(None, SeriesFilter())
    await store_points(store, measured([10], [1]))
    await store_points(store, measured([5], ["late"]))
    await store_points(store, measured([-5, 10], [0, 2]))

    (found,) = await queries.latest_points(store, TENANT, [(SENSOR, newest)])

    assert [(point.timestamp, point.value) for point in found] == [(10, 2.0)]
    assert await queries.key_ranges(store, TENANT, [SENSOR]) == [[KeyRange("temperature", "Cel", -5, 10)]]


async def _partition_names(store: Store) -> list[str]:
    async with store.read() as connection:
        return [found.name.removeprefix("telemetry_point_") for found in await partitions.partitions(connection)]


def _months_ahead() -> list[str]:
    """The partitions of this month and the next two."""
    now = datetime.now(UTC)
    return [f"m{number // 12}_{number % 12 + 1:02}" for number in range(now.year * 12 + now.month - 1, now.year * 12 + now.month + 2)]


async def test_partitions_when_a_point_is_of_any_time_then_it_has_one_and_they_stay_few(postgresql_store: Store) -> None:
    last_year = datetime.now(UTC).year - 1
    times = [-(2**53), -1, 0, at(2001, 1), at(2001, 12), at(last_year, 3), at(last_year, 4), at(2099, 12, 31), at(2100, 1), 2**53]

    await store_points(postgresql_store, measured(times, range(10)))

    assert columns(await ask(postgresql_store, window(-(2**53), 2**53)))[0][2] == times[:-1]
    of_last_year = [f"m{last_year}_03", f"m{last_year}_04"]
    assert await _partition_names(postgresql_store) == ["before", "y1970", "y2001", *of_last_year, *_months_ahead(), "y2099", "after"]


async def test_partitions_when_many_make_the_same_at_once_then_all_points_are_stored(postgresql_store: Store) -> None:
    other = Store(postgresql_store.engine.url.render_as_string(hide_password=False))
    stores = (postgresql_store, other)

    await asyncio.gather(*(store_points(stores[n % 2], measured([at(1990 + n % 3, 5)], [n], key=f"k{n}")) for n in range(12)))
    await other.close()

    assert await _counts(postgresql_store) == (12, 12)
    assert await _partition_names(postgresql_store) == ["before", "y1990", "y1991", "y1992", *_months_ahead(), "after"]


async def test_partitions_when_they_are_purged_then_a_point_of_that_time_makes_one_again(postgresql_store: Store) -> None:
    await store_points(postgresql_store, measured([-5, at(2001, 5)], [1, 2]))

    assert await retention.purge(postgresql_store, at(2002, 1)) == 2
    assert await _partition_names(postgresql_store) == [*_months_ahead(), "after"]

    await store_points(postgresql_store, measured([-5, at(2001, 6)], [1, 2]))
    assert columns(await ask(postgresql_store, window(-10, at(2002, 1)))) == [("temperature", None, [-5, at(2001, 6)], [1.0, 2.0])]
