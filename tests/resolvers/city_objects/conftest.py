"""A store of its own for each test, of either engine, with one city in it."""

import pytest

from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store
from tests.resolvers.city_objects.drafts import CITY, TENANT


@pytest.fixture
async def city_store(store: Store) -> Store:
    await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
    return store
