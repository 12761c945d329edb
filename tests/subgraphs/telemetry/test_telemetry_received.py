"""telemetryReceived as a dashboard hears it, on both stores (FC-01, FC-02)."""

import asyncio
from typing import Any

import pytest

from graph.errors import BadUserInput, CityGraphError, NotFound, ResyncRequired
from graph.subscriptions import bus as bus_module
from resolvers.cities.commands import ensure_city
from tests.fakes.city import CITY, City, Live
from tests.subgraphs.telemetry.objects import ingest, point, scenario, sensors, series, submit

LIVE = """subscription ($of: [ID!]!, $keys: [String!], $source: TelemetrySourceFilter! = BOTH, $scenario: ID, $wait: Int, $after: String) {
  telemetryReceived(entityIds: $of, keys: $keys, source: $source, scenarioId: $scenario, minIntervalMs: $wait, after: $after) {
    cursor entityId points { timestamp key value unit source scenarioId quality attributes } } }"""


async def heard(live: Live) -> Any:
    return (await live.next())["telemetryReceived"]


def values(event: Any) -> list[Any]:
    return [found["value"] for found in event["points"]]


async def send(city: City, entity: str, *points: Any, key: str = "temperature") -> None:
    await ingest(city, {"entityId": entity, "series": [series([int(value) for value in points], list(points), key)]})


async def fault(city: City, **variables: Any) -> CityGraphError:
    """Why the subscription does not begin."""
    async with city.live(LIVE, variables) as live:
        with pytest.raises(CityGraphError) as raised:
            await live.next()
    return raised.value


async def test_points_when_they_come_in_then_told_as_they_were_sent(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")
    sent = point(1, 20.5, unit="Cel", quality="RAW", attributes={"probe": 1})

    async with city.live(LIVE, {"of": [mast]}, roles=("dt_viewer",)) as live:
        await ingest(
            city,
            {
                "entityId": mast,
                "points": [point(1, 20.5, unit="Cel", quality="RAW", attributes={"probe": 1}), point(2, "calm", key="state")],
            },
            {"entityId": buoy, "points": [point(3, True, key="state")]},
        )
        event = await heard(live)

        assert await live.silent()
    nothing = {"unit": None, "scenarioId": None, "quality": None, "attributes": None}
    assert event == {
        "cursor": event["cursor"],
        "entityId": mast,
        "points": [
            nothing | sent | {"source": "REAL"},
            nothing | point(2, "calm", key="state", source="REAL"),
        ],
    }


async def test_points_when_they_come_close_together_then_one_event_an_entity_tells_them(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")

    async with (
        city.live(LIVE, {"of": [mast, buoy], "wait": 1_500}) as patient,
        city.live(LIVE, {"of": [mast], "wait": 0}) as hasty,
    ):
        await send(city, mast, 1.0)
        await send(city, buoy, 2.0)
        await send(city, mast, 3.0)
        first, second = await heard(patient), await heard(patient)
        at_once = [await heard(hasty), await heard(hasty)]
        await send(city, mast, 4.0)
        third = await heard(patient)

    assert [(event["entityId"], values(event)) for event in (first, second, third)] == [
        (mast, [1.0, 3.0]),
        (buoy, [2.0]),
        (mast, [4.0]),
    ]
    assert [values(event) for event in at_once] == [[1.0], [3.0]]


async def test_points_when_filtered_then_only_those_of_the_keys_source_and_scenario_are_told(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    hot, cold = await scenario(city, mast, "Hot"), await scenario(city, mast, "Cold")

    async with (
        city.live(LIVE, {"of": [mast], "keys": ["power"], "wait": 2_000}) as power,
        city.live(LIVE, {"of": [mast], "source": "REAL", "wait": 2_000}) as measured,
        city.live(LIVE, {"of": [mast], "source": "SIMULATED", "wait": 2_000}) as simulated,
        city.live(LIVE, {"of": [mast], "scenario": hot, "wait": 2_000}) as with_hot,
        city.live(LIVE, {"of": [mast], "keys": []}) as nothing,
    ):
        await send(city, mast, 1.0)
        await send(city, mast, 2.0, key="power")
        await submit(city, mast, hot, series=[series([3], [3.0])])
        await submit(city, mast, cold, series=[series([4], [4.0], "power")])

        assert values(await heard(power)) == [2.0, 4.0]
        assert values(await heard(measured)) == [1.0, 2.0]
        assert values(await heard(simulated)) == [3.0, 4.0]
        told = await heard(with_hot)
        assert await nothing.silent(0)
    assert values(told) == [1.0, 2.0, 3.0]
    assert [found["scenarioId"] for found in told["points"]] == [None, None, hot]
    assert [found["quality"] for found in told["points"]] == [None, None, "SIMULATED"]


async def test_points_when_a_dashboard_comes_back_with_its_cursor_then_it_hears_what_it_missed(city: City) -> None:
    mast, buoy = await sensors(city, "mast", "buoy")
    variables = {"of": [mast, buoy], "wait": 300}
    async with city.live(LIVE, variables) as live:
        await send(city, mast, 1.0)
        await send(city, buoy, 2.0)
        first, second = await heard(live), await heard(live)
    await send(city, mast, 3.0)

    async with city.live(LIVE, {**variables, "wait": 2_000, "after": first["cursor"]}) as after_first:
        await send(city, buoy, 4.0)
        told_after_first = [await heard(after_first), await heard(after_first)]
    async with city.live(LIVE, {**variables, "after": second["cursor"]}) as after_second:
        told_after_second = [await heard(after_second), await heard(after_second)]

    assert [(event["entityId"], values(event)) for event in told_after_first] == [(buoy, [2.0, 4.0]), (mast, [3.0])]
    assert [(event["entityId"], values(event)) for event in told_after_second] == [(mast, [3.0]), (buoy, [4.0])]


async def test_points_when_what_was_missed_is_forgotten_then_the_dashboard_must_resynchronise(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "HISTORY", 2)
    (mast,) = await sensors(city, "mast")
    async with city.live(LIVE, {"of": [mast], "wait": 0}) as live:
        await send(city, mast, 1.0)
        cursor = (await heard(live))["cursor"]
    for value in range(2, 5):
        await send(city, mast, float(value))

    assert isinstance(await fault(city, of=[mast], after=cursor), ResyncRequired)


@pytest.mark.parametrize("bound", ["MAX_WAITING", "MAX_AT_ONCE"])
async def test_points_when_more_wait_than_may_then_those_that_wait_longest_are_told_before_their_time(
    city: City, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(f"resolvers.telemetry.live.{bound}", 4)
    mast, buoy, gate = await sensors(city, "mast", "buoy", "gate")

    async with city.live(LIVE, {"of": [mast, buoy, gate], "wait": 60_000}) as live:
        await send(city, buoy, 0.0)
        await send(city, mast, 1.0, 2.0)
        await send(city, mast, 3.0, 4.0)
        await send(city, gate, 5.0)

        assert [values(await heard(live)) for _ in range(2)] == [[0.0], [1.0, 2.0, 3.0, 4.0]]
        assert await live.silent(0.1)


async def test_points_when_the_dashboard_falls_behind_then_it_hears_what_came_before_and_must_resynchronise(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mast,) = await sensors(city, "mast")

    async with city.live(LIVE, {"of": [mast], "wait": 500}) as live:
        await send(city, mast, 1.0)
        await asyncio.sleep(0.05)
        monkeypatch.setattr(bus_module, "BACKLOG", 0)
        await send(city, mast, 2.0)

        assert values(await heard(live)) == [1.0]
        with pytest.raises(ResyncRequired):
            await live.next()


async def test_telemetry_received_when_asked_wrongly_then_refused(city: City) -> None:
    (mast,) = await sensors(city, "mast")
    await ensure_city(city.store, tenant="SE-STOCKHOLM", id=CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
    (hidden,) = await sensors(city, "hidden", tenant="SE-STOCKHOLM")
    unknown = mast.rpartition("/")[0] + "/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a"

    for variables in (
        {"of": [mast] * 1_001},
        {"of": ["nonsense"]},
        {"of": [mast], "keys": [str(n) for n in range(101)]},
        {"of": [mast], "wait": -1},
        {"of": [mast], "wait": 60_001},
        {"of": [mast], "after": "nonsense"},
        {"of": [mast], "scenario": mast},
    ):
        assert isinstance(await fault(city, **variables), BadUserInput), variables
    for missing in (unknown, hidden, mast.replace(CITY, "DE-BERLIN")):
        refused = await fault(city, of=[mast, missing, unknown])
        assert isinstance(refused, NotFound)
        assert refused.detail == f"There is no city object {missing!r}"


@pytest.mark.parametrize("role", ["dt_ingestor", "dt_simulator", "dth_editor"])
async def test_telemetry_received_when_the_role_does_not_bring_telemetry_then_forbidden(city: City, role: str) -> None:
    (mast,) = await sensors(city, "mast")

    assert await city.codes(LIVE, {"of": [mast]}, roles=(role,)) == ["FORBIDDEN"]
