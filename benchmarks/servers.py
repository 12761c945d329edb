"""Servers as processes: started on a core of their own, waited for, their CPU time and memory read, stopped.

Reads `/proc`, so Linux only. A server's children count as the server: Node's gateways answer from a child.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

START_S = 60.0
STOP_S = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """The benchmark cannot say anything; the message tells why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run: the server under load on one core, all else on another. The same one where there is no second."""

    server: int
    others: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[min(1, len(usable) - 1)])


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path


def pinned(core: int) -> Callable[[], None]:
    """What a child does before it becomes the command, so that its threads inherit the core."""
    return lambda: os.sched_setaffinity(0, {core})


def start(name: str, command: Sequence[str], core: int | None, folder: Path, environment: Mapping[str, str] | None = None) -> Server:
    """Its output goes to a file of `folder`, named after it. Without a core of its own it has them all."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            preexec_fn=None if core is None else pinned(core),
        )
    return Server(name, process, log)


def stop(server: Server) -> None:
    """With its children, kindly at first."""
    with suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGTERM)
        try:
            server.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()


def free_port() -> int:
    """Free a moment ago; whoever listens on it next is meant to be us."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def post(url: str, body: bytes, timeout_s: float = 20.0) -> bytes:
    request = Request(url, body, {"Content-Type": "application/json", "Accept": "application/json"})
    with urlopen(request, timeout=timeout_s) as response:
        answer: bytes = response.read()
    return answer


def first_answer(server: Server, url: str, body: bytes) -> bytes:
    """Asks until the server listens. Raises `BenchmarkError` where it ends, or does not answer in time."""
    given_up = time.monotonic() + START_S
    while time.monotonic() < given_up:
        if server.process.poll() is not None:
            break
        try:
            return post(url, body)
        except (URLError, ConnectionError, TimeoutError) as error:
            refused = error
            time.sleep(0.1)
    else:
        raise BenchmarkError(f"{server.name} did not answer within {START_S:.0f} s: {refused}\n{_end_of(server.log)}")
    raise BenchmarkError(f"{server.name} ended with status {server.process.returncode} before it answered:\n{_end_of(server.log)}")


def printed_port(server: Server) -> int:
    """The number that a server prints once it listens."""
    return int(printed(server, r"\A(\d+)\n"))


def printed(server: Server, pattern: str) -> str:
    """What the pattern's group finds in what the server has printed, once it is there."""
    given_up = time.monotonic() + START_S
    while time.monotonic() < given_up and server.process.poll() is None:
        found = re.search(pattern, server.log.read_text(errors="replace"))
        if found is not None:
            return found[1]
        time.sleep(0.05)
    raise BenchmarkError(f"{server.name} did not say that it serves:\n{_end_of(server.log)}")


def open_files() -> int:
    """As many as this process and those that it starts may have; the soft limit is raised to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1_000_000 if hard == resource.RLIM_INFINITY else hard


def cpu_seconds(server: Server) -> float:
    """CPU time, user and system, of the process and its living children so far."""
    return sum(_ticks(pid) for pid in _family(server.process.pid)) / _TICKS


def resident_mb(server: Server) -> float:
    pages = sum(int(_proc(pid, "statm").split()[1]) for pid in _family(server.process.pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def proportional_mb(server: Server) -> float:
    """As `resident_mb`, but what several processes share is counted once: each has its part of it (`Pss`)."""
    rollups = [_proc(pid, "smaps_rollup") for pid in _family(server.process.pid)]
    return sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")) * 1024 / 1e6


def _ticks(pid: int) -> int:
    # The name in parentheses may contain blanks; user and system time are the 12th and 13th fields after it.
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        found += [int(child) for child in _proc(parent, f"task/{parent}/children").split()]
    return found


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError as error:
        raise BenchmarkError(f"the process {pid} of a server is gone: {error}") from error


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
