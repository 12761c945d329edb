"""A small load generator, for machines without wrk: `python -m gateway_load.client URL BODY_FILE CONNECTIONS SECONDS`.

Each connection asks, waits for the whole answer and asks again. Prints one line, as `wrk.lua` does.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

from gateway_load.load import Load


class Tally:
    """What all connections saw."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.bytes = 0
        self.failed = 0


class Connection(asyncio.Protocol):
    """Asks for as long as it is connected."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request, self._tally = request, tally
        self._parser = httptools.HttpResponseParser(self)
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._tally.bytes += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._tally.latencies.append(time.perf_counter() - self._asked)
        self._tally.failed += self._parser.get_status_code() != 200
        self._parser = httptools.HttpResponseParser(self)
        if not self._transport.is_closing():
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.failed += exc is not None

    def stop(self) -> None:
        self._transport.abort()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)


async def load(url: str, body: bytes, connections: int, seconds: float) -> Load:
    where = urlsplit(url)
    assert where.hostname is not None and where.port is not None
    lines = (
        f"POST {where.path} HTTP/1.1",
        f"Host: {where.netloc}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    request, tally, loop = "\r\n".join(lines).encode() + body, Tally(), asyncio.get_running_loop()
    started = time.perf_counter()
    made = [await loop.create_connection(lambda: Connection(request, tally), where.hostname, where.port) for _ in range(connections)]
    await asyncio.sleep(seconds)
    took = time.perf_counter() - started
    for _, connection in made:
        connection.stop()
    sorted_ms = sorted(latency * 1000 for latency in tally.latencies) or [0.0]
    p50, p99 = sorted_ms[len(sorted_ms) // 2], sorted_ms[len(sorted_ms) * 99 // 100]
    return Load(len(tally.latencies), took, tally.bytes, p50, p99, tally.failed)


def main() -> None:
    url, body, connections, seconds = sys.argv[1:]
    measured = uvloop.run(load(url, Path(body).read_bytes(), int(connections), float(seconds)))
    print("MEASURED", json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
