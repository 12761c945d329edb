"""Strawberry's own handler as a server to measure beside: started on uvicorn as a city's own server is, and told of readings."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers import BenchmarkError, Server, free_port, printed, start, stop

from live_load.audience import Sent
from live_load.city import RECEIVED, posted, reading

NEVER = "1000000"
"""Seconds until uvicorn itself asks whether a client is there: a city's server does not, its sessions do."""


@dataclass(slots=True)
class Posted:
    """The same events as a city's readings, by a request that does nothing else."""

    port: int
    sensors: Sequence[str]
    next_number: int = 1
    number: bytes = rb'"value":(\d+)'
    issuer: Path | None = None
    subscribe: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.subscribe = {"query": RECEIVED, "variables": {"sensors": list(self.sensors)}}

    def send(self, count: int) -> Sent:
        numbers = range(self.next_number, self.next_number + count)
        readings = [{"entityId": sensor, "point": reading(number)} for sensor, number in zip(self.sensors, numbers, strict=False)]
        self.next_number += count
        status, answer, sent = posted(self.port, "/ingest", json.dumps(readings).encode(), {})
        if status != 204:
            raise BenchmarkError(f"Strawberry's server answers {status}: {answer[:500]!r}")
        return sent


@contextmanager
def running_peer(folder: Path, core: int | None, sensors: Sequence[str]) -> Iterator[tuple[Server, Posted]]:
    port = free_port()
    flags = (
        *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio"),
        *("--ws-per-message-deflate", "false", "--ws-ping-interval", NEVER, "--no-access-log"),
    )
    server = start("strawberry", [sys.executable, "-m", "uvicorn", "live_load.strawberry_peer:app", *flags], core, folder)
    try:
        printed(server, r"(Uvicorn running on)")
        yield server, Posted(port, sensors)
    finally:
        stop(server)
