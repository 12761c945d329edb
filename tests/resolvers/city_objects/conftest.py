"""A store of its own for each test, with one city in it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate
from tests.resolvers.city_objects.drafts import CITY, TENANT


@pytest.fixture(scope="session")
def city_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store with the city, made once."""
    file = tmp_path_factory.mktemp("city") / "city.db"
    migrate(f"sqlite:///{file}")

    async def prepare() -> None:
        store = Store(f"sqlite:///{file}")
        await ensure_city(store, tenant=TENANT, id=CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
        await store.close()

    asyncio.run(prepare())
    return file


@pytest.fixture
async def city_store(tmp_path: Path, city_file: Path) -> AsyncIterator[Store]:
    await asyncio.to_thread(shutil.copy, city_file, tmp_path / "city.db")
    store = Store(f"sqlite:///{tmp_path / 'city.db'}")
    yield store
    await store.close()
