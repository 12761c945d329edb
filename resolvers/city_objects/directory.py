"""Which objects there are: what this slice answers to others, which know an object by its identifier alone."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.city_objects import queries
from resolvers.stores.engine import Store


class CityObjectDirectory:
    """The objects of one city."""

    def __init__(self, store: Store, city: str) -> None:
        self._store, self._city = store, city

    async def existing(self, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """Those of `uuids` that the tenant has there."""
        return await queries.existing(self._store, tenant, self._city, uuids)
