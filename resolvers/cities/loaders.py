"""Cities by identifier, batched."""

from collections.abc import Sequence

from aiodataloader import DataLoader

from resolvers.cities.queries import cities_by_id
from resolvers.cities.records import City
from resolvers.stores.engine import Store


class CityLoader(DataLoader[str, City | None]):
    """All cities that one request asks for, in one statement."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=10_000)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[str]) -> list[City | None]:
        found = await cities_by_id(self._store, self._tenant, list(keys))
        return [found.get(key) for key in keys]
