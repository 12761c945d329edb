"""What can be done to compliance: adding reports and quality-control data, each with its file.

The file is stored first, then the row, so that no row is without its file. Where the row fails, the file is removed again.
"""

import asyncio
import re
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, CityGraphError, NotFound
from resolvers.compliance import queries
from resolvers.compliance import store as sql
from resolvers.compliance.artefacts import Owner, object_key
from resolvers.compliance.loaders import Existing
from resolvers.compliance.records import (
    MAX_TIMESTAMP,
    ArtefactKind,
    ComplianceStatus,
    DatasetDraft,
    File,
    Measurement,
    ReportDraft,
)
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore, StoredObject

_BATCH = 5_000
"""Measurements that are stored in one transaction: whoever else writes has its turn in between."""

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = {"title": 500, "standard": 200, "issuedBy": 200, "name": 500, "description": 10_000, "file name": 255}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where things are put: the store and the object store, and who knows the models and objects that they may be about."""

    store: Store
    objects: ObjectStore
    models: Existing
    entities: Existing


async def add_report(shelf: Shelf, *, tenant: str, city: str, draft: ReportDraft, content: AsyncIterable[bytes], now: int) -> UUID:
    """Raises `BadUserInput` for a draft that cannot be, `NotFound` for a model that is not there; then nothing is stored."""
    _check_report(draft)
    async with shelf.store.read() as connection:
        await _check_referents(shelf, connection, tenant, draft.model)
    owner = Owner(ArtefactKind.REPORT, tenant, (city, uuid4()))
    stored = await _put(shelf, owner, draft.file, content)
    issued = draft.status is ComplianceStatus.ISSUED and draft.issued_at is None
    start, end = draft.period or (None, None)
    row = {
        **_row(owner, draft.file, stored),
        "title": draft.title,
        "standard": draft.standard,
        "status": draft.status.value,
        "model": draft.model,
        "period_start": start,
        "period_end": end,
        "issued_at": now if issued else draft.issued_at,
        "issued_by": draft.issued_by,
    }
    try:
        async with shelf.store.write() as connection:
            await _check_referents(shelf, connection, tenant, draft.model)
            await connection.execute(sa.insert(sql.report).values(row))
    except BaseException:
        await _take_back(shelf, owner)
        raise
    return owner.key[1]


async def add_dataset(
    shelf: Shelf,
    *,
    tenant: str,
    city: str,
    draft: DatasetDraft,
    content: AsyncIterable[bytes],
    measurements: Iterable[Measurement],
    now: int,
) -> UUID:
    """As `add_report`. The dataset is there once all of its measurements are; they are stored batch by batch before it."""
    _check_file(draft.file)
    _check_text("name", draft.name)
    _check_text("description", draft.description)
    async with shelf.store.read() as connection:
        await _check_referents(shelf, connection, tenant, draft.model, draft.entity)
    owner = Owner(ArtefactKind.DATASET, tenant, (city, uuid4()))
    stored = await _put(shelf, owner, draft.file, content)
    try:
        number = await _store_measurements(shelf.store, owner, measurements)
        row = {
            **_row(owner, draft.file, stored),
            "name": draft.name,
            "description": draft.description,
            "model": draft.model,
            "entity": draft.entity,
            "created_at": now,
            "measurements": number,
        }
        async with shelf.store.write() as connection:
            await _check_referents(shelf, connection, tenant, draft.model, draft.entity)
            await connection.execute(sa.insert(sql.dataset).values(row))
    except BaseException:
        await _take_back(shelf, owner)
        raise
    return owner.key[1]


async def _store_measurements(store: Store, owner: Owner, measurements: Iterable[Measurement]) -> int:
    """Stores them under the numbers 0, 1, …; returns how many there are."""
    city, uuid = owner.key
    rows = _measurement_rows({"tenant": owner.tenant, "city": city, "dataset": uuid}, measurements)
    number = 0
    # Drawn in a thread, because a row comes out of a file.
    while batch := await asyncio.to_thread(lambda: list(islice(rows, _BATCH))):
        async with store.write() as connection:
            await connection.execute(sa.insert(sql.measurement), batch)
        number += len(batch)
    return number


def _measurement_rows(of: dict[str, Any], measurements: Iterable[Measurement]) -> Iterator[dict[str, Any]]:
    for number, given in zip(count(), measurements, strict=False):
        yield {
            **of,
            "number": number,
            "characteristic": given.characteristic,
            "value": given.value,
            "unit": given.unit,
            "lower_limit": given.lower_limit,
            "upper_limit": given.upper_limit,
            "measured_at": given.measured_at,
        }


async def _put(shelf: Shelf, owner: Owner, file: File, content: AsyncIterable[bytes]) -> StoredObject:
    return await shelf.objects.put(object_key(owner), content, media_type=file.media_type, file_name=file.name)


async def _take_back(shelf: Shelf, owner: Owner) -> None:
    """Removes what was stored for a row that is not there. A commit whose answer got lost may have made the row: then all stays."""
    with suppress(CityGraphError, sa.exc.SQLAlchemyError, OSError):
        if await queries.artefact(shelf.store, owner.tenant, owner.kind, owner.key) is not None:
            return
        city, uuid = owner.key
        if owner.kind is ArtefactKind.DATASET:
            m = sql.measurement.c
            async with shelf.store.write() as connection:
                gone = sa.delete(sql.measurement).where(m.tenant == owner.tenant, m.city == city, m.dataset == uuid)
                await connection.execute(gone)
        await shelf.objects.delete(object_key(owner))


async def _check_referents(shelf: Shelf, connection: AsyncConnection, tenant: str, model: UUID | None, entity: UUID | None = None) -> None:
    for what, existing, uuid in (("model", shelf.models, model), ("city object", shelf.entities, entity)):
        if uuid is not None and uuid not in await existing(connection, tenant, [uuid]):
            raise NotFound(f"There is no {what} {uuid}")


def _row(owner: Owner, file: File, stored: StoredObject) -> dict[str, Any]:
    city, uuid = owner.key
    return {
        "tenant": owner.tenant,
        "city": city,
        "uuid": uuid,
        "artefact_key": object_key(owner),
        "artefact_name": file.name,
        "artefact_media_type": file.media_type,
        "artefact_size": stored.size,
        "artefact_sha256": stored.sha256,
    }


def _check_report(draft: ReportDraft) -> None:
    _check_file(draft.file)
    for name, text in (("title", draft.title), ("standard", draft.standard), ("issuedBy", draft.issued_by)):
        _check_text(name, text)
    start, end = draft.period or (0, 0)
    if end < start:
        raise BadUserInput(f"The period ends at {end}, before its start at {start}")
    for time in (start, end, draft.issued_at or 0):
        if abs(time) > MAX_TIMESTAMP:
            raise BadUserInput(f"{time} is not a time: expected milliseconds within ±2^53")


def _check_file(file: File) -> None:
    _check_text("file name", file.name)
    if "/" in file.name or "\\" in file.name:
        raise BadUserInput(f"{file.name!r} is not a file name: it names a folder too")
    if not _MEDIA_TYPE.fullmatch(file.media_type):
        raise BadUserInput(f"{file.media_type[:80]!r} is not a media type: expected one such as application/pdf")


def _check_text(name: str, text: str | None) -> None:
    if text is None:
        return
    if not text.strip() or len(text) > _LONGEST[name]:
        raise BadUserInput(f"The {name} has {len(text):,} characters: expected 1 to {_LONGEST[name]:,}, not all of them blank")
    if _CONTROL.search(text.replace("\n", "") if name == "description" else text):
        raise BadUserInput(f"The {name} {text[:64]!r} holds a control character")
