"""A process killed while it stores points: what it acknowledged is there, once, and no batch is half there (AC-11).

Three deaths in the suite, fifty by `make soak`.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from resolvers.stores.engine import Store
from resolvers.stores.migrate import migrate
from resolvers.telemetry.store import point_table, series_table
from tests.conftest import REQUIRE_SERVICES
from tests.fakes.ingesting import POINTS, SERIES, TENANT, WRITERS, value
from tests.fakes.postgresql import PostgreSQL, binaries, running_postgresql
from tests.soak import scaled

pytestmark = pytest.mark.soak

DEATHS = scaled(suite=3, soak=50)
ROOT = Path(__file__).parents[3]
RANDOM = random.Random(4)


@pytest.fixture(scope="module")
def durable_postgresql() -> Iterator[PostgreSQL]:
    """One that forces what it acknowledges to the disk."""
    if binaries() is None and not REQUIRE_SERVICES:
        pytest.skip("no PostgreSQL with PostGIS is installed: on Debian, 'apt-get install postgresql-15-postgis-3'")
    with running_postgresql(durable=True) as server:
        server.create("city")
        migrate(server.url("city"))
        yield server


def test_sqlite_when_the_writer_is_killed_then_all_that_was_acknowledged_is_there_once(sqlite_url: str) -> None:
    for death in range(DEATHS):
        with _ingesting(sqlite_url, f"death-{death}") as process:
            _wait_for_acknowledgements(process)
            time.sleep(RANDOM.uniform(0, 0.3))
            acknowledged = _killed(process)

        assert_stored(sqlite_url, f"death-{death}", acknowledged)


def test_postgresql_when_the_writer_and_the_server_are_killed_then_all_that_was_acknowledged_is_there_once(
    durable_postgresql: PostgreSQL,
) -> None:
    url = durable_postgresql.url("city")
    for death in range(DEATHS):
        with _ingesting(url, f"death-{death}") as process:
            _wait_for_acknowledgements(process)
            time.sleep(RANDOM.uniform(0, 0.3))
            if death % 3 != 1:  # the server dies before the writer, who may see it come back, or not
                durable_postgresql.stop("immediate")
                durable_postgresql.start()
                time.sleep(RANDOM.choice((0, 0.5)))
            acknowledged = _killed(process)

        assert_stored(url, f"death-{death}", acknowledged)


def _ingesting(url: str, key: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.fakes.ingesting", url, key]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for_acknowledgements(process: "subprocess.Popen[str]") -> None:
    """The first line; an end of the process is told with what it said."""
    assert process.stdout is not None
    assert process.stderr is not None
    _FIRST[process.pid] = process.stdout.readline()
    assert _FIRST[process.pid], process.stderr.read()


_FIRST: dict[int, str] = {}


def _killed(process: "subprocess.Popen[str]") -> dict[int, int]:
    """How many batches each writer had acknowledged when the process was killed."""
    assert process.poll() is None, "the process ended by itself"
    process.kill()
    output, errors = process.communicate(timeout=30)
    assert errors == ""
    acknowledged = dict.fromkeys(range(WRITERS), 0)
    for line in (_FIRST.pop(process.pid) + output).splitlines(keepends=True):
        if line.endswith("\n"):
            writer, number = map(int, line.split())
            acknowledged[writer] = number + 1
    return acknowledged


def assert_stored(url: str, key: str, acknowledged: dict[int, int]) -> None:
    """Of each writer all acknowledged batches, the one under way wholly or not at all, and nothing else."""
    found = asyncio.run(_stored(url, key))
    for writer, batches in acknowledged.items():
        series = [found.get(writer * SERIES + one, []) for one in range(SERIES)]
        count = len(series[0])
        assert count in (batches * POINTS, (batches + 1) * POINTS), f"writer {writer} acknowledged {batches} batches"
        expected = [(time, value(writer, time)) for time in range(count)]
        assert all(points == expected for points in series)


async def _stored(url: str, key: str) -> dict[int, list[tuple[int, float]]]:
    """Times and values of each entity, in order; a point that is there twice is in the list twice."""
    s, p = series_table.c, point_table.c
    statement = (
        sa.select(s.entity, p.ts, p.num)
        .join_from(series_table, point_table, p.series == s.id)
        .where(s.tenant == TENANT, s.key == key)
        .order_by(s.entity, p.ts)
    )
    store = Store(url)
    found: dict[int, list[tuple[int, float]]] = {}
    try:
        async with store.read() as connection:
            for entity, ts, num in await connection.execute(statement):
                found.setdefault(entity.int, []).append((ts, num))
    finally:
        await store.close()
    return found
