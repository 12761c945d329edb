"""Stores for each test: a copy of one that the migrations have made, and a copy of one with the demo city in it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from resolvers.cities.commands import ensure_city
from resolvers.integrations.demo_city import import_demo_city
from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate

CITY = "FI-HELSINKI"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "city.db"
    migrate(f"sqlite:///{file}")
    asyncio.run(_with_store(file, lambda store: ensure_city(store, tenant=CITY, id=CITY, name="Helsinki")))
    return file


@pytest.fixture(scope="session")
def demo_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("demo") / "city.db"
    shutil.copy(migrated_file, file)
    asyncio.run(_with_store(file, lambda store: import_demo_city(store, tenant=CITY, city=CITY)))
    return file


@pytest.fixture
async def store(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Store]:
    """Has the city FI-HELSINKI, of the tenant of that name, and nothing in it."""
    async for store in _copy(migrated_file, tmp_path / "city.db"):
        yield store


@pytest.fixture
async def demo(tmp_path: Path, demo_file: Path) -> AsyncIterator[Store]:
    """Has the demo city."""
    async for store in _copy(demo_file, tmp_path / "demo.db"):
        yield store


async def _copy(source: Path, target: Path) -> AsyncIterator[Store]:
    await asyncio.to_thread(shutil.copy, source, target)
    store = Store(f"sqlite:///{target}")
    yield store
    await store.close()


async def _with_store(file: Path, act: Callable[[Store], Awaitable[object]]) -> None:
    store = Store(f"sqlite:///{file}")
    await act(store)
    await store.close()
