"""Taking in what devices and simulations send: what is good is stored, what is not is listed, all in one transaction.

Here is decided what only the store knows: whether the entity and the scenario exist, which unit a series has, and whether the same
call was made before. What is acknowledged is committed.

Of two points of one series with the same time the later one in the input stays; both count as accepted.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, NotFound
from resolvers.stores.engine import Store, announce
from resolvers.stores.idempotency import once
from resolvers.stores.rows import rows_parameter
from resolvers.telemetry import store as sql
from resolvers.telemetry.batches import Batch, Lot, Refused, Rejection
from resolvers.telemetry.commands import store_points_in
from resolvers.telemetry.events import received

_THREAD_FROM = 1_000
"""Entities from which on they are gone through in a thread: about a millisecond."""


class IngestionStatus(StrEnum):
    """`QUEUED` is for gateways that acknowledge before they store; this one does not."""

    QUEUED = "QUEUED"
    STORED = "STORED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. `rejected` counts points, and may exceed the rejections: one may stand for a whole series or entity."""

    accepted: int
    rejected: int
    rejections: tuple[Rejection, ...]
    at: int

    @property
    def status(self) -> IngestionStatus:
        return IngestionStatus.FAILED if self.rejections and not self.accepted else IngestionStatus.STORED


class EntityDirectory(Protocol):
    """Who knows which entities there are."""

    async def existing_in(self, connection: AsyncConnection, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """Those of `uuids` that the tenant has, as the transaction sees it."""
        ...


class ScenarioDirectory(Protocol):
    """Who knows which scenarios there are."""

    async def of(self, connection: AsyncConnection, tenant: str, scenarios: Sequence[UUID]) -> dict[UUID, UUID]:
        """Those of `scenarios` that the tenant has, each with its entity."""
        ...


async def ingest(store: Store, entities: EntityDirectory, *, tenant: str, batch: Batch, told: object, now: int, key: str | None) -> Outcome:
    """Stores measured points. `told` is the input as the idempotency key remembers it."""

    async def change(connection: AsyncConnection) -> Any:
        return await _store(connection, entities, tenant, batch, now)

    return _outcome(await once(store, tenant=tenant, operation="ingestTelemetry", key=key, told=told, now=now, change=change))


async def submit(
    store: Store,
    entities: EntityDirectory,
    scenarios: ScenarioDirectory,
    *,
    tenant: str,
    entity: UUID,
    scenario: UUID,
    batch: Batch,
    told: object,
    now: int,
    key: str | None,
) -> Outcome:
    """Stores simulated points. Raises `NotFound` where there is no such scenario or entity, `BadUserInput` where it is another's."""

    async def change(connection: AsyncConnection) -> Any:
        of = (await scenarios.of(connection, tenant, [scenario])).get(scenario)
        if of is None:
            raise NotFound(f"There is no scenario {str(scenario)!r}")
        if of != entity:
            raise BadUserInput(f"The scenario {str(scenario)!r} does not belong to the city object {str(entity)!r}")
        if not await entities.existing_in(connection, tenant, [entity]):
            raise NotFound(f"There is no city object {str(entity)!r}")
        return await _store(connection, entities, tenant, batch, now)

    return _outcome(await once(store, tenant=tenant, operation="submitSimulatedTelemetry", key=key, told=told, now=now, change=change))


async def _store(connection: AsyncConnection, entities: EntityDirectory, tenant: str, batch: Batch, now: int) -> Any:
    refused = batch.refused.copy()
    existing = await entities.existing_in(connection, tenant, list({part.entity for part in batch.entities}))
    many = len(batch.entities) > _THREAD_FROM
    lots = await asyncio.to_thread(_lots_of, existing, batch, refused) if many else _lots_of(existing, batch, refused)
    lots = await _store_fitting(connection, tenant, lots, refused, now)
    return {
        "accepted": sum(len(lot.points.timestamps) for lot in lots),
        "rejected": refused.points,
        "rejections": [[one.pointer, one.code, one.message] for one in refused.in_order()],
        "at": now,
    }


def _lots_of(existing: Collection[UUID], batch: Batch, refused: Refused) -> list[Lot]:
    """What comes for entities that exist; the rest is refused."""
    lots: list[Lot] = []
    for part in batch.entities:
        if part.entity in existing:
            lots += part.lots
        else:
            points = sum(len(lot.points.timestamps) for lot in part.lots)
            refused.add(part.place, NotFound(f"There is no city object {str(part.entity)!r}"), points)
    return lots


def _outcome(answer: Any) -> Outcome:
    rejections = tuple(Rejection(*one) for one in answer["rejections"])
    return Outcome(answer["accepted"], answer["rejected"], rejections, answer["at"])


async def _store_fitting(connection: AsyncConnection, tenant: str, lots: list[Lot], refused: Refused, now: int) -> list[Lot]:
    """Stores the lots whose unit is that of their series, and returns them.

    Nearly every call finds that all fit: which units the series have is asked only where storing has failed.
    """
    try:
        async with connection.begin_nested():
            await _store_all(connection, tenant, lots, now)
    except BadUserInput:
        fitting = await _fitting(connection, tenant, lots, refused)
        if len(fitting) == len(lots):
            raise
        await _store_all(connection, tenant, fitting, now)
        return fitting
    return lots


async def _store_all(connection: AsyncConnection, tenant: str, lots: Sequence[Lot], now: int) -> None:
    points = [lot.points for lot in lots]
    await store_points_in(connection, tenant=tenant, points=points)
    announce(connection, *await asyncio.to_thread(received, tenant, now, points))


async def _fitting(connection: AsyncConnection, tenant: str, lots: Sequence[Lot], refused: Refused) -> list[Lot]:
    """The lots in the unit that their series has, or, where it is new, gets from the first of them; the others are refused."""
    series = {(line.entity, line.key, line.source.value, line.scenario or sql.NO_SCENARIO) for line in (lot.points for lot in lots)}
    parameters = {"tenant": tenant, "series": rows_parameter((*identity, None) for identity in series)}
    found = await connection.execute(sql.series_statement(), parameters)
    units = {(entity, key): unit for _, unit, entity, key, _, _ in found if unit is not None}
    fitting: list[Lot] = []
    for lot in lots:
        line = lot.points
        unit = line.unit if line.unit is None else units.setdefault((line.entity, line.key), line.unit)
        if unit == line.unit:
            fitting.append(lot)
        else:
            refused.add_lot(lot, BadUserInput(f"{line.key!r} is in {unit!r}: points in {line.unit!r} must be converted first"))
    return fitting
