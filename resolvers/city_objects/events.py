"""What city objects tell: one event for each transaction that changes some, with every one that it changed."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.stores import journal

CHANNEL = "objects"


class Change(StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


async def tell(connection: AsyncConnection, tenant: str, city: str, now: int, changes: Sequence[tuple[UUID, Change]]) -> None:
    """Nothing is told where nothing has changed."""
    if changes:
        payload = {"city": city, "objects": [[str(uuid), change.value] for uuid, change in changes]}
        await journal.record(connection, tenant=tenant, channel=CHANNEL, kind="CityObjectsChanged", at=now, payload=payload)
