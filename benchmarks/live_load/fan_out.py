"""What many subscribers cost one process in memory, and how soon an event reaches all of them. Each asks for the readings of one sensor."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers import Cores, Server, resident_mb

from live_load.audience import Audience, Delivered, Source, audience
from live_load.city import Patches, Readings, running_city
from live_load.peer import running_peer

WARM_SUBSCRIBERS = 20
"""They come and go before memory is looked at: what is loaded and planned once is not a subscription's."""
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sizes:
    memory: Sequence[int] = (1_000, 5_000)
    peer_memory: Sequence[int] = (1_000,)
    subscribers: int = 15_000
    events: int = 20
    followers: int = 500
    patches: int = 300
    pause_s: float = 0.1
    """Between events, so that each meets a server at rest."""


QUICK = Sizes(memory=(300,), peer_memory=(300,), subscribers=1_000, events=5, followers=100, patches=20, pause_s=0.05)


def memory(sizes: Sizes, cores: Cores, folder: Path, say: Callable[[str], None]) -> Iterator[str]:
    yield f"{'memory':<20}{'subscribers':>14}{'MB before':>12}{'MB after':>12}{'KiB each':>12}"
    for count in sizes.memory:
        with running_city(folder, cores.server) as city:
            yield grown(city.server, Readings(city, city.sensors(1)), count, cores, say)
    for count in sizes.peer_memory:
        with running_peer(folder, cores.server, ["FI-HELSINKI/object/5f0c8a52-3a8e-4a53-9d0e-7a1b8d3f9c01"]) as (server, posted):
            yield grown(server, posted, count, cores, say)


def grown(server: Server, source: Source, count: int, cores: Cores, say: Callable[[str], None]) -> str:
    """By how much a server that has just started grows."""
    with audience(source, WARM_SUBSCRIBERS, core=cores.others, say=say) as few:
        few.hears(1)
    time.sleep(SETTLE_SECONDS)
    before = resident_mb(server)
    with audience(source, count, core=cores.others, say=say) as all_of_them:
        all_of_them.hears(1)
        time.sleep(SETTLE_SECONDS)
        after = resident_mb(server)
    return f"{server.name:<20}{count:>14,}{before:>12.1f}{after:>12.1f}{kib_each(before, after, count):>12.1f}"


def kib_each(before_mb: float, after_mb: float, count: int) -> float:
    return (after_mb - before_mb) * 1e6 / 1024 / count


def fan_out(sizes: Sizes, cores: Cores, folder: Path, say: Callable[[str], None]) -> Iterator[str]:
    """Readings, one at a time."""
    yield latency_head("fan-out")
    with running_city(folder, cores.server) as city:
        source = Readings(city, city.sensors(1))
        with audience(source, sizes.subscribers, core=cores.others, say=say) as listeners:
            yield latency_line("a reading", listeners, sizes.events, sizes.pause_s, say)
            say(f"citygraph has {resident_mb(city.server):.0f} MB")


def patch(sizes: Sizes, cores: Cores, folder: Path, say: Callable[[str], None]) -> Iterator[str]:
    """Patches of one model, which all follow."""
    yield latency_head("patch")
    with running_city(folder, cores.server) as city:
        source = Patches.of_a_new_model(city)
        with audience(source, sizes.followers, core=cores.others, say=say) as followers:
            yield latency_line("a patch of a model", followers, sizes.patches, sizes.pause_s, say)


def latency_head(title: str) -> str:
    return f"{title:<20}{'subscribers':>14}{'events':>12}{'p50 ms':>12}{'p99 ms':>12}{'max ms':>12}{'all: median ms':>18}"


def latency_line(told: str, listeners: Audience, events: int, pause_s: float, say: Callable[[str], None]) -> str:
    """Over all deliveries of all events; `all` is until an event had reached the last one."""
    each = [heard_after(pause_s, listeners) for _ in range(events)]
    every = Delivered(sorted(latency for one in each for latency in one.latencies), each[-1].frame_bytes)
    last = sorted(one.latencies[-1] for one in each)
    say(f"the last of {listeners.subscribers:,} heard after {last[0]:.0f} to {last[-1]:.0f} ms")
    cells = (every.percentile(0.5), every.percentile(0.99), every.latencies[-1])
    figures = "".join(f"{ms:>12.1f}" for ms in cells)
    return f"{told:<20}{listeners.subscribers:>14,}{events:>12,}{figures}{last[len(last) // 2]:>18.1f}"


def heard_after(pause_s: float, listeners: Audience) -> Delivered:
    time.sleep(pause_s)
    return listeners.hears(1)
