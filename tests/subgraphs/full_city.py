"""A city that has so many of everything, each thing with all that it can lead to: for tests of what many parents cost."""

from pathlib import Path
from typing import Any
from uuid import UUID

from graph.contracts import source_uuid
from resolvers.city_objects.directory import CityObjectDirectory
from resolvers.compliance.commands import Shelf
from resolvers.models.directory import ModelDirectory
from resolvers.stores.objects import ObjectStore
from tests.fakes.city import ADA, CITY, TENANT, City
from tests.resolvers.compliance.shelves import dataset, measured, report

KINDS = ("BUILDING", "ROAD", "SENSOR", "VEGETATION")

_UPSERT = "mutation ($input: UpsertCityObjectsInput!) { upsertCityObjects(input: $input) { created rejections { message } } }"
_INGEST = "mutation ($input: IngestTelemetryInput!) { ingestTelemetry(input: $input) { rejections { message } } }"
_SCENARIO = "mutation ($input: CreateScenarioInput!) { createScenario(input: $input) { scenario { id } } }"
_SIMULATE = "mutation ($input: SubmitSimulatedTelemetryInput!) { submitSimulatedTelemetry(input: $input) { acceptedPoints } }"
_MODEL = "mutation ($input: CreateModelInput!) { createModel(input: $input) { model { id uuid } } }"
_TALK = """mutation ($annotation: CreateAnnotationInput!, $note: CreateNoteInput!) {
  createAnnotation(input: $annotation) { annotation { id } } createNote(input: $note) { note { id } } }"""


async def fill(city: City, count: int, artefacts: Path) -> None:
    """`count` objects of source `middle` with a parent, a child, points and a scenario each; as many models with all about them."""
    await city.ask(_UPSERT, {"input": {"objects": [_object(row, n) for row in ("top", "middle", "bottom") for n in range(count)]}})
    series = {"key": "level", "unit": "m", "timestamps": [1_000, 2_000], "values": [1.0, 2.0]}
    entities = [{"entityId": identifier(row, n), "series": [series]} for row in ("top", "middle", "bottom") for n in range(count)]
    await city.ask(_INGEST, {"input": {"entities": entities}})
    objects = ObjectStore.open(str(artefacts))
    shelf = Shelf(city.store, objects, ModelDirectory(CITY).existing, CityObjectDirectory(city.store, CITY).existing_in)
    for n in range(count):
        await _simulate(city, identifier("middle", n), series)
        model = await _model(city)
        await report(shelf, f"Report {n}", model=model, issued_at=n)
        await dataset(shelf, f"Data {n}", model=model, entity=_uuid("middle", n), measurements=measured(2))


def identifier(row: str, number: int) -> str:
    return f"{CITY}/object/{_uuid(row, number)}"


def _uuid(row: str, number: int) -> UUID:
    return source_uuid(TENANT, row, str(number))


def _object(row: str, number: int) -> dict[str, Any]:
    above = {"middle": "top", "bottom": "middle"}.get(row)
    return {
        "type": KINDS[number % len(KINDS)],
        "name": f"{row} {number}",
        "source": row,
        "sourceId": str(number),
        "geometry": {"type": "Point", "coordinates": [24.94 + number * 1e-5, 60.17]},
        "attributes": {"address": {"street": "Kaivokatu"}},
        "parentId": None if above is None else identifier(above, number),
    }


async def _simulate(city: City, entity: str, series: dict[str, Any]) -> None:
    span = {"startTs": 0, "endTs": 10_000}
    made = await city.ask(_SCENARIO, {"input": {"name": "flood", "entityId": entity, "timeRange": span}})
    scenario = made["createScenario"]["scenario"]["id"]
    await city.ask(_SIMULATE, {"input": {"entityId": entity, "scenarioId": scenario, "series": [series]}})


async def _model(city: City) -> UUID:
    made = await city.ask(_MODEL, {"input": {"name": "Mill", "content": {"nodes": [{"id": "n1"}]}}})
    model = made["createModel"]["model"]
    about = {"modelId": model["id"], "text": "Look", "mentionUserIds": [ADA]}
    await city.ask(_TALK, {"annotation": {**about, "elementId": "n1", "type": "ISSUE"}, "note": about})
    return UUID(model["uuid"])
