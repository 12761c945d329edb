"""What telemetry adds to scenarios, through the whole gateway, on both stores (FC-02, FC-03)."""

from tests.fakes.city import City
from tests.fakes.statements import count_all_statements
from tests.subgraphs.telemetry.objects import ingest, scenario, sensors, series, submit


async def test_scenario_when_asked_for_its_telemetry_then_only_its_own_points_come(city: City) -> None:
    (sensor,) = await sensors(city, "mast")
    heat, cold = await scenario(city, sensor, "Heat wave"), await scenario(city, sensor, "Cold spell")
    await ingest(city, {"entityId": sensor, "series": [series([0], [20.0])]})
    await submit(city, sensor, heat, series=[series([-1, 0, 3_599_999, 3_600_000], [1.0, 30.0, 32.0, 40.0])])
    await submit(city, sensor, cold, series=[series([0], [-5.0])])

    answer = await city.ask(
        """query ($id: ID!) { scenario(id: $id) { name
          all: telemetry(keys: ["temperature"]) { entityId series { scenarioId timestamps values } }
          hourly: telemetry(keys: ["temperature"], aggregation: AVG, intervalMs: 3600000) { series { timestamps values } }
          first: telemetry(keys: ["temperature"], startTs: 0, endTs: 3600000, limit: 1) { truncated series { values nextStartTs } } } }""",
        {"id": heat},
    )

    assert answer["scenario"] == {
        "name": "Heat wave",
        "all": {
            "entityId": sensor,
            "series": [{"scenarioId": heat, "timestamps": [-1, 0, 3_599_999, 3_600_000], "values": [1.0, 30.0, 32.0, 40.0]}],
        },
        "hourly": {"series": [{"timestamps": [-3_600_000, 0, 3_600_000], "values": [1.0, 31.0, 40.0]}]},
        "first": {"truncated": True, "series": [{"values": [30.0], "nextStartTs": 3_599_999}]},
    }


async def test_scenarios_when_many_are_asked_for_their_telemetry_then_it_is_one_statement(city: City) -> None:
    sensor, other = await sensors(city, "mast", "buoy")
    for number in range(6):
        await submit(city, sensor, await scenario(city, sensor, f"No. {number}"), series=[series([number], [1.0])])
    await scenario(city, other, "Another")
    ask = """query ($first: Int!) { scenarios(first: $first, orderBy: NAME_ASC) { nodes {
      telemetry(keys: ["temperature"]) { entityId series { timestamps } } } } }"""

    counts = []
    for first in (2, 7):
        with count_all_statements() as statements:
            answer = await city.ask(ask, {"first": first})
        counts.append(len(statements))

    assert counts == [2, 2]  # the scenarios, their points
    found = [(node["telemetry"]["entityId"], node["telemetry"]["series"]) for node in answer["scenarios"]["nodes"]]
    assert found == [(other, [{"timestamps": []}]), *((sensor, [{"timestamps": [number]}]) for number in range(6))]
