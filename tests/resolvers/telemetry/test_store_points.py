"""Storing points: idempotent, all or nothing, committed when it returns (FC-02, AC-11)."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select

from graph.errors import BadUserInput
from resolvers.stores.engine import Store
from resolvers.telemetry import queries
from resolvers.telemetry.records import SeriesFilter, SeriesPoints, TelemetryQuality, TelemetrySource, TelemetryValue
from resolvers.telemetry.store import point_table, series_table
from tests.resolvers.telemetry.series import TENANT, TWO_LANES_CLOSED, ask, columns, measured, simulated, store_points, window


async def _rows(store: Store) -> tuple[int, int]:
    async with store.read() as connection:
        series = await connection.scalar(select(func.count()).select_from(series_table))
        points = await connection.scalar(select(func.count()).select_from(point_table))
    return int(series or 0), int(points or 0)


async def test_store_when_the_same_points_come_again_then_nothing_is_there_twice(store: Store) -> None:
    points = (measured(range(2500), range(2500)), simulated([1, 2], [True, {"a": 1}]))

    assert await store_points(store, *points) == 2502
    assert await store_points(store, *points) == 2502

    assert await _rows(store) == (2, 2502)


async def test_store_when_a_point_is_there_then_it_takes_the_new_value(store: Store) -> None:
    await store_points(store, measured([0, 1], [1, 2]))

    await store_points(store, measured([1, 2], ["offline", 3]), measured([2], [4]))

    assert columns(await ask(store, window(0, 10))) == [("temperature", None, [0, 1, 2], [1.0, "offline", 4.0])]


async def test_store_when_another_store_opens_the_file_then_the_points_are_there(store: Store) -> None:
    await store_points(store, measured([0], [1]))

    other = Store(str(store.engine.url))
    try:
        assert columns(await ask(other, window(0, 10))) == [("temperature", None, [0], [1.0])]
    finally:
        await other.close()


async def test_store_when_there_is_nothing_then_nothing_happens(store: Store) -> None:
    assert await store_points(store) == 0
    assert await store_points(store, measured([], [])) == 0


async def test_unit_when_the_first_points_are_texts_then_the_first_number_brings_it(store: Store) -> None:
    await store_points(store, measured([0], ["offline"], unit=None))
    await store_points(store, measured([1], [20]))
    await store_points(store, measured([2], ["offline"], unit=None))

    answer = await ask(store, window(0, 10))

    assert answer.columns[0].name.unit == "Cel"
    assert answer.columns[0].values == ["offline", 20.0, "offline"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (measured([0], [1], unit=None), r"numbers need a unit \(UCUM\)"),
        (measured([0], [1], unit="K"), "is in 'Cel'; points in 'K' must be converted first"),
        (measured([0, 1], [1]), "columns have 2, 1 entries"),
        (replace(measured([0], [1]), attributes=[]), "columns have 1, 1, 0 entries"),
        (measured([0], [float("nan")]), "nan is not a value"),
        (measured([0], [float("-inf")]), "-inf is not a value"),
        (measured([0], [10**400]), "is not a value: expected a finite double"),
        (measured([0, 1], ["on", 10**400]), "is not a value: expected a finite double"),
        (measured([0], [10**5000]), "an integer of thousands of digits is not a value"),
        (measured([0, 1], ["nan", float("nan")]), "nan is not a value"),
        (measured([2**53 + 1], [1]), "9007199254740993 is not a time"),
        (measured([-(2**53) - 1], [1]), "-9007199254740993 is not a time"),
        (measured([2**70], [1]), "1180591620717411303424 is not a time"),
        (measured([0], ["half \ud800"], unit=None), "a text that JSON has not"),
        (measured([0], [{"deep": [float("inf")]}], unit=None), "a number or a text that JSON has not"),
        (measured([0], [{"deep": ["\0"]}], unit=None), r"the character U\+0000"),
        (replace(measured([0], [1]), attributes=[{"\0": 1}]), r"the character U\+0000"),
        (measured([0], [1], key="a\0"), r"the character U\+0000"),
        (measured([0], [1], key="\udc00"), "half a surrogate pair"),
        (measured([0], [1], key=""), "is empty"),
        (replace(measured([0], [1]), scenario=TWO_LANES_CLOSED), "simulated points need a scenario"),
        (replace(simulated([0], [1]), scenario=None), "simulated points need a scenario"),
    ],
)
async def test_store_when_a_part_is_wrong_then_nothing_is_stored(store: Store, wrong: SeriesPoints, message: str) -> None:
    await store_points(store, measured([0], [1]))

    with pytest.raises(BadUserInput, match=message):
        await store_points(store, measured([5], [5], key="fine"), wrong)

    assert await _rows(store) == (1, 1)


async def test_store_when_one_call_has_two_units_for_a_series_then_it_is_refused(store: Store) -> None:
    with pytest.raises(BadUserInput, match="'Cel'; points in 'K'"):
        await store_points(store, measured([0], [1]), measured([1], [274], unit="K"))


async def test_store_when_the_source_differs_then_the_unit_may(store: Store) -> None:
    kelvin = SeriesPoints(UUID(int=1), "temperature", "K", TelemetrySource.SIMULATED, [0], [290], scenario=TWO_LANES_CLOSED)

    assert await store_points(store, measured([0], [17], entity=UUID(int=1)), kelvin) == 2


async def test_store_when_many_points_are_there_in_part_then_old_ones_are_replaced_and_new_ones_added(store: Store) -> None:
    lines = [UUID(int=number) for number in range(3)]
    validated = [replace(measured(range(500), range(500), entity=entity), quality=TelemetryQuality.VALIDATED) for entity in lines]
    await store_points(store, *validated)
    mixed: list[TelemetryValue] = ["off" if time % 7 == 0 else time * 2 for time in range(250, 1250)]
    await store_points(store, measured([400], [-1], entity=lines[2]), measured([2000], [5], entity=lines[1]))

    assert await store_points(store, *(measured(range(250, 1250), mixed, entity=entity) for entity in lines)) == 3_000

    newest = [(1249, 2498.0), (2000, 5.0), (1249, 2498.0)]
    for entity, last in zip(lines, newest, strict=True):
        (line,) = (await ask(store, window(0, 1250), entity=entity)).columns
        assert line.timestamps == list(range(1250))
        assert line.values == [float(time) for time in range(250)] + [value if value == "off" else float(value) for value in mixed]
        assert line.qualities == [TelemetryQuality.VALIDATED] * 250 + [None] * 1000
        (found,) = await queries.latest_points(store, TENANT, [(entity, queries.latest(None, SeriesFilter()))])
        assert [(point.timestamp, point.value) for point in found] == [last]


async def test_store_when_writers_store_the_same_points_at_once_then_each_is_there_once(store: Store) -> None:
    other = Store(store.engine.url.render_as_string(hide_password=False))
    lines = [measured(range(1_000), range(1_000), entity=UUID(int=number)) for number in range(3)]

    stored = await asyncio.gather(*(store_points((store, other)[n % 2], *(lines if n % 3 else reversed(lines))) for n in range(8)))
    await other.close()

    assert stored == [3_000] * 8
    assert await _rows(store) == (3, 3_000)


async def test_store_when_somebody_has_emptied_the_newest_points_then_points_are_replaced_all_the_same(postgresql_store: Store) -> None:
    await store_points(postgresql_store, measured(range(1_000), range(1_000)))
    async with postgresql_store.write() as connection:
        await connection.exec_driver_sql("TRUNCATE telemetry_latest")

    await store_points(postgresql_store, measured(range(500, 1_500), range(1_000)))

    (line,) = (await ask(postgresql_store, window(0, 2_000))).columns
    assert line.values == [float(value) for value in [*range(500), *range(1_000)]]
