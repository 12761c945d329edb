"""Look-ups of compliance, batched: all that a request asks at one time is one statement, or one call of the object store."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.compliance import queries
from resolvers.compliance.artefacts import Artefacts, Owner
from resolvers.compliance.records import Artefact, ComplianceReport, Key, Numbered, QualityControlDataset, Stretch
from resolvers.stores.engine import Store

_MAX_BATCH = 10_000

_Key = TypeVar("_Key")
_Found = TypeVar("_Found")


Existing: TypeAlias = Callable[[AsyncConnection, str, Sequence[UUID]], Awaitable[set[UUID]]]
"""Says which of these models, or city objects, the tenant has in this city, as the transaction sees it: compliance itself knows
them by their key alone."""


def report_loader(store: Store, tenant: str) -> DataLoader[Key, ComplianceReport | None]:
    async def batch(keys: list[Key]) -> list[ComplianceReport | None]:
        found = await queries.reports_by_keys(store, tenant, keys)
        return [found.get(key) for key in keys]

    return _loader(batch)


def dataset_loader(store: Store, tenant: str) -> DataLoader[Key, QualityControlDataset | None]:
    async def batch(keys: list[Key]) -> list[QualityControlDataset | None]:
        found = await queries.datasets_by_keys(store, tenant, keys)
        return [found.get(key) for key in keys]

    return _loader(batch)


def measurement_loader(store: Store, tenant: str) -> DataLoader[Stretch, list[Numbered]]:
    return _loader(lambda asks: queries.measurements(store, tenant, asks))


def existence_loader(existing: Existing, store: Store, tenant: str) -> DataLoader[UUID, bool]:
    """Says of a model, or a city object, whether it is still there."""

    async def batch(uuids: list[UUID]) -> list[bool]:
        async with store.read() as connection:
            known = await existing(connection, tenant, uuids)
        return [uuid in known for uuid in uuids]

    return _loader(batch)


def link_loader(artefacts: Artefacts, now: int) -> DataLoader[tuple[Owner, Artefact], str]:
    return _loader(lambda asks: artefacts.links(asks, now))


def _loader(find: Callable[[list[_Key]], Awaitable[list[_Found]]]) -> DataLoader[_Key, _Found]:
    async def batch(keys: list[_Key]) -> list[_Found]:
        return await find(keys)

    return DataLoader(batch, max_batch_size=_MAX_BATCH)
