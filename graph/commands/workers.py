"""Several processes behind one port: they are started, replaced when they end, and stopped together.

The processes share nothing but the port and what the settings name. This one serves nobody; it holds the port, so that no other server
takes it, and waits. A worker that loses it stops.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, Protocol

from graph.config import ConfigError

QUICK_SECONDS = 10.0
"""A worker that ends sooner is likely to end as soon again."""
MAX_QUICK = 5
"""So many of them in a row, and nothing is tried any more."""
PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """Where workers listen. Each has a socket of its own, among which the kernel shares out connections; where it does not, all have
    the same one, `shared`."""

    host: str
    port: int
    shared: socket.socket | None = None

    def open(self) -> socket.socket:
        """Bound, but not listening yet: a worker that is being started is given no connection."""
        return self.shared or bound(self.host, self.port)


class Work(Protocol):
    """What a worker does, in a process of its own, until SIGINT or SIGTERM. It is pickled, so it is no closure."""

    def __call__(self, listener: socket.socket, on_ready: Callable[[], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """`stop_seconds` is how long workers may take to end; then they are ended."""

    work: Work
    count: int
    door: Door
    stop_seconds: float


def shares_ports() -> bool:
    """Whether sockets bound to one port share its connections evenly: on Linux they do."""
    return sys.platform == "linux"


def bound(host: str, port: int) -> socket.socket:
    """One of several sockets on a port. Port 0 takes any free one. Raises OSError."""
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind((host, port))
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened


@dataclass(slots=True, eq=False)
class Worker:
    """`ours` is our end of a pipe: the worker says on it that it is ready, and stops when it breaks."""

    number: int
    process: SpawnProcess
    ours: Connection
    started: float
    ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Runs a plan; `on_ready` is called once, when all workers serve."""

    plan: Plan
    on_ready: Callable[[], None]
    _workers: list[Worker] = field(default_factory=list)
    _due: list[tuple[float, int]] = field(default_factory=list)
    """When the worker of which number is to be started."""
    _quick: int = 0
    _served: bool = False
    _asked: list[int] = field(default_factory=list)
    """The signals that came."""

    def run(self) -> int:
        """The status to exit with: 0 where it was asked to stop and all did; a worker's own where that could not even start."""
        with self._signals() as woken:
            # The first one alone: what is wrong with the settings is said once, and what it has composed is there for the others.
            self._due = [(0.0, 0)]
            while not self._asked:
                self._start_due()
                status = self._wait(woken, self._until_due())
                if status is not None:
                    self._stop(signal.SIGTERM, woken)
                    return status
            return self._stop(self._asked[0], woken)

    def _start_due(self) -> None:
        now = time.monotonic()
        for at, number in self._due:
            if at <= now:
                self._workers.append(_started(self.plan, number))
        self._due = [one for one in self._due if one[0] > now]

    def _until_due(self) -> float | None:
        return max(0.0, min(at for at, _ in self._due) - time.monotonic()) if self._due else None

    def _wait(self, woken: socket.socket, seconds: float | None) -> int | None:
        """Takes in what happens next; a status where that is the end."""
        happened = wait(
            [woken, *(one.ours for one in self._workers if not one.ready), *(one.process.sentinel for one in self._workers)], seconds
        )
        if woken in happened:
            woken.recv(100)
        for worker in list(self._workers):
            if worker.ours in happened and not worker.ready:
                with suppress(EOFError, OSError):
                    worker.ours.recv()
                    worker.ready = True
                    self._one_more()
            if worker.process.sentinel in happened:
                self._workers.remove(worker)
                status = self._ended(worker)
                if status is not None and not self._asked:
                    return status
        return None

    def _one_more(self) -> None:
        if not self._served and len(self._workers) == 1:
            self._due = [(0.0, number) for number in range(1, self.plan.count)]
        ready = sum(worker.ready for worker in self._workers)
        if not self._served and ready == self.plan.count:
            self._served = True
            self.on_ready()

    def _ended(self, worker: Worker) -> int | None:
        """Has another take its place, unless that is no use."""
        worker.process.join()
        worker.ours.close()
        code = worker.process.exitcode or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        if not self._served and not worker.ready:
            # It has said why itself.
            return code if code > 0 else 1
        if self._asked:
            return None
        self._quick = self._quick + 1 if time.monotonic() - worker.started < QUICK_SECONDS else 0
        if self._quick >= MAX_QUICK:
            logger.error(
                "worker %d ended %s: %d in a row ended within %g s, so no other is started", worker.number, how, self._quick, QUICK_SECONDS
            )
            return 1
        pause = min(PAUSE_SECONDS * 2**self._quick, MAX_PAUSE_SECONDS) if self._quick else 0.0
        logger.warning("worker %d (process %s) ended %s: another takes its place", worker.number, worker.process.pid, how)
        self._due.append((time.monotonic() + pause, worker.number))
        return None

    def _stop(self, number: int, woken: socket.socket) -> int:
        """Passes the signal on, and any that follows; whoever does not stop in time is ended. 1 where somebody was."""
        status, deadline = 0, time.monotonic() + self.plan.stop_seconds
        self._asked = self._asked or [number]
        passed = 0
        while self._workers:
            for signal_number in self._asked[passed:]:
                for worker in self._workers:
                    _send(worker, signal_number)
            passed = len(self._asked)
            left = deadline - time.monotonic()
            if left <= 0:
                for worker in self._workers:
                    logger.error("worker %d did not stop within %g s", worker.number, self.plan.stop_seconds)
                    worker.process.kill()
                status, deadline = 1, time.monotonic() + 10
            happened = wait([woken, *(worker.process.sentinel for worker in self._workers)], max(0.0, left))
            if woken in happened:
                woken.recv(100)
            for worker in [one for one in self._workers if one.process.sentinel in happened]:
                self._workers.remove(worker)
                worker.process.join()
                # One that was still being started is ended by the signal itself.
                if worker.process.exitcode not in (0, -signal.SIGTERM, -signal.SIGINT):
                    status = 1
        return status

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Notes SIGINT and SIGTERM; the socket can be read when one came."""
        woken, waking = socket.socketpair()
        woken.setblocking(False)
        waking.setblocking(False)

        def note(number: int, _frame: FrameType | None) -> None:
            self._asked.append(number)

        before: dict[int, Any] = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        before_wakeup = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        try:
            with woken, waking:
                yield woken
        finally:
            signal.set_wakeup_fd(before_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)


def _send(worker: Worker, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker.process.pid or 0, number)


def _started(plan: Plan, number: int) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(plan, theirs), name=f"citygraph-worker-{number}")
    process.start()
    # Now the worker alone has its end, so that ours says when it is gone.
    theirs.close()
    return Worker(number, process, ours, time.monotonic())


def _work(plan: Plan, theirs: Connection) -> None:
    """The worker's own process."""
    # Ctrl-C at a terminal reaches every process of its group: the supervisor alone is to hear it, and to pass it on.
    os.setpgid(0, 0)
    threading.Thread(target=_follow_supervisor, args=(theirs, plan.stop_seconds), daemon=True).start()
    try:
        plan.work(plan.door.open(), lambda: theirs.send(True))
    except ConfigError as error:
        print(f"citygraph: {error}", file=sys.stderr)
        sys.exit(2)


def _follow_supervisor(theirs: Connection, stop_seconds: float) -> None:
    """Nothing is ever sent here: the pipe breaks when the supervisor is gone, whatever ended it. Nobody else would end us then."""
    with suppress(EOFError, OSError):
        theirs.recv()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(stop_seconds)
    os._exit(1)
