"""scenarioStatusChanged as a dashboard hears it, on both stores (FC-03)."""

from typing import Any

import pytest

from graph.errors import BadUserInput, ResyncRequired
from resolvers.stores.journal import purge_events
from tests.fakes.city import CITY, City
from tests.subgraphs.scenarios.test_scenarios import SET, buildings, create

LIVE = """subscription ($of: ScenarioSelector!, $after: String) { scenarioStatusChanged(of: $of, after: $after) {
  cursor scenarioId status scenario { name version entity { name } } } }"""


async def step(city: City, scenario: dict[str, Any], status: str) -> None:
    await city.ask(SET, {"id": scenario["id"], "status": status})


async def test_status_when_it_changes_then_told_with_the_scenario_as_it_is_now(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)

    async with city.live(LIVE, {"of": {"scenarioIds": [made["id"]]}}) as live:
        await step(city, made, "QUEUED")
        first = (await live.next())["scenarioStatusChanged"]
        await step(city, made, "RUNNING")
        second = (await live.next())["scenarioStatusChanged"]

    assert first == {
        "cursor": first["cursor"],
        "scenarioId": made["id"],
        "status": "QUEUED",
        "scenario": {"name": "Heat wave", "version": 2, "entity": {"name": "Mill"}},
    }
    assert (second["status"], second["scenario"]["version"]) == ("RUNNING", 3)


async def test_status_when_of_what_was_not_chosen_then_not_told(city: City) -> None:
    mill, dam = await buildings(city, "Mill", "Dam")
    of_mill, of_dam = await create(city, mill), await create(city, dam)

    async with (
        city.live(LIVE, {"of": {"entityId": dam}}) as dams,
        city.live(LIVE, {"of": {"city": CITY}}) as all_here,
        city.live(LIVE, {"of": {"city": "SE-STOCKHOLM"}}) as elsewhere,
        city.live(LIVE, {"of": {"city": CITY}}, tenant="SE-STOCKHOLM") as other_tenant,
    ):
        await step(city, of_mill, "QUEUED")
        await step(city, of_dam, "QUEUED")

        assert (await dams.next())["scenarioStatusChanged"]["scenarioId"] == of_dam["id"]
        heard = [(await all_here.next())["scenarioStatusChanged"]["scenarioId"] for _ in range(2)]
        assert heard == [of_mill["id"], of_dam["id"]]
        assert await elsewhere.silent()
        assert await other_tenant.silent(0)


async def test_status_when_a_client_comes_back_with_its_cursor_then_it_hears_what_it_missed(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)
    of = {"entityId": mill}
    async with city.live(LIVE, {"of": of}) as live:
        await step(city, made, "QUEUED")
        cursor = (await live.next())["scenarioStatusChanged"]["cursor"]
    await step(city, made, "RUNNING")
    await step(city, made, "COMPLETED")

    async with city.live(LIVE, {"of": of, "after": cursor}) as again:
        missed = [(await again.next())["scenarioStatusChanged"]["status"] for _ in range(2)]

    assert missed == ["RUNNING", "COMPLETED"]


async def test_status_when_the_cursor_is_too_old_or_none_then_said_so(city: City) -> None:
    (mill,) = await buildings(city, "Mill")
    made = await create(city, mill)
    of = {"entityId": mill}
    async with city.live(LIVE, {"of": of}) as live:
        await step(city, made, "QUEUED")
        cursor = (await live.next())["scenarioStatusChanged"]["cursor"]
    await step(city, made, "RUNNING")
    await purge_events(city.store, 2**52)

    async with city.live(LIVE, {"of": of, "after": cursor}) as again:
        with pytest.raises(ResyncRequired):
            await again.next()
    async with city.live(LIVE, {"of": of, "after": "nonsense"}) as again:
        with pytest.raises(BadUserInput, match="'nonsense' is not a cursor"):
            await again.next()


async def test_status_when_the_caller_may_not_read_scenarios_then_forbidden(city: City) -> None:
    assert await city.codes(LIVE, {"of": {"city": CITY}}, roles=("dth_viewer",)) == ["FORBIDDEN"]
