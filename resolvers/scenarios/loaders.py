"""Look-ups of scenarios by key and by entity, batched: all that a request asks at one time is one statement."""

from collections.abc import Sequence

from aiodataloader import DataLoader

from resolvers.scenarios import queries
from resolvers.scenarios.records import Scenario, ScenarioFilter, ScenarioKey, ScenarioOrder
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Window

_MAX_BATCH = 10_000


class ScenarioLoader(DataLoader[ScenarioKey, Scenario | None]):
    """Scenarios by city and UUID; None where nothing is visible to the tenant."""

    def __init__(self, store: Store, tenant: str) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant

    async def batch_load_fn(self, keys: Sequence[ScenarioKey]) -> list[Scenario | None]:
        found = await queries.by_keys(self._store, self._tenant, keys)
        return [found.get(key) for key in keys]


class EntityScenariosLoader(DataLoader[ScenarioKey, Page[Scenario]]):
    """The same page of each entity's scenarios."""

    def __init__(self, store: Store, tenant: str, wanted: ScenarioFilter, order: ScenarioOrder, window: Window) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant = store, tenant
        self._wanted, self._order, self._window = wanted, order, window

    async def batch_load_fn(self, keys: Sequence[ScenarioKey]) -> list[Page[Scenario]]:
        return await queries.of_entities(self._store, self._tenant, keys, self._wanted, self._order, self._window)


class EntityScenarioCountLoader(DataLoader[ScenarioKey, int]):
    """How many of the wanted scenarios each entity has."""

    def __init__(self, store: Store, tenant: str, wanted: ScenarioFilter) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._tenant, self._wanted = store, tenant, wanted

    async def batch_load_fn(self, keys: Sequence[ScenarioKey]) -> list[int]:
        return await queries.counts_of_entities(self._store, self._tenant, keys, self._wanted)
