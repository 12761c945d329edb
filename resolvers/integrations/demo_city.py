"""Brings the demo into a store: the centre of Helsinki, sensors at its junctions, their counts, and one scenario's.

A store that has it already is left alone after one statement, so that a second start costs nothing. A run that broke off
anywhere is completed by the next. The data are in `demo/` (in a wheel, beside this module); `demo/ATTRIBUTION.md` says where
they come from.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from resolvers.cities.commands import ensure_city
from resolvers.city_objects import commands as city_objects
from resolvers.integrations import import_log, traffic_counts
from resolvers.integrations.import_log import ImportRun
from resolvers.integrations.report import ImportReport, Progress, no_progress
from resolvers.stores.engine import Store
from resolvers.telemetry import commands as telemetry
from resolvers.telemetry.records import SeriesPoints

NAME = "demo"
_FILES = ("helsinki.osm.pbf", "traffic_sensors.json", "traffic_counts.csv.gz")
_MAPPING = 1
"""Raise it when the same files become other rows: stores that had the demo before then take the new form."""

_IN_CHECKOUT = Path(__file__).parents[2] / "demo"


async def import_demo_city(store: Store, *, tenant: str, city: str, progress: Progress = no_progress) -> ImportReport:
    """The demo as `city`. Where it is there already, the report counts its objects as unchanged and has nothing else."""
    with as_file(files("resolvers.integrations") / "_demo") as in_wheel:
        demo = in_wheel if in_wheel.is_dir() else _IN_CHECKOUT
        fingerprint = await asyncio.to_thread(_fingerprint, demo)
        last = await import_log.last_run(store, tenant=tenant, city=city, name=NAME)
        if last is not None and last.fingerprint == fingerprint:
            return ImportReport(unchanged=last.objects)
        report = await _import(demo, store, tenant, city, progress)
    objects = report.created + report.updated + report.unchanged
    await import_log.record(store, ImportRun(tenant, city, NAME, fingerprint, objects, _now()))
    return report


async def _import(demo: Path, store: Store, tenant: str, city: str, progress: Progress) -> ImportReport:
    from resolvers.integrations.openstreetmap import import_osm  # a start that imports nothing has no time to load it

    osm, sensors, counts = (demo / name for name in _FILES)
    await ensure_city(store, tenant=tenant, id=city, name="Helsinki", country="FI", timezone="Europe/Helsinki")
    report = await import_osm(osm, store, tenant=tenant, city=city, progress=progress)
    report += await _import_sensors(sensors, store, tenant, city, progress)
    columns = await asyncio.to_thread(traffic_counts.read_counts, counts)
    await _store_points(store, tenant, list(traffic_counts.measured(tenant, columns)), progress, "measured counts")
    await _store_points(store, tenant, list(traffic_counts.simulated(tenant, columns)), progress, "simulated counts")
    return report


async def _import_sensors(path: Path, store: Store, tenant: str, city: str, progress: Progress) -> ImportReport:
    drafts = await asyncio.to_thread(traffic_counts.read_sensors, path)
    outcome = await city_objects.upsert(store, tenant=tenant, city=city, drafts=drafts, now=_now())
    progress(len(drafts), len(drafts), "sensors")
    return ImportReport(outcome.created, outcome.updated, outcome.unchanged)


async def _store_points(store: Store, tenant: str, series: Sequence[SeriesPoints], progress: Progress, stage: str) -> None:
    """One series a transaction: none of them keeps other writers waiting for long."""
    total = sum(len(points.timestamps) for points in series)
    done = 0
    for points in series:
        await telemetry.store_points(store, tenant=tenant, points=[points])
        done += len(points.timestamps)
        progress(done, total, stage)


def _fingerprint(demo: Path) -> str:
    digest = hashlib.sha256(str(_MAPPING).encode())
    for name in _FILES:
        digest.update((demo / name).read_bytes())
    return digest.hexdigest()


def _now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
