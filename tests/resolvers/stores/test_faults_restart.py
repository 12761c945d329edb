"""PostgreSQL restarted while a city answers: errors that say so and come at once, and all is well soon after."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from graph.errors import Unavailable
from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate
from tests.conftest import REQUIRE_SERVICES
from tests.fakes.city import City, running_city
from tests.fakes.postgresql import PostgreSQL, binaries, running_postgresql
from tests.resolvers.city_objects import drafts
from tests.resolvers.telemetry.series import measured, store_points

WORKERS = 12
DOWN_S = 0.5
RECOVERY_S = 5.0
LONGEST_S = 15.0
"""A request waits for a connection for ten seconds at most."""
ENTITY = "FI-HELSINKI/object/00000000-0000-4000-8000-000000000001"
READ = "{ cityObjects(first: 3) { edges { node { id lastSeenAt } } } }"
WRITE = """
  mutation ($input: IngestTelemetryInput!) { ingestTelemetry(input: $input) { acceptedPoints ingestionStatus } }
"""


Errors: TypeAlias = frozenset[tuple[int, str]]
UNAVAILABLE: Errors = frozenset({(503, "UNAVAILABLE")})


@dataclass
class Seen:
    """What the workers met: when each request began and ended, and its errors' statuses and codes."""

    requests: list[tuple[float, float, Errors]] = field(default_factory=list)

    def are_well(self, count: int) -> bool:
        """Whether the last so many requests had no error."""
        return not any(errors for *_, errors in self.requests[-count:])

    def after(self, moment: float) -> list[Errors]:
        """The errors of the requests that began after that."""
        return [errors for started, _, errors in self.requests if started > moment]


@pytest.fixture(scope="module")
def own_postgresql() -> Iterator[PostgreSQL]:
    """One that a test may stop, with a migrated database `city`, to be copied."""
    if binaries() is None and not REQUIRE_SERVICES:
        pytest.skip("no PostgreSQL with PostGIS is installed: on Debian, 'apt-get install postgresql-15-postgis-3'")
    with running_postgresql() as server:
        server.create("city")
        migrate(server.url("city"))
        yield server


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_postgresql_when_it_restarts_under_load_then_errors_are_bounded_and_the_city_recovers(
    own_postgresql: PostgreSQL, composed_dir: Path, mode: str
) -> None:
    server, seen, stop = own_postgresql, Seen(), asyncio.Event()
    database = server.create(template="city")
    async with running_city(server.url(database), composed_dir) as city:
        entity = (await drafts.put(city.store, drafts.draft("lamp")))[0]
        works = [_reading(city, seen), _writing(city, seen, f"FI-HELSINKI/object/{entity}")]
        workers = [asyncio.create_task(_repeat(works[number % 2], stop)) for number in range(WORKERS)]
        await _until(lambda: len(seen.requests) > 2 * WORKERS)

        await asyncio.to_thread(server.stop, mode)
        await asyncio.sleep(DOWN_S)
        await asyncio.to_thread(server.start)
        back = time.monotonic()
        await _until(lambda: seen.are_well(WORKERS), within=RECOVERY_S)
        recovered = time.monotonic()
        await _until(lambda: len(seen.after(recovered)) > 4 * WORKERS)
        stop.set()
        await asyncio.gather(*workers)

        assert set(seen.after(recovered)) == {frozenset()}, "not well for good"
        assert {errors for *_, errors in seen.requests} == {frozenset(), UNAVAILABLE}
        assert max(ended - started for started, ended, _ in seen.requests) < LONGEST_S
        assert recovered - back < RECOVERY_S
        connections, busy = _connections(server, database)
        assert busy == 0
        assert connections <= 2 * 20
    assert _connections(server, database) == (0, 0)


def _connections(server: PostgreSQL, database: str) -> tuple[int, int]:
    """How many there are to the database, and how many of them are doing something."""
    counts = "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity"
    every, busy = server.sql(f"{counts} WHERE datname = '{database}' AND backend_type = 'client backend'").split("|")
    return int(every), int(busy)


async def test_store_when_postgresql_is_gone_then_each_way_in_is_unavailable_and_no_connection_is_kept(own_postgresql: PostgreSQL) -> None:
    store = Store(own_postgresql.url(own_postgresql.create(template="city")))
    await store_points(store, measured([0], [1]))
    held, gone = asyncio.Event(), asyncio.Event()

    async def holding() -> None:
        """Within a transaction while the server goes."""
        async with store.write() as connection:
            await connection.exec_driver_sql("SELECT 1")
            held.set()
            await gone.wait()
            await connection.exec_driver_sql("SELECT 1")

    async def reading() -> None:
        async with store.read() as connection:
            await connection.exec_driver_sql("SELECT 1")

    try:
        in_transaction = asyncio.create_task(holding())
        await held.wait()
        await asyncio.to_thread(own_postgresql.stop, "immediate")
        gone.set()
        outcomes = await asyncio.gather(in_transaction, reading(), store_points(store, measured([1], [1])), return_exceptions=True)
        checked_out = store.engine.pool.checkedout()  # type: ignore[attr-defined]
        await asyncio.to_thread(own_postgresql.start)

        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3, outcomes
        assert checked_out == 0
        assert await store_points(store, measured([2], [1])) == 1
    finally:
        await store.close()


async def _repeat(work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        await work()
        await asyncio.sleep(0.02)


def _reading(city: City, seen: Seen) -> Callable[[], Awaitable[None]]:
    return lambda: _asked(city, seen, READ, {})


def _writing(city: City, seen: Seen, entity: str) -> Callable[[], Awaitable[None]]:
    series = [{"key": "power", "unit": "W", "timestamps": [1, 2, 3], "values": [1.5, 2.5, 3.5]}]
    return lambda: _asked(city, seen, WRITE, {"input": {"entities": [{"entityId": entity, "series": series}]}})


async def _asked(city: City, seen: Seen, document: str, variables: dict[str, Any]) -> None:
    started = time.monotonic()
    answer = await city.answer(document, variables)
    told = {(error["extensions"]["status"], error["extensions"]["code"]) for error in answer.body.get("errors", [])}
    seen.requests.append((started, time.monotonic(), frozenset(told)))


async def _until(condition: Callable[[], bool], within: float = 60) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
