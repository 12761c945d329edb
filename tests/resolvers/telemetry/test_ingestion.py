"""A call's points on their way into the store: one transaction, one effect, and what is told after it (FC-02, TC-04)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from graph.contracts import Event
from graph.errors import BadUserInput, NotFound
from resolvers.stores.engine import Store
from resolvers.telemetry import ingestion
from resolvers.telemetry.batches import Batch
from resolvers.telemetry.records import TelemetryQuality
from tests.fakes.statements import count_statements
from tests.resolvers.telemetry.series import SENSOR, TENANT, TWO_LANES_CLOSED, ask, columns, window

OTHER = UUID("00000000-0000-4000-8000-000000000001")


class Known:
    """Stands for the slices of city objects and scenarios: it knows one entity and one scenario of it."""

    async def existing_in(self, connection: object, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        return set(uuids) & {SENSOR} if tenant == TENANT else set()

    async def of(self, connection: object, tenant: str, scenarios: Sequence[UUID]) -> dict[UUID, UUID]:
        return {one: SENSOR for one in scenarios if one == TWO_LANES_CLOSED and tenant == TENANT}


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
async def telling(store_url: str, told: list[Event]) -> AsyncIterator[Store]:
    """A store whose events end up in `told`."""

    async def publish(events: Sequence[Event]) -> None:
        told.extend(events)

    store = Store(store_url, publish=publish)
    yield store
    await store.close()


def batch(*values: float, key: str = "temperature", entity: UUID = SENSOR, unit: str = "Cel") -> Batch:
    """The values at times 0, 1, …"""
    made = Batch()
    made.of(entity, ("entities", 0)).columns(0, key=key, unit=unit, quality=None, timestamps=list(range(len(values))), values=list(values))
    return made


async def ingest(store: Store, batch: Batch, *, key: str | None = None, told: str = "it") -> ingestion.Outcome:
    return await ingestion.ingest(store, Known(), tenant=TENANT, batch=batch, told=told, now=1_000, key=key)


async def test_ingestion_when_it_has_stored_then_it_tells_the_points_of_each_entity(telling: Store, told: list[Event]) -> None:
    made = Batch()
    part = made.of(SENSOR, ("entities", 0))
    part.point(0, timestamp=1, key="state", value="on", unit=None, quality=TelemetryQuality.RAW, attributes={"a": 1})
    part.end_points()
    part.columns(0, key="power", unit="kW", quality=None, timestamps=[1, 2], values=[3.0, 4.5])

    await ingest(telling, made)

    assert told == [
        Event(
            TENANT,
            f"telemetry/{SENSOR}",
            "TelemetryReceived",
            1_000,
            {
                "entity": str(SENSOR),
                "source": "REAL",
                "scenario": None,
                "series": [
                    _told("state", None, [1], ["on"], quality="RAW", attributes=[{"a": 1}]),
                    _told("power", "kW", [1, 2], [3.0, 4.5]),
                ],
            },
        )
    ]


def _told(key: str, unit: str | None, timestamps: list[int], values: list[Any], **more: object) -> dict[str, object]:
    return {"key": key, "unit": unit, "quality": None, "timestamps": timestamps, "values": values, "attributes": None, **more}


async def test_ingestion_when_an_entity_has_thousands_of_points_then_no_event_has_more_than_a_thousand(
    telling: Store, told: list[Event]
) -> None:
    made = batch(*map(float, range(1_500)))
    made.entities[0].columns(1, key="power", unit="W", quality=None, timestamps=list(range(700)), values=[0.5] * 700)

    await ingest(telling, made)

    lines = [[(one["key"], one["timestamps"][0], len(one["values"])) for one in event.payload["series"]] for event in told]
    assert lines == [[("temperature", 0, 1_000)], [("temperature", 1_000, 500), ("power", 0, 500)], [("power", 500, 200)]]


async def test_ingestion_when_two_come_at_once_under_one_key_then_there_is_one_effect(telling: Store, told: list[Event]) -> None:
    """TC-04."""
    first, second = await asyncio.gather(ingest(telling, batch(1.0), key="k"), ingest(telling, batch(2.0), key="k"))

    assert first == second
    assert len(told) == 1
    (stored,) = (await ask(telling, window(0, 10))).columns
    assert stored.values == told[0].payload["series"][0]["values"]


async def test_ingestion_when_it_fails_at_the_end_then_nothing_is_stored_or_told_and_the_key_is_free(
    telling: Store, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> list[Event]:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(ingestion, "received", no_memory)
        with pytest.raises(MemoryError):
            await ingest(telling, batch(1.0), key="k")

    assert columns(await ask(telling, window(0, 10))) == [("temperature", None, [], [])]
    assert told == []
    assert (await ingest(telling, batch(2.0), key="k")).accepted == 1


async def test_ingestion_when_acknowledged_then_another_connection_sees_the_points(store: Store, store_url: str) -> None:
    """Acknowledged means committed."""
    await ingest(store, batch(1.0))

    other = Store(store_url)
    seen = await ask(other, window(0, 10))
    await other.close()

    assert columns(seen) == [("temperature", None, [0], [1.0])]


async def test_ingestion_when_it_has_many_series_then_it_takes_no_more_statements(store: Store) -> None:
    counts = []
    for count in (1, 5, 50):  # the first may have to make a place for the month
        made = Batch()
        part = made.of(SENSOR, ("entities", 0))
        for index in range(count):
            part.columns(index, key=f"{count}-{index}", unit="1", quality=None, timestamps=[1], values=[1.0])
        with count_statements(store) as counted:
            await ingest(store, made)
        counts.append(len(counted))

    assert counts[1] == counts[2]


async def test_simulated_points_when_the_scenario_is_anothers_then_none_is_stored(store: Store) -> None:
    async def submit(entity: UUID, scenario: UUID) -> ingestion.Outcome:
        made = Batch(scenario)
        made.of(entity, ()).columns(0, key="t", unit="1", quality=None, timestamps=[1], values=[1.0])
        known = Known()
        return await ingestion.submit(
            store, known, known, tenant=TENANT, entity=entity, scenario=scenario, batch=made, told="it", now=1, key=None
        )

    with pytest.raises(NotFound):
        await submit(SENSOR, OTHER)
    with pytest.raises(BadUserInput):
        await submit(OTHER, TWO_LANES_CLOSED)

    assert (await submit(SENSOR, TWO_LANES_CLOSED)).accepted == 1


async def test_batch_when_a_call_has_more_than_a_hundred_units_then_the_others_are_refused() -> None:
    made = Batch()
    part = made.of(SENSOR, ("entities", 0))
    for index in range(102):
        part.columns(index, key="t", unit=f"{index + 1}", quality=None, timestamps=[1], values=[1.0])

    assert [one.pointer for one in made.refused.in_order()] == ["/entities/0/series/100", "/entities/0/series/101"]
