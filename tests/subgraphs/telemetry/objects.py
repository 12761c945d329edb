"""Short ways to things that telemetry is about: city objects, scenarios, and what a store holds of them."""

from typing import Any

import shapely

from resolvers.city_objects.commands import upsert
from resolvers.city_objects.records import CityObjectDraft, CityObjectType
from tests.fakes.city import CITY, TENANT, City

INGEST = """mutation ($input: IngestTelemetryInput!) { ingestTelemetry(input: $input) {
  acceptedPoints rejectedPoints ingestionStatus timestamp rejections { pointer code message } } }"""
SUBMIT = """mutation ($input: SubmitSimulatedTelemetryInput!) { submitSimulatedTelemetry(input: $input) {
  scenarioId entityId acceptedPoints rejectedPoints ingestionStatus timestamp rejections { pointer code message } } }"""
READ = """query ($id: ID!, $keys: [String!]!) { telemetry(entityId: $id, keys: $keys, startTs: -9007199254740992, endTs: 9007199254740992) {
  points { timestamp key value unit source scenarioId quality attributes } } }"""


async def sensors(city: City, *names: str, tenant: str = TENANT) -> list[str]:
    """Their identifiers."""
    drafts = [CityObjectDraft(CityObjectType.SENSOR, name, "test", name, shapely.Point(24.9, 60.1), {}) for name in names]
    stored = await upsert(city.store, tenant=tenant, city=CITY, drafts=drafts, now=1)
    return [f"{CITY}/object/{uuid}" for uuid in stored.uuids]


async def scenario(city: City, entity: str, name: str = "Heat wave") -> str:
    """Its identifier."""
    made = await city.ask(
        "mutation ($input: CreateScenarioInput!) { createScenario(input: $input) { scenario { id } } }",
        {"input": {"entityId": entity, "name": name}},
    )
    identifier: str = made["createScenario"]["scenario"]["id"]
    return identifier


async def ingest(city: City, *entities: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The result, without its time."""
    answer = await city.ask(INGEST, {"input": {"entities": list(entities), **more}}, roles=("dt_ingestor",))
    result: dict[str, Any] = answer["ingestTelemetry"]
    assert result.pop("timestamp") > 1_700_000_000_000
    return result


async def submit(city: City, entity: str, of: str, **more: Any) -> dict[str, Any]:
    """The result, without its time."""
    answer = await city.ask(SUBMIT, {"input": {"entityId": entity, "scenarioId": of, **more}}, roles=("dt_simulator",))
    result: dict[str, Any] = answer["submitSimulatedTelemetry"]
    assert result.pop("timestamp") > 1_700_000_000_000
    return result


async def stored(city: City, entity: str, *keys: str) -> list[dict[str, Any]]:
    """Every point of the entity's keys, without the members that are null."""
    answer = await city.ask(READ, {"id": entity, "keys": list(keys)}, roles=("dt_viewer",))
    return [{name: value for name, value in point.items() if value is not None} for point in answer["telemetry"]["points"]]


def point(timestamp: Any, value: Any, key: str = "temperature", **more: Any) -> dict[str, Any]:
    return {"timestamp": timestamp, "key": key, "value": value, **more}


def series(timestamps: list[Any], values: list[Any], key: str = "temperature", unit: str = "Cel", **more: Any) -> dict[str, Any]:
    return {"key": key, "unit": unit, "timestamps": timestamps, "values": values, **more}
