"""As many subscribers as one likes, over the workers of one city: how much memory all of it takes, and how soon an event reaches everybody.

No process may have more open files than the system grants, so there are as many workers as it takes, and as many processes of
subscribers. Each of these connects from an address of its own: one pair of addresses has too few ports.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from servers import BenchmarkError, open_files, proportional_mb

from live_load.audience import audience
from live_load.city import Readings, running_city
from live_load.fan_out import kib_each, latency_head, latency_line

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.fakes.redis import installed, running_redis

CONNECTIONS = 20_000
"""Of one worker, by default (`CITYGRAPH_LIVE_CONNECTIONS`)."""
OTHER_FILES = 300
"""Of a process, beside its connections."""
FILLED = 0.88
"""The kernel deals connections out by chance: a worker must have room for more than its share."""
CROWD = 25_000
"""Subscribers of one process: an address has 28,232 ports."""
NEEDED_KIB = 60
"""For each subscriber, of all kinds together: the server's part, its subscriber's, and the kernel's for both ends of the connection."""
WORKER_MIB = 250


@dataclass(frozen=True, slots=True)
class Layout:
    subscribers: int
    workers: int
    crowds: int

    @property
    def needed_mib(self) -> int:
        return self.subscribers * NEEDED_KIB // 1024 + (self.workers + self.crowds) * WORKER_MIB


def layout(subscribers: int, files: int, workers: int | None = None) -> Layout:
    """By how many files a process may have open. Raises `BenchmarkError` where so many workers cannot hold them."""
    most = min(files - OTHER_FILES, CONNECTIONS)
    if most < 100:
        raise BenchmarkError(f"a process may have {files:,} open files, which is too few to hold connections: raise `ulimit -n`")
    least = -(-subscribers // int(most * FILLED))
    if workers is not None and workers < least:
        raise BenchmarkError(
            f"{workers} workers do not hold {subscribers:,} subscribers: with {files:,} open files each, {least} are needed"
        )
    return Layout(subscribers, workers or max(2, least), -(-subscribers // min(files - OTHER_FILES, CROWD)))


def check_memory(wanted: Layout, available_mib: int) -> None:
    if wanted.needed_mib > available_mib:
        raise BenchmarkError(
            f"{wanted.subscribers:,} subscribers need some {wanted.needed_mib:,} MiB of memory, and {available_mib:,} MiB are available: "
            "ask for fewer with --subscribers"
        )


def measure(subscribers: int, workers: int | None, events: int, folder: Path, say: Callable[[str], None]) -> Iterator[str]:
    if not installed():
        raise BenchmarkError("workers share their events by Redis: `redis-server` is not on the path")
    wanted = layout(subscribers, open_files(), workers)
    check_memory(wanted, available_mib())
    say(f"{wanted.workers} workers, {wanted.crowds} processes of subscribers")
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        city = stack.enter_context(running_city(folder, None, "--workers", str(wanted.workers), REDIS_URL=redis.url))
        source = Readings(city, city.sensors(1))
        before = proportional_mb(city.server)
        everybody = stack.enter_context(audience(source, subscribers, crowds=wanted.crowds, say=say))
        yield latency_head("spread")
        yield latency_line(f"a reading, {wanted.workers} workers", everybody, events, 1.0, say)
        after = proportional_mb(city.server)
        each = kib_each(before, after, subscribers)
        yield f"all workers: {before:,.0f} MB before, {after:,.0f} MB after, {each:.1f} KiB for each subscriber"


def available_mib() -> int:
    found = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(found[0].split()[1]) // 1024
