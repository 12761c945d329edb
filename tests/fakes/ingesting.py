"""A process that stores points until it is killed, and says after each commit which batch is stored.

    python -m tests.fakes.ingesting URL KEY

Several writers take turns. What they store follows from the batch's number, so whoever knows the number knows each point. Where the
store is out of reach, a batch is tried again until it is stored.
"""

import asyncio
import sys
from uuid import UUID

from graph.errors import Unavailable
from resolvers.stores.engine import Store
from resolvers.telemetry.commands import store_points
from resolvers.telemetry.records import SeriesPoints, TelemetrySource

TENANT = "FI-HELSINKI"
WRITERS, SERIES, POINTS = 3, 5, 40


def batch(writer: int, number: int, key: str) -> list[SeriesPoints]:
    """Some new points of each series, and the last one of the batch before once more."""
    times = range(number * POINTS - min(number, 1), (number + 1) * POINTS)
    return [
        SeriesPoints(UUID(int=writer * SERIES + one), key, "1", TelemetrySource.REAL, times, [value(writer, time) for time in times])
        for one in range(SERIES)
    ]


def value(writer: int, time: int) -> float:
    return writer * 1e6 + time / 8


async def _ingest(store: Store, writer: int, key: str) -> None:
    number = 0
    while True:
        try:
            await store_points(store, tenant=TENANT, points=batch(writer, number, key))
        except Unavailable:
            await asyncio.sleep(0.05)
            continue
        print(writer, number, flush=True)
        number += 1


async def _main(url: str, key: str) -> None:
    store = Store(url)
    await asyncio.gather(*(_ingest(store, writer, key) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
