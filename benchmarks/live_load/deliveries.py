"""How many deliveries a second of CPU time makes, beside Strawberry's own handler: the same document, the same events, as many bytes.

Both servers stand at the same time, on the same core, and have their turns. Readings come in twenty at a time, as a gateway of
sensors sends them; what that costs a server is part of its CPU time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from servers import BenchmarkError, Cores, Server, cpu_seconds

from live_load.audience import Audience, audience
from live_load.city import Readings, running_city
from live_load.peer import running_peer

EVENTS_A_REQUEST = 20
MOST_DIFFERENCE = 0.05
"""Of the length of frames: with more, it would not be the same that both send."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Each round makes `deliveries` at least; `requests` is how many are made where only their own cost is asked for."""

    subscribers: Sequence[int] = (200, 1_000, 5_000)
    deliveries: int = 40_000
    rounds: int = 2
    requests: int = 100


QUICK = Sizes(subscribers=(100,), deliveries=10_000, rounds=2, requests=20)


@dataclass(frozen=True, slots=True)
class Side:
    """One server and who listens to it."""

    server: Server
    audience: Audience


@dataclass(frozen=True, slots=True)
class Row:
    """`cpu_s` is of all rounds, citygraph's and Strawberry's; so is `deliveries`, of either."""

    subscribers: int
    deliveries: int
    cpu_s: tuple[float, float]
    frame_bytes: tuple[int, int]

    @property
    def rates(self) -> tuple[float, float]:
        ours, theirs = self.cpu_s
        return self.deliveries / max(ours, 0.01), self.deliveries / max(theirs, 0.01)


def measure(sizes: Sizes, cores: Cores, folder: Path, say: Callable[[str], None]) -> Iterator[str]:
    """The lines of a table."""
    with ExitStack() as stack:
        city = stack.enter_context(running_city(folder, cores.server))
        sensors = city.sensors(EVENTS_A_REQUEST)
        ours = Readings(city, sensors)
        peer, theirs = stack.enter_context(running_peer(folder, cores.server, sensors))
        yield f"{'deliveries':<20}{'frame B':>14}{'citygraph per CPU-s':>22}{'strawberry per CPU-s':>23}{'ratio':>9}"
        for count in (1, *sizes.subscribers):
            with (
                audience(ours, count, core=cores.others, say=say) as our_audience,
                audience(theirs, count, core=cores.others, say=say) as their_audience,
            ):
                sides = (Side(city.server, our_audience), Side(peer, their_audience))
                if count == 1:
                    made = in_rounds(sides, sizes.requests, 1, say)
                else:
                    requests = -(-sizes.deliveries // (count * EVENTS_A_REQUEST))
                    yield line(in_rounds(sides, requests, sizes.rounds, say))
        costs = " and ".join(f"{cpu_s / sizes.requests * 1000:.1f}" for cpu_s in made.cpu_s)
        yield f"a request of {EVENTS_A_REQUEST} readings alone costs {costs} ms of CPU time, included above"


def line(row: Row) -> str:
    ours, theirs = row.rates
    frames = "{} / {}".format(*row.frame_bytes)
    return f"{row.subscribers:>7,} subscribers {frames:>14}{ours:>22,.0f}{theirs:>23,.0f}{ours / theirs:>8.1f} ×"


def in_rounds(sides: tuple[Side, Side], requests: int, rounds: int, say: Callable[[str], None]) -> Row:
    subscribers = sides[0].audience.subscribers
    cpu_s, frames = [0.0, 0.0], [0, 0]
    for side in sides:
        side.audience.hears(EVENTS_A_REQUEST)  # whatever is done once is done
    for _ in range(rounds):
        for place, side in enumerate(sides):
            before = cpu_seconds(side.server)
            for _ in range(requests):
                frames[place] = side.audience.hears(EVENTS_A_REQUEST).frame_bytes
            took = cpu_seconds(side.server) - before
            cpu_s[place] += took
            made = subscribers * requests * EVENTS_A_REQUEST
            say(f"{side.server.name}: {made:,} deliveries to {subscribers:,} subscribers, {took:.2f} s of CPU time")
    if abs(frames[0] - frames[1]) > MOST_DIFFERENCE * max(frames):
        raise BenchmarkError(f"the servers do not send the same: frames of {frames[0]} and {frames[1]} bytes")
    deliveries = subscribers * requests * EVENTS_A_REQUEST * rounds
    return Row(subscribers, deliveries, (cpu_s[0], cpu_s[1]), (frames[0], frames[1]))
