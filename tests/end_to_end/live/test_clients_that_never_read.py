"""TC-06: of 200 who follow a model 20 never read. They cost what is bounded, are told to resynchronise or closed, and delay nobody.

Those that the server has closed come back, so that there are 20 all the time. For some seconds; for ten minutes by `make soak`.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from graph.auth.claims import ROLES
from graph.auth.demo_issuer import DemoIssuer
from tests.end_to_end.conftest import CITYGRAPH, START_SECONDS, clean_environment
from tests.end_to_end.live.crowd import Changing, NeverReaders, Reader, readers, resident
from tests.fakes.city import CITY
from tests.fakes.issuer import published_issuer
from tests.soak import scaled

pytestmark = [pytest.mark.soak, pytest.mark.skipif(sys.platform != "linux", reason="what a process has is read from /proc")]

READERS, NEVER = 180, 20
RATE = 10.0
ALONE_SECONDS, TOGETHER_SECONDS = scaled(suite=(1.0, 4.0), soak=(60.0, 600.0))
"""Without them, before and after, and with them."""
COME_BACK = NEVER + NEVER // 2
MOST_VERSIONS = int(RATE * (TOGETHER_SECONDS + 30))
"""It goes on until so many clients have come, some in the place of those that were closed, or so many versions were made."""
BACKLOG = scaled(suite=100_000, soak=1_000_000)
KEEP_ALIVE_SECONDS = scaled(suite=5, soak=20)
PATIENCE_SECONDS = 5.0
"""What the interface promises of any delivery. A server that waited for who does not read would be late by more, for each of them."""
HELD = 2 * NEVER * 2 * BACKLOG
"""Each may be behind by twice the backlog, and so may the one before it, which is broken off seconds after it is closed."""
NOISE = 12_000_000
"""What a process that serves takes more, or less, from one second to another."""
FOLLOWERS = ("ada", "bob", "cy", "dee", "eve")


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[DemoIssuer]:
    with published_issuer(tmp_path) as made:
        yield made


@pytest.fixture
def city(tmp_path: Path, sqlite_url: str, composed_dir: Path, issuer: DemoIssuer) -> Iterator[tuple[str, int]]:
    """`citygraph serve`: its URL and process."""
    log = tmp_path / "log"
    environment = clean_environment(
        DATABASE_URL=sqlite_url,
        DATA_DIR=str(composed_dir),
        CITYGRAPH_ISSUER=issuer.url,
        CITYGRAPH_LIVE_BACKLOG_KB=str(BACKLOG // 1_000),
        CITYGRAPH_LIVE_KEEP_ALIVE_S=str(KEEP_ALIVE_SECONDS),
    )
    with log.open("w") as written:
        process = subprocess.Popen([CITYGRAPH, "serve", "--port", "0"], env=environment, stdout=written, stderr=written)
    deadline = time.monotonic() + START_SECONDS
    while (started := re.search(r"GraphQL at (http\S+)/graphql", log.read_text())) is None:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3_000:]
        time.sleep(0.05)
    yield started[1], process.pid
    process.terminate()
    process.wait(30)


@pytest.mark.timeout(scaled(suite=120, soak=1_200))
async def test_others_when_some_never_read_then_hear_all_in_time_and_memory_stays(city: tuple[str, int], issuer: DemoIssuer) -> None:
    url, pid = city
    deaf, *reading = (token(issuer, subject) for subject in ("mallory", *FOLLOWERS))
    model = Changing(url, reading[0], RATE)

    async with model.created(), readers(model, reading, READERS) as following:
        start, come = await model.change_for(ALONE_SECONDS)
        before = resident(pid)
        async with NeverReaders(url, deaf, model.id, NEVER).present() as never:
            taken: list[int] = []
            watching = asyncio.create_task(watch_memory(pid, taken))
            _, gone = await model.change_for(TOGETHER_SECONDS)
            while never.came < COME_BACK and gone < come + MOST_VERSIONS:
                _, gone = await model.change_for(0.5)
            watching.cancel()
            await all_heard(following, model.version)
            told = await never.unread()
        _, end = await model.change_for(ALONE_SECONDS)
        await all_heard(following, model.version)

    phases = {"before": (start, come), "with": (come, gone), "after": (gone, end)}
    late = {name: latencies(following, *versions) for name, versions in phases.items()}
    report(late, before, taken, never.came)
    assert [reader.versions for reader in following] == [list(range(2, model.version + 1))] * READERS
    assert max(late["before"] + late["with"] + late["after"]) < PATIENCE_SECONDS
    assert median(late["with"]) < median(late["before"] + late["after"]) + 1
    assert max(taken) < before + HELD + NOISE
    assert median(taken[-len(taken) // 5 :]) < median(taken[len(taken) // 5 : 2 * len(taken) // 5]) + NOISE
    assert never.came >= COME_BACK
    assert "RESYNC_REQUIRED" in (words := {last_word(messages) for messages in told})
    assert words <= {"RESYNC_REQUIRED", "next", "nothing"}


def token(issuer: DemoIssuer, subject: str) -> str:
    return issuer.sign(subject=subject, tenant=CITY, roles=sorted(ROLES), audience="dt-dth-api", lifetime=3_600)


async def watch_memory(pid: int, taken: list[int]) -> None:
    """What the process has, ten times a second."""
    while True:
        taken.append(resident(pid))
        await asyncio.sleep(0.1)


async def all_heard(following: list[Reader], version: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(not reader.versions or reader.versions[-1] < version for reader in following):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def latencies(following: list[Reader], start: int, end: int) -> list[float]:
    """Of the versions from `start` to before `end`; the first that anybody hears is 2."""
    return [late for reader in following for late in reader.late[start - 2 : end - 2]]


def last_word(messages: list[dict[str, Any]]) -> str:
    """Of what one was told of its subscription, whose events have to be without a gap; of an error its code."""
    mine = [message for message in messages if message["type"] == "error" or "modelEvents" in message.get("payload", {}).get("data", {})]
    versions = [event["newVersion"] for one in mine if one["type"] == "next" and (event := one["payload"]["data"]["modelEvents"])]
    assert versions == list(range(versions[0], versions[0] + len(versions))) if versions else True
    if not mine:
        return "nothing"
    return str(mine[-1]["payload"][0]["extensions"]["code"]) if mine[-1]["type"] == "error" else "next"


def report(late: dict[str, list[float]], before: int, taken: list[int], came: int) -> None:
    """To be read with `pytest -s`, or where it fails."""
    for name, found in late.items():
        p99 = quantiles(found, n=100)[98]
        print(f"{name}: {len(found):,} deliveries, p50 {median(found):.4f} s, p99 {p99:.4f} s, at most {max(found):.3f} s")
    marks = [taken[at] // 1_000_000 for at in range(0, len(taken), max(1, len(taken) // 20))]
    print(
        f"{came} came that never read; with them memory went from {before // 1_000_000} MB to {marks}, at most {max(taken) // 1_000_000} MB"
    )
