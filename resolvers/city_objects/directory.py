"""Which objects there are: what this slice answers to others, which know an object by its identifier alone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.city_objects import queries
from resolvers.stores.engine import Store


class CityObjectDirectory:
    """The objects of one city."""

    def __init__(self, store: Store, city: str) -> None:
        self._store, self._city = store, city

    async def existing(self, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """Those of `uuids` that the tenant has there."""
        async with self._store.read() as connection:
            return await self.existing_in(connection, tenant, uuids)

    async def existing_in(self, connection: AsyncConnection, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """The same as the transaction sees it."""
        return await queries.existing(connection, tenant, self._city, uuids)
