"""What can be done to city objects."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.contracts import source_uuid
from graph.errors import BadUserInput, NotFound
from resolvers.city_objects.records import CityObjectDraft, CityObjectType, UpsertOutcome, fold
from resolvers.city_objects.store import city_object
from resolvers.stores.engine import Store
from resolvers.stores.geodesy import areas, lengths
from resolvers.stores.joins import look_up
from resolvers.stores.rows import json_rows, rows_parameter

# A statement carries so many objects, and the event loop gets its turn between.
_LOT = 1_000
_HAS_FOOTPRINT = (CityObjectType.BUILDING, CityObjectType.BUILDING_PART)

_c = city_object.c


async def upsert(store: Store, *, tenant: str, city: str, drafts: Sequence[CityObjectDraft], now: int) -> UpsertOutcome:
    """Stores the drafts in one transaction: matched by `uuid`, else by source and its identifier, else created.

    What is stored already as the draft has it is not touched. Of drafts that mean the same object the last one holds.
    Raises `BadUserInput` for a geometry that is empty, invalid or off the globe, and `NotFound` for an unknown city.
    """
    created = updated = unchanged = 0
    uuids: list[UUID] = []
    async with store.write() as connection:
        for start in range(0, len(drafts), _LOT):
            lot = drafts[start : start + _LOT]
            outcome = await _upsert_lot(connection, tenant, city, lot, now)
            created, updated = created + outcome.created, updated + outcome.updated
            unchanged += outcome.unchanged
            uuids += outcome.uuids
    return UpsertOutcome(created, updated, unchanged, tuple(uuids))


async def _upsert_lot(connection: AsyncConnection, tenant: str, city: str, drafts: Sequence[CityObjectDraft], now: int) -> UpsertOutcome:
    shapes = await asyncio.to_thread(_shapes, drafts)
    by_source = await _uuids_by_source(connection, tenant, city, drafts)
    uuids = [_uuid(tenant, draft, by_source) for draft in drafts]
    rows = {
        uuid: _row(draft, shape) | {"tenant": tenant, "city": city, "uuid": uuid}
        for uuid, draft, shape in zip(uuids, drafts, shapes, strict=True)
    }
    stored = await _stored(connection, tenant, city, list(rows))
    new = [row | {"created_at": now, "updated_at": now, "version": 1} for uuid, row in rows.items() if uuid not in stored]
    changed = [
        row | {"updated_at": now, "version": stored[uuid].version + 1, "the_pk": stored[uuid].pk}
        for uuid, row in rows.items()
        if uuid in stored and stored[uuid].fingerprint != row["fingerprint"]
    ]
    await _write(connection, city, new, changed)
    return UpsertOutcome(len(new), len(changed), len(rows) - len(new) - len(changed), tuple(uuids))


async def _write(connection: AsyncConnection, city: str, new: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    try:
        if new:
            await connection.execute(sa.insert(city_object), new)
        if changed:
            columns: dict[str, Any] = {name: sa.bindparam(name) for name in changed[0] if name != "the_pk"}
            await connection.execute(sa.update(city_object).where(_c.pk == sa.bindparam("the_pk")).values(columns), changed)
    except IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise NotFound(f"There is no city {city!r}") from error
        raise BadUserInput("Two objects cannot have the same source and source identifier") from error


def _uuid(tenant: str, draft: CityObjectDraft, by_source: Mapping[tuple[str, str], UUID]) -> UUID:
    if draft.uuid is not None:
        return draft.uuid
    if draft.source is None or draft.source_id is None:
        return uuid4()
    known = by_source.get((draft.source, draft.source_id))
    return known or source_uuid(tenant, draft.source, draft.source_id)


async def _uuids_by_source(
    connection: AsyncConnection, tenant: str, city: str, drafts: Sequence[CityObjectDraft]
) -> dict[tuple[str, str], UUID]:
    """The UUIDs under which these sources' things are stored; one that was given its UUID keeps it."""
    pairs = {(draft.source, draft.source_id) for draft in drafts if draft.uuid is None and draft.source is not None}
    asked = json_rows("asked", "asked", source=sa.Text, source_id=sa.Text)
    statement = (
        sa.select(_c.source, _c.source_id, _c.uuid)
        .select_from(look_up(asked, city_object, (_c.source == asked.c.source) & (_c.source_id == asked.c.source_id)))
        .where(_c.tenant == tenant, _c.city == city)
    )
    rows = await connection.execute(statement, {"asked": rows_parameter(sorted(pairs, key=str))})
    return {(row.source, row.source_id): row.uuid for row in rows}


async def _stored(connection: AsyncConnection, tenant: str, city: str, uuids: Sequence[UUID]) -> dict[UUID, Any]:
    asked = json_rows("asked", "asked", uuid=sa.Uuid)
    statement = (
        sa.select(_c.uuid, _c.pk, _c.version, _c.fingerprint)
        .select_from(look_up(asked, city_object, _c.uuid == asked.c.uuid))
        .where(_c.tenant == tenant, _c.city == city)
    )
    rows = await connection.execute(statement, {"asked": rows_parameter([(uuid,) for uuid in uuids])})
    return {row.uuid: row for row in rows}


@dataclass(frozen=True, slots=True)
class _Shape:
    """A draft's geometry as it is stored, and what is measured of it once."""

    wkb: bytes
    bounds: tuple[float, float, float, float]
    footprint_area: float | None
    length: float | None


def _shapes(drafts: Sequence[CityObjectDraft]) -> list[_Shape]:
    """Slow for a thousand drafts: not for the event loop."""
    shapes = np.array([draft.geometry for draft in drafts], dtype=object)
    bounds = shapely.bounds(shapes)
    for draft, edges, valid in zip(drafts, bounds.tolist(), shapely.is_valid(shapes), strict=True):
        _check(draft, edges, None if valid else str(shapely.is_valid_reason(draft.geometry)))
    # RFC 7946, section 3.1.6: the exterior runs counterclockwise.
    shapes = shapely.orient_polygons(shapes)
    measured = zip(areas(shapes), lengths(shapes), strict=True)
    return [
        _Shape(
            wkb,
            tuple(edges),
            area if draft.type in _HAS_FOOTPRINT else None,
            length if draft.type is CityObjectType.ROAD else None,
        )
        for draft, wkb, edges, (area, length) in zip(
            drafts, shapely.to_wkb(shapes, output_dimension=3, flavor="iso"), bounds.tolist(), measured, strict=True
        )
    ]


def _check(draft: CityObjectDraft, edges: list[float], invalid: str | None) -> None:
    name = f"The geometry of {draft.source_id or draft.name or draft.uuid or draft.type}"
    if draft.geometry.is_empty or not np.isfinite(edges).all():
        raise BadUserInput(f"{name} is empty or has a coordinate that is no number")
    west, south, east, north = edges
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise BadUserInput(f"{name} is off the globe: longitude {west} to {east}, latitude {south} to {north}")
    if invalid is not None and not draft.geometry.has_z:
        # The faces of a solid lie above one another, which looks invalid from above.
        raise BadUserInput(f"{name} is invalid: {invalid}")


def _row(draft: CityObjectDraft, shape: _Shape) -> dict[str, Any]:
    west, south, east, north = shape.bounds
    return {
        "type": draft.type.value,
        "name": draft.name,
        "folded_name": None if draft.name is None else fold(draft.name),
        "source": draft.source,
        "source_id": draft.source_id,
        "geometry": shape.wkb,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "attributes": dict(draft.attributes),
        "footprint_area": shape.footprint_area,
        "length": shape.length,
        "parent": draft.parent,
        "fingerprint": _fingerprint(draft, shape.wkb),
    }


def _fingerprint(draft: CityObjectDraft, wkb: bytes) -> bytes:
    """Two drafts that would be stored alike have the same."""
    told = [draft.type.value, draft.name, draft.source, draft.source_id, draft.attributes]
    parent = None if draft.parent is None else draft.parent.hex
    try:
        text = json.dumps([*told, parent], sort_keys=True, allow_nan=False, default=dict)
    except (TypeError, ValueError) as error:
        raise BadUserInput(f"The attributes of {draft.source_id or draft.name!r} are no JSON: {error}") from None
    return blake2b(text.encode("utf-8", "surrogatepass") + wkb, digest_size=16).digest()


async def delete(store: Store, *, tenant: str, city: str, uuid: UUID, now: int) -> None:
    """Deletes one object; its children stay, without a parent. Raises `NotFound`."""
    of_city = (_c.tenant == tenant, _c.city == city)
    async with store.write() as connection:
        gone = await connection.execute(sa.delete(city_object).where(*of_city, _c.uuid == uuid))
        if gone.rowcount == 0:
            raise NotFound(f"There is no city object {city}/object/{uuid}")
        orphans = sa.update(city_object).where(*of_city, _c.parent == uuid)
        # An empty fingerprint equals no draft's, so that the next upsert writes the orphan anew.
        await connection.execute(orphans.values(parent=None, updated_at=now, version=_c.version + 1, fingerprint=b""))
