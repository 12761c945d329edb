"""What can be done to city objects: storing many at a time, and deleting one.

Writers to one city take turns, so that two of them store one source's thing once, and no two together close a circle of parents.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.contracts import source_uuid
from graph.errors import Conflict, NotFound
from resolvers.city_objects import store as sql
from resolvers.city_objects.ancestry import wrong_parents
from resolvers.city_objects.drafts import Shape, read_shapes, row
from resolvers.city_objects.events import Change, tell
from resolvers.city_objects.records import CityObjectDraft, Refusal, UpsertOutcome
from resolvers.city_objects.store import city_object
from resolvers.stores.engine import Store
from resolvers.stores.rows import rows_parameter

# A statement carries so many objects, and the event loop gets its turn between.
LOT = 1_000

_c = city_object.c
_Owners: TypeAlias = Mapping[tuple[str, str], UUID]
"""The object that has each source and identifier there."""


class Dependants(Protocol):
    """Who keeps things that go with a city object."""

    async def delete_of_entity(self, connection: AsyncConnection, tenant: str, entity: UUID) -> None: ...


async def upsert(store: Store, *, tenant: str, city: str, drafts: Sequence[CityObjectDraft], now: int) -> UpsertOutcome:
    """Stores all of the drafts in one transaction, as `upsert_in` does, or none of them: raises what is wrong with the first."""
    created = updated = unchanged = 0
    uuids: list[UUID] = []
    async with store.write() as connection:
        for start in range(0, len(drafts), LOT):
            outcome = await upsert_in(connection, tenant=tenant, city=city, drafts=drafts[start : start + LOT], now=now)
            if outcome.refused:
                raise outcome.refused[0].error
            created, updated = created + outcome.created, updated + outcome.updated
            unchanged += outcome.unchanged
            uuids += outcome.uuids
    return UpsertOutcome(created, updated, unchanged, tuple(uuids))


async def upsert_in(connection: AsyncConnection, *, tenant: str, city: str, drafts: Sequence[CityObjectDraft], now: int) -> UpsertOutcome:
    """Stores those of the drafts that can be: matched by `uuid`, else by source and its identifier, else created.

    What is stored already as the draft has it is not touched. Of drafts that mean the same object the last one holds. Raises
    `NotFound` for an unknown city.
    """
    lot = _Lot(tenant, city, now)
    shapes = await asyncio.to_thread(read_shapes, drafts)
    refused = {place: shape for place, shape in enumerate(shapes) if isinstance(shape, Refusal)}
    asked = {place: draft for place, draft in enumerate(drafts) if place not in refused}
    await connection.execute(sql.take_turn(connection.dialect.name, tenant, city))
    owners = await _owners(connection, lot, asked.values())
    stored = await _stored(connection, lot, asked.values(), owners)
    named = {place: _identified(lot, draft, owners, stored) for place, draft in asked.items()}
    refused |= _second_owners(named, owners)
    refused |= await _orphans(connection, lot, _without(named, refused))
    kept = _without(named, refused)
    rows = await asyncio.to_thread(lambda: {it.uuid: row(it.draft, _shape(shapes[place])) for place, it in kept.items()})
    outcome = await _write(connection, lot, rows, stored)
    return replace(outcome, uuids=tuple(it.uuid for it in kept.values()), refused=tuple(refused[place] for place in sorted(refused)))


@dataclass(frozen=True, slots=True)
class _Lot:
    """Whose objects are written, where, and when."""

    tenant: str
    city: str
    now: int


@dataclass(frozen=True, slots=True)
class _Named:
    """A draft, and the object that it means."""

    uuid: UUID
    draft: CityObjectDraft


def _without(named: Mapping[int, _Named], refused: Mapping[int, Refusal]) -> dict[int, _Named]:
    return {place: it for place, it in named.items() if place not in refused}


def _shape(read: Shape | Refusal) -> Shape:
    assert isinstance(read, Shape)
    return read


def _source(draft: CityObjectDraft) -> tuple[str, str] | None:
    return None if draft.source is None or draft.source_id is None else (draft.source, draft.source_id)


async def _owners(connection: AsyncConnection, lot: _Lot, drafts: Iterable[CityObjectDraft]) -> _Owners:
    sources = sorted({source for draft in drafts if (source := _source(draft)) is not None})
    rows = await connection.execute(sql.by_sources(lot.tenant, lot.city), {"sources": rows_parameter(sources)})
    return {(row.source, row.source_id): row.uuid for row in rows}


async def _stored(connection: AsyncConnection, lot: _Lot, drafts: Iterable[CityObjectDraft], owners: _Owners) -> dict[UUID, sa.Row[Any]]:
    """Whatever the drafts may mean, as it is stored."""
    uuids = set(owners.values())
    for draft in drafts:
        uuids |= {draft.uuid} if draft.uuid is not None else set()
        uuids |= {_derived(lot, source)} if (source := _source(draft)) is not None else set()
    rows = await connection.execute(sql.to_compare(lot.tenant, lot.city), {"uuids": rows_parameter((uuid,) for uuid in sorted(uuids))})
    return {row.uuid: row for row in rows}


def _derived(lot: _Lot, source: tuple[str, str]) -> UUID:
    return source_uuid(lot.tenant, *source)


def _identified(lot: _Lot, draft: CityObjectDraft, owners: _Owners, stored: Mapping[UUID, sa.Row[Any]]) -> _Named:
    source = _source(draft)
    by_id = draft.uuid if draft.uuid in stored else None
    by_source = owners.get(source) if source is not None else None
    uuid = by_id or by_source or draft.uuid or _new_uuid(lot, source, stored)
    known = stored.get(uuid)
    if known is None or not draft.kept:
        return _Named(uuid, draft)
    return _Named(uuid, replace(draft, **{name: getattr(known, name) for name in draft.kept}))


def _new_uuid(lot: _Lot, source: tuple[str, str] | None, stored: Mapping[UUID, sa.Row[Any]]) -> UUID:
    # Who has that UUID came from this source once, and was given another since.
    if source is None or (derived := _derived(lot, source)) in stored:
        return uuid4()
    return derived


def _second_owners(named: Mapping[int, _Named], owners: _Owners) -> dict[int, Refusal]:
    """Drafts whose source and identifier are another object's."""
    refused, claimed = {}, dict(owners)
    for place, it in named.items():
        source = _source(it.draft)
        if source is not None and (owner := claimed.setdefault(source, it.uuid)) != it.uuid:
            error = Conflict(f"{source[1]!r} of {source[0]!r} is another object, {owner}", extensions={"currentUuid": str(owner)})
            refused[place] = Refusal(place, "sourceId", error)
    return refused


async def _orphans(connection: AsyncConnection, lot: _Lot, named: Mapping[int, _Named]) -> dict[int, Refusal]:
    """Drafts that would be under a parent that is not there, too deep, or below themselves."""
    wanted = {it.draft.parent for it in named.values() if it.draft.parent is not None}
    if not wanted:
        return {}
    parameters = {"uuids": rows_parameter((uuid,) for uuid in sorted(wanted))}
    rows = await connection.execute(sql.ancestors(lot.tenant, lot.city), parameters)
    stored: dict[UUID, UUID | None] = {row.uuid: row.parent for row in rows}
    wrong = wrong_parents({place: (it.uuid, it.draft.parent) for place, it in named.items()}, stored)
    return {place: Refusal(place, "parentId", error) for place, error in wrong.items()}


async def _write(
    connection: AsyncConnection, lot: _Lot, rows: Mapping[UUID, dict[str, Any]], stored: Mapping[UUID, sa.Row[Any]]
) -> UpsertOutcome:
    identity = {"tenant": lot.tenant, "city": lot.city}
    first = {"created_at": lot.now, "updated_at": lot.now, "version": 1}
    new = [row | identity | first | {"uuid": uuid} for uuid, row in rows.items() if uuid not in stored]
    changed = [
        row | {"updated_at": lot.now, "version": stored[uuid].version + 1, "the_pk": stored[uuid].pk}
        for uuid, row in rows.items()
        if uuid in stored and stored[uuid].fingerprint != row["fingerprint"]
    ]
    try:
        if new:
            await connection.execute(sa.insert(city_object), new)
        if changed:
            await connection.execute(sql.update_rows([name for name in changed[0] if name != "the_pk"]), changed)
    except IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise NotFound(f"There is no city {lot.city!r}") from error
        raise Conflict("Another has stored one of these objects at the same time: try again") from error
    touched = {row["the_pk"] for row in changed}
    changes = [(row["uuid"], Change.CREATED) for row in new]
    changes += [(uuid, Change.UPDATED) for uuid in rows if uuid in stored and stored[uuid].pk in touched]
    await tell(connection, lot.tenant, lot.city, lot.now, changes)
    return UpsertOutcome(len(new), len(changed), len(rows) - len(new) - len(changed))


async def delete(store: Store, dependants: Sequence[Dependants], *, tenant: str, city: str, uuid: UUID, now: int) -> None:
    """Deletes one object and what goes with it; its children stay, without a parent. Raises `NotFound`."""
    of_city = (_c.tenant == tenant, _c.city == city)
    async with store.write() as connection:
        await connection.execute(sql.take_turn(connection.dialect.name, tenant, city))
        gone = await connection.execute(sa.delete(city_object).where(*of_city, _c.uuid == uuid))
        if gone.rowcount == 0:
            raise NotFound(f"There is no city object {city}/object/{uuid}")
        orphans = sa.update(city_object).where(*of_city, _c.parent == uuid).returning(_c.uuid)
        # An empty fingerprint equals no draft's, so that the next upsert writes the orphan anew.
        freed = await connection.execute(orphans.values(parent=None, updated_at=now, version=_c.version + 1, fingerprint=b""))
        changes = [(uuid, Change.DELETED), *((child, Change.UPDATED) for child in sorted(freed.scalars()))]
        for keeper in dependants:
            await keeper.delete_of_entity(connection, tenant, uuid)
        await tell(connection, tenant, city, now, changes)
