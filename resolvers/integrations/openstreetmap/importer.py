"""Imports an OpenStreetMap file: reads it beside the event loop and upserts its features batch by batch.

That a second import changes nothing is the upsert's doing: objects are known by (`source`, `sourceId`), and rows that would
stay as they are stay untouched.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from resolvers.cities.commands import ensure_city
from resolvers.cities.queries import cities_by_id
from resolvers.city_objects import commands
from resolvers.city_objects.records import CityObjectDraft
from resolvers.integrations.openstreetmap import reader
from resolvers.integrations.openstreetmap.attributes import attributes
from resolvers.integrations.report import ImportReport, Progress, Skipped, no_progress
from resolvers.stores.engine import Store

SOURCE = "openstreetmap"
INCOMPLETE = "incompleteGeometry"
"""The attribute, true, of a line that the file has only in part: its length is that of the part."""

_BATCH = 200


@dataclass(frozen=True, slots=True)
class _Batch:
    """The next things of the file, at most `_BATCH`."""

    drafts: list[CityObjectDraft] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    incomplete: list[Skipped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.drafts) + len(self.skipped)


async def import_osm(path: Path, store: Store, *, tenant: str, city: str, progress: Progress = no_progress) -> ImportReport:
    """Every feature that the mapping knows, as city objects of `city`; a city that is not known yet is added.

    Each batch is a transaction of its own: an import that breaks off is completed by the next one. Raises
    `UnreadableSource` where the file is missing or not OpenStreetMap's; where it breaks off, after the batches before.
    """
    total = await asyncio.to_thread(reader.count, path)
    if not await cities_by_id(store, tenant, [city]):
        await ensure_city(store, tenant=tenant, id=city, name=city)
    things = reader.read(path)
    report = ImportReport()
    done = 0
    while batch := await asyncio.to_thread(_take, things):
        report += await _store(batch, store, tenant, city)
        done += len(batch)
        progress(done, total, "map")
    return report


def _take(things: Iterator[reader.Feature | Skipped]) -> _Batch:
    """Runs in a thread: reading and geometry are what an import costs."""
    batch = _Batch()
    for thing in islice(things, _BATCH):
        if isinstance(thing, Skipped):
            batch.skipped.append(thing)
            continue
        batch.drafts.append(_draft(thing))
        if thing.lacking is not None:
            batch.incomplete.append(Skipped(thing.source_id, thing.lacking, thing.tags.get("name")))
    return batch


def _draft(feature: reader.Feature) -> CityObjectDraft:
    found = attributes(feature.rule, feature.tags)
    if feature.lacking is not None:
        found[INCOMPLETE] = True
    return CityObjectDraft(
        type=feature.rule.type,
        name=feature.tags.get("name"),
        source=SOURCE,
        source_id=feature.source_id,
        geometry=feature.geometry,
        attributes=found,
    )


async def _store(batch: _Batch, store: Store, tenant: str, city: str) -> ImportReport:
    skipped, incomplete = tuple(batch.skipped), tuple(batch.incomplete)
    if not batch.drafts:
        return ImportReport(skipped=skipped, incomplete=incomplete)
    now = time.time_ns() // 1_000_000
    outcome = await commands.upsert(store, tenant=tenant, city=city, drafts=batch.drafts, now=now)
    return ImportReport(outcome.created, outcome.updated, outcome.unchanged, skipped, incomplete)
