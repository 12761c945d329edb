"""A store of its own for each test: a copy of one that the migrations have made."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "city.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
async def store(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Store]:
    await asyncio.to_thread(shutil.copy, migrated_file, tmp_path / "city.db")
    store = Store(f"sqlite:///{tmp_path / 'city.db'}")
    yield store
    await store.close()
