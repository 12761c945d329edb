"""All the crowds that listen to one server, seen from the process that measures: opened, asked what they heard, ended."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Protocol, TypeVar

from servers import BenchmarkError

from live_load.crowd import Expect, Expecting, Fault, Heard, Opened, Plan, Tell, run

PROBE_SECONDS = 5.0
PROBES = 20
OPEN_SECONDS_EACH = 0.01
"""How long one subscriber may take to open, beside half a minute for all."""
HEAR_SECONDS = 120.0

Answer = TypeVar("Answer")


class Source(Protocol):
    """What makes events: one subscription's document and variables, how its events are numbered, and how some are made."""

    subscribe: Mapping[str, object]
    number: bytes
    port: int
    issuer: Path | None

    def send(self, count: int) -> "Sent":
        """So many events by one request."""
        ...

    @property
    def next_number(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """When the first byte of the request was about to go, by the machine's monotonic clock in nanoseconds."""

    at: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """`latencies` in milliseconds, sorted: from the request that made an event until it had arrived, for each event and subscriber."""

    latencies: list[float]
    frame_bytes: int

    def percentile(self, part: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * part))]


@dataclass(frozen=True, slots=True)
class _Member:
    process: SpawnProcess
    pipe: "Connection[Any, Any]"


@dataclass(frozen=True, slots=True)
class Audience:
    """`subscribers` who have all heard an event already."""

    source: Source
    subscribers: int
    members: list[_Member]

    def hears(self, count: int) -> Delivered:
        """So many events, made by one request. Raises `BenchmarkError` where one did not reach everybody, once and in order."""
        heard, at = self._try(count, HEAR_SECONDS)
        missing = self.subscribers * count - sum(len(one) for each in heard for one in each.arrivals)
        if missing:
            raise BenchmarkError(f"{missing:,} of {self.subscribers * count:,} deliveries did not come within {HEAR_SECONDS:.0f} s")
        latencies = sorted((arrived - at) / 1e6 for each in heard for one in each.arrivals for arrived in one)
        return Delivered(latencies, max(each.frame_bytes for each in heard))

    def wait_until_all_hear(self) -> None:
        """A subscription says nothing when it has begun, so events are made until one reaches everybody."""
        for _ in range(PROBES):
            heard, _ = self._try(1, PROBE_SECONDS)
            if sum(len(one) for each in heard for one in each.arrivals) == self.subscribers:
                return
        raise BenchmarkError(f"after {PROBES} events there are still subscribers of {self.subscribers:,} who heard none")

    def _try(self, count: int, seconds: float) -> tuple[list[Heard], int]:
        for one in self.members:
            one.pipe.send(Expect(self.source.next_number, count))
        for one in self.members:
            _told(one, HEAR_SECONDS, Expecting)
        sent = self.source.send(count)
        deadline = time.monotonic() + seconds
        heard: list[Heard] = []
        for one in self.members:
            if not one.pipe.poll(max(0.0, deadline - time.monotonic())):
                # It may have told meanwhile: then this says nothing to it.
                one.pipe.send(Tell())
            heard.append(_told(one, HEAR_SECONDS, Heard))
        return heard, sent.at


@contextmanager
def audience(
    source: Source, subscribers: int, *, crowds: int = 1, core: int | None = None, say: Callable[[str], None]
) -> Iterator[Audience]:
    """Opened, and known to hear."""
    members: list[_Member] = []
    began = time.monotonic()
    try:
        first = 0
        for index in range(crowds):
            count = (subscribers - first) // (crowds - index)
            plan = Plan(source.port, dict(source.subscribe), source.number, count, first, f"127.0.0.{index + 2}", source.issuer, core)
            members.append(_started(plan))
            first += count
        for one in members:
            _told(one, 30 + subscribers * OPEN_SECONDS_EACH, Opened)
        opened = Audience(source, subscribers, members)
        opened.wait_until_all_hear()
        say(f"{subscribers:,} subscribers opened in {time.monotonic() - began:.1f} s")
        yield opened
    finally:
        for one in members:
            _end(one)


def _started(plan: Plan) -> _Member:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(plan, theirs), daemon=True)
    process.start()
    # Else the pipe would not break when the process ends.
    theirs.close()
    return _Member(process, ours)


def _end(one: _Member) -> None:
    with suppress(OSError):
        one.pipe.close()
    one.process.join(10)
    if one.process.is_alive():
        one.process.kill()
        one.process.join()


def _told(one: _Member, seconds: float, kind: type[Answer]) -> Answer:
    if not one.pipe.poll(seconds):
        raise BenchmarkError(f"subscribers did not answer within {seconds:.0f} s: {kind.__name__} was to come")
    try:
        told = one.pipe.recv()
    except EOFError:
        raise BenchmarkError(f"a process of subscribers ended with status {one.process.exitcode}") from None
    if isinstance(told, Fault):
        raise BenchmarkError(told.reason)
    if not isinstance(told, kind):
        raise BenchmarkError(f"{kind.__name__} was to come: {told!r}"[:500])
    return told
