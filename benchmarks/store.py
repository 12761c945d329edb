"""How fast a city stores and finds, on SQLite and on PostgreSQL, beside the bare driver doing the same in the same run.

    python benchmarks/store.py [--quick] [--only sqlite|postgresql]

The city is whole: points come in as the bytes of a GraphQL request and go through the gateway, its rights, the slice and the store, all in
one process. Questions are asked by the slice's function, which is what the ratio is about, and once more as GraphQL. Both drivers are
given the same rows and hand-written SQL for one purpose, and all run on the event loop of the
server, uvloop. PostgreSQL is a server of the benchmark's own that forces its commits to the disk. benchmarks/README.md says how to read
the table.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import shapely
import uvloop
from bare_drivers import QUESTIONS, Bare, BarePostgreSQL, BareSQLite

from graph.json_codec import dumps, loads
from graph.server.run import GC_THRESHOLDS
from resolvers.city_objects import queries as objects
from resolvers.city_objects.commands import upsert
from resolvers.city_objects.records import CityObjectDraft, CityObjectFilter, CityObjectOrder, CityObjectType
from resolvers.stores.engine import Store
from resolvers.stores.geometry import Box
from resolvers.stores.migrate import migrate
from resolvers.stores.paging import Window
from resolvers.telemetry import queries
from resolvers.telemetry.commands import store_points
from resolvers.telemetry.records import Aggregation, SeriesFilter, SeriesPoints, TelemetrySource, TelemetrySourceFilter

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fakes.city import CITY, TENANT, City, running_city
from tests.fakes.postgresql import running_postgresql

REAL = SeriesFilter(TelemetrySourceFilter.REAL)
START = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
DAY, FIVE_MINUTES = 86_400_000, 300_000
TICKS = 10
POINTS_A_CALL = 100_000
INGEST = "mutation ($input: IngestTelemetryInput!) { ingestTelemetry(input: $input) { acceptedPoints rejectedPoints } }"
BOX_QUERY = "query ($box: BoundingBoxInput!) { cityObjects(filter: {boundingBox: $box}, first: 500) { nodes { id name type attributes } } }"
LATEST_QUERY = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on CityObject { latestTelemetry { timestamp value } } } }"
AVERAGE_QUERY = """
  query ($ids: [ID!]!, $start: Timestamp!, $end: Timestamp!) { nodes(ids: $ids) { ... on CityObject {
    telemetry(keys: ["power"], startTs: $start, endTs: $end, aggregation: AVG, intervalMs: 300000) { series { timestamps values } }
  } } }
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    objects: int
    sensors: int
    asked: int
    charts: int
    chart_points: int
    rounds: int


FULL = Sizes(objects=200_000, sensors=50_000, asked=1_000, charts=100, chart_points=2_880, rounds=9)
QUICK = Sizes(objects=20_000, sensors=5_000, asked=1_000, charts=100, chart_points=720, rounds=3)


@dataclass(frozen=True, slots=True)
class Row:
    """`told` is what is done, and how much of it; a row of ingestion has no figures of its own for GraphQL, which it came by."""

    told: str
    bare: "Cost"
    ours: "Cost"
    graphql: "Cost | None" = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, and of this process's own CPU time: a PostgreSQL server's is not in it."""

    clock: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.clock + other.clock, self.cpu + other.cpu)


def least(costs: Iterable[Cost]) -> Cost:
    """The quickest of some rounds, by either measure."""
    every = list(costs)
    return Cost(min(one.clock for one in every), min(one.cpu for one in every))


async def measure(city: City, bare: Bare, sizes: Sizes) -> list[Row]:
    """All tasks on one store."""
    uuids = await fill(city.store, sizes)
    settle()
    rows = [await columnar(city, bare, uuids[: sizes.sensors])]
    rows.append(await as_points(city, bare, uuids[: sizes.sensors]))
    await draw(city.store, uuids, sizes)
    if city.store.dialect == "postgresql":
        await bare.rows("ANALYZE")
    rows += [await box(city, bare, sizes), await latest(city, bare, uuids, sizes), await averages(city, bare, uuids, sizes)]
    return rows


async def fill(store: Store, sizes: Sizes) -> list[UUID]:
    """Lamps scattered over a city of 40 by 40 kilometres."""
    random = np.random.default_rng(1)
    west, south = 24.6 + random.random(sizes.objects) * 0.7, 60.0 + random.random(sizes.objects) * 0.36
    points = [shapely.Point(*place) for place in zip(west, south, strict=True)]
    uuids: list[UUID] = []
    for start in range(0, sizes.objects, 1_000):
        lamps = [
            CityObjectDraft(
                CityObjectType.SENSOR, f"Lamp {n}", "benchmark", str(n), points[n], {"watts": n % 90, "pole": f"P{n}"}, None, None
            )
            for n in range(start, min(start + 1_000, sizes.objects))
        ]
        uuids += [uuid for uuid in (await upsert(store, tenant=TENANT, city=CITY, drafts=lamps, now=START)).uuids if uuid is not None]
    return uuids


def settle() -> None:
    """The collector is set as in a server that has started: else it goes through the city's schema again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def draw(store: Store, uuids: Sequence[UUID], sizes: Sizes) -> None:
    """A day of one key for each chart."""
    times = range(START + DAY, START + 2 * DAY, DAY // sizes.chart_points)
    values = (np.sin(np.arange(sizes.chart_points) / 100) * 50).tolist()
    for uuid in uuids[: sizes.charts]:
        line = SeriesPoints(uuid, "power", "W", TelemetrySource.REAL, times, values)
        await store_points(store, tenant=TENANT, points=[line])


async def columnar(city: City, bare: Bare, uuids: Sequence[UUID]) -> Row:
    def entity(uuid: UUID, ticks: range) -> dict[str, Any]:
        values = [tick * 0.25 for tick in range(len(ticks))]
        return {"entityId": str(uuid), "series": [{"key": "power", "unit": "W", "timestamps": list(ticks), "values": values}]}

    return await ingestion(f"store {len(uuids):,} × {TICKS} points as columns", city, bare, uuids, START, entity)


async def as_points(city: City, bare: Bare, uuids: Sequence[UUID]) -> Row:
    def entity(uuid: UUID, ticks: range) -> dict[str, Any]:
        return {
            "entityId": str(uuid),
            "points": [{"timestamp": tick, "key": "power", "value": tick % 7 / 4, "unit": "W"} for tick in ticks],
        }

    return await ingestion(f"store {len(uuids):,} × {TICKS} points one by one", city, bare, uuids, START + DAY // 2, entity)


async def ingestion(
    told: str, city: City, bare: Bare, uuids: Sequence[UUID], start: int, entity: Callable[[UUID, range], dict[str, Any]]
) -> Row:
    """Requests of 100,000 points each, from their bytes to those of the answer; then the same rows by the driver."""
    ticks = range(start, start + TICKS * 60_000, 60_000)
    await city.ask(INGEST, {"input": {"entities": [entity(uuids[0], ticks)]}})  # plans and prepares
    sensors = POINTS_A_CALL // TICKS
    ours = theirs = Cost()
    for first in range(0, len(uuids), sensors):
        some = uuids[first : first + sensors]
        body = dumps({"query": INGEST, "variables": {"input": {"entities": [entity(uuid, ticks) for uuid in some]}}})
        async with timed() as took:
            request = loads(body)
            answer = dumps(await city.ask(request["query"], request["variables"]))
        assert loads(answer)["ingestTelemetry"] == {"acceptedPoints": len(some) * TICKS, "rejectedPoints": 0}
        ours += took[0]
        rows = [(first + n, tick, n * 0.25) for n in range(len(some)) for tick in ticks]
        async with timed() as took:
            await bare.store(rows)
        theirs += took[0]
    return Row(told, theirs, ours, None, len(uuids) * TICKS)


async def box(city: City, bare: Bare, sizes: Sizes) -> Row:
    side = 0.5 * (505 / sizes.objects) ** 0.5  # of some 505 objects
    found = Box(24.9, 60.1, 24.9 + side * 1.4, 60.1 + side * 0.72)
    wanted = CityObjectFilter(boxes=((found, shapely.to_wkb(shapely.box(found.west, found.south, found.east, found.north))),))
    limits = (found.east, found.west, found.north, found.south)

    async def by_slice() -> int:
        return len((await objects.city_objects(city.store, TENANT, wanted, CityObjectOrder.ID_ASC, Window(500))).items)

    async def by_driver() -> int:
        return len([loads(row[6]) for row in await bare.rows(QUESTIONS[city.store.dialect]["box"], *limits, TENANT)])

    async def by_graphql() -> int:
        sides = {"west": found.west, "south": found.south, "east": found.east, "north": found.north}
        return len((await city.ask(BOX_QUERY, {"box": sides}))["cityObjects"]["nodes"])

    return await question(f"500 objects of a box, of {sizes.objects:,}", sizes, by_driver, by_slice, by_graphql)


async def latest(city: City, bare: Bare, uuids: Sequence[UUID], sizes: Sizes) -> Row:
    asked = uuids[:: sizes.sensors // sizes.asked][: sizes.asked]
    ask = queries.latest(None, REAL)

    async def by_slice() -> int:
        return sum(map(len, await queries.latest_points(city.store, TENANT, [(uuid, ask) for uuid in asked])))

    async def by_driver() -> int:
        return len(await bare.rows(QUESTIONS[city.store.dialect]["latest"], entities(city.store, asked), TENANT))

    async def by_graphql() -> int:
        nodes = (await city.ask(LATEST_QUERY, {"ids": identifiers(asked)}))["nodes"]
        return sum(len(node["latestTelemetry"]) for node in nodes)

    return await question(f"newest point of {len(asked):,} sensors", sizes, by_driver, by_slice, by_graphql)


async def averages(city: City, bare: Bare, uuids: Sequence[UUID], sizes: Sizes) -> Row:
    asked, start, end = uuids[: sizes.charts], START + DAY, START + 2 * DAY
    window = queries.window(
        keys=["power"], start=start, end=end, aggregation=Aggregation.AVG, interval=FIVE_MINUTES, series=REAL, limit=10_000
    )

    async def by_slice() -> int:
        answers = await queries.windows(city.store, TENANT, [(uuid, window) for uuid in asked])
        return sum(len(line.timestamps) for answer in answers if not isinstance(answer, Exception) for line in answer.columns)

    async def by_driver() -> int:
        return len(await bare.rows(QUESTIONS[city.store.dialect]["averages"], entities(city.store, asked), start, end, TENANT))

    async def by_graphql() -> int:
        nodes = (await city.ask(AVERAGE_QUERY, {"ids": identifiers(asked), "start": start, "end": end}))["nodes"]
        return sum(len(line["timestamps"]) for node in nodes for line in node["telemetry"]["series"])

    return await question(f"24 h in 5-minute averages of {len(asked)} series", sizes, by_driver, by_slice, by_graphql)


def entities(store: Store, uuids: Sequence[UUID]) -> object:
    return list(uuids) if store.dialect == "postgresql" else dumps([uuid.hex for uuid in uuids]).decode()


def identifiers(uuids: Sequence[UUID]) -> list[str]:
    return [f"{CITY}/object/{uuid}" for uuid in uuids]


async def question(
    told: str,
    sizes: Sizes,
    by_driver: Callable[[], Awaitable[int]],
    by_slice: Callable[[], Awaitable[int]],
    by_graphql: Callable[[], Awaitable[int]],
) -> Row:
    """The quickest of the rounds, which are taken in turn; all three must find as much."""
    costs: list[list[Cost]] = [[], [], []]
    for _ in range(sizes.rounds):
        found = []
        for place, ask in enumerate((by_driver, by_slice, by_graphql)):
            async with timed() as took:
                found.append(await ask())
            costs[place] += took
        assert found[0] == found[1] == found[2] > 0, f"{told}: the driver, the slice and GraphQL find {found}"
    return Row(told, least(costs[0]), least(costs[1]), least(costs[2]))


@asynccontextmanager
async def timed() -> AsyncIterator[list[Cost]]:
    took: list[Cost] = []
    gc.collect()
    clock, cpu = time.perf_counter(), time.process_time()
    yield took
    took.append(Cost(time.perf_counter() - clock, time.process_time() - cpu))


async def run_sqlite(folder: Path, sizes: Sizes) -> list[Row]:
    file = folder / "city.db"
    await asyncio.to_thread(migrate, f"sqlite:///{file}")
    async with running_city(f"sqlite:///{file}", folder) as city:
        other = BareSQLite(file)
        try:
            return await measure(city, other, sizes)
        finally:
            await other.close()


async def run_postgresql(folder: Path, url: str, sizes: Sizes) -> list[Row]:
    await asyncio.to_thread(migrate, url)
    async with running_city(url, folder) as city:
        other = await BarePostgreSQL.open(url)
        try:
            return await measure(city, other, sizes)
        finally:
            await other.close()


def show(name: str, rows: Sequence[Row]) -> None:
    print(f"\n{name:<42} {'driver ms':>17} {'ours ms':>17} {'ratio':>11} {'GraphQL ms':>10} {'points/s':>17}")
    print(f"{'':<42} {'clock':>8} {'CPU':>8} {'clock':>8} {'CPU':>8} {'clock':>5} {'CPU':>5} {'clock':>10} {'clock':>8} {'CPU':>8}")
    for row in rows:
        times = "".join(f" {cost * 1000:8.1f}" for one in (row.bare, row.ours) for cost in (one.clock, one.cpu))
        ratios = f" {row.ours.clock / row.bare.clock:5.2f} {row.ours.cpu / row.bare.cpu:5.2f}"
        graphql = " " * 11 if row.graphql is None else f" {row.graphql.clock * 1000:10.1f}"
        rates = "" if row.points is None else "".join(f" {row.points / one:8,.0f}" for one in (row.ours.clock, row.ours.cpu))
        print(f"{row.told:<42}{times}{ratios}{graphql}{rates}".rstrip(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the city, and fewer rounds")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="leave the other store out")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="citygraph-benchmark-") as name:
        folder = Path(name)
        if options.only != "postgresql":
            show("SQLite", uvloop.run(run_sqlite(folder, sizes)))
        if options.only != "sqlite":
            with running_postgresql(durable=True) as server:
                server.create("city")
                show("PostgreSQL", uvloop.run(run_postgresql(folder, server.url("city"), sizes)))
    print(f"\nload of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
