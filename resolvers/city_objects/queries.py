"""What can be asked of city objects. Each question is one statement, however many objects ask it."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.city_objects import store as sql
from resolvers.city_objects.records import (
    CityObject,
    CityObjectFilter,
    CityObjectOrder,
    CityObjectType,
    Found,
    ObjectKey,
)
from resolvers.stores.engine import Store
from resolvers.stores.geometry import Box
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

MAX_RADIUS_METRES = 50_000.0

_REST = len(sql.RECORD) - 9
"""Columns of a record after its attributes; what else a row has comes last."""
_TYPES = {kind.value: kind for kind in CityObjectType}
_ROWS_AT_A_TIME = 1_000

POSITIONS: dict[CityObjectOrder, tuple[type[str | int | float | UUID], ...]] = {
    CityObjectOrder.ID_ASC: (str, UUID),
    CityObjectOrder.NAME_ASC: (int, str, str, UUID),
    CityObjectOrder.NAME_DESC: (int, str, str, UUID),
    CityObjectOrder.UPDATED_AT_ASC: (int, str, UUID),
    CityObjectOrder.UPDATED_AT_DESC: (int, str, UUID),
    CityObjectOrder.DISTANCE_ASC: (float, str),
}
"""The types of each order's positions, by which a cursor is read."""

_FEW = 5_000
"""So many objects are quicker looked up and put in order than met on a walk along the order."""


def position_of(found: Found, order: CityObjectOrder) -> Position:
    """Where the object stands in the order."""
    it = found.object
    match order:
        case CityObjectOrder.ID_ASC:
            return (it.city, it.uuid)
        case CityObjectOrder.NAME_ASC | CityObjectOrder.NAME_DESC:
            return (int(it.name is None), it.name or "", it.city, it.uuid)
        case CityObjectOrder.UPDATED_AT_ASC | CityObjectOrder.UPDATED_AT_DESC:
            return (it.updated_at, it.city, it.uuid)
        case CityObjectOrder.DISTANCE_ASC:
            return (found.distance or 0.0, f"{it.city}/{it.uuid.hex}")


async def city_objects(store: Store, tenant: str, wanted: CityObjectFilter, order: CityObjectOrder, window: Window) -> Page[Found]:
    async with store.read() as connection:
        by_place = store.dialect == "sqlite" and wanted.near is None and await _is_narrow(connection, wanted)
        rows = (await connection.execute(sql.page(store.dialect, tenant, wanted, order, window, by_place=by_place))).all()
    return page_of([Found(_record(row), row[-1]) for row in rows], window)


async def _is_narrow(connection: AsyncConnection, wanted: CityObjectFilter) -> bool:
    """Whether there is little where the filter looks: a second in the spatial index saves a walk through the whole city."""
    found = sql.in_place(wanted, _FEW + 1)
    return found is not None and (await connection.execute(found)).scalar_one() <= _FEW


async def count_city_objects(store: Store, tenant: str, wanted: CityObjectFilter) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sql.count(store.dialect, tenant, wanted))).scalar_one())


async def all_matching(connection: AsyncConnection, tenant: str, wanted: CityObjectFilter, most: int) -> dict[str, set[UUID]]:
    """The objects that meet the filter, by city; if there are more than `most`, one more than that."""
    found: dict[str, set[UUID]] = {}
    result = await connection.stream(sql.all_matching(connection.dialect.name, tenant, wanted, most + 1))
    async for rows in result.partitions(_ROWS_AT_A_TIME):
        for city, uuid in rows:
            found.setdefault(city, set()).add(uuid)
    return found


async def matching(store: Store, tenant: str, city: str, wanted: CityObjectFilter, uuids: Sequence[UUID]) -> dict[UUID, CityObject]:
    """Those of a city's objects that meet the filter as they are now."""
    statement = sql.matching(store.dialect, tenant, city, wanted)
    async with store.read() as connection:
        rows = await connection.execute(statement, {"uuids": rows_parameter((uuid,) for uuid in uuids)})
        return {row.uuid: _record(row) for row in rows}


async def by_keys(store: Store, tenant: str, keys: Sequence[ObjectKey]) -> dict[ObjectKey, CityObject]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_keys(tenant), {"keys": rows_parameter(keys)})
        records = [_record(row) for row in rows]
    return {(record.city, record.uuid): record for record in records}


async def existing(connection: AsyncConnection, tenant: str, city: str, uuids: Sequence[UUID]) -> set[UUID]:
    """Those of `uuids` that the tenant has in that city."""
    asked = [(uuid,) for uuid in uuids]
    parameter = await asyncio.to_thread(rows_parameter, asked) if len(asked) > _ROWS_AT_A_TIME else rows_parameter(asked)
    found: set[UUID] = set()
    rows = await connection.stream_scalars(sql.existing(tenant, city), {"uuids": parameter})
    async for part in rows.partitions(_ROWS_AT_A_TIME):
        found.update(part)
    return found


async def neighbours(
    store: Store,
    tenant: str,
    keys: Sequence[ObjectKey],
    radius: float,
    types: Sequence[CityObjectType] | None,
    limit: int,
) -> list[list[Found]]:
    """Of each key's object the `limit` nearest others within `radius` metres, nearest first."""
    statement = sql.neighbours(store.dialect, tenant, radius, types, limit)
    found: list[list[Found]] = [[] for _ in keys]
    async with store.read() as connection:
        for row in await connection.execute(statement, {"keys": _numbered(keys)}):
            found[row.n].append(Found(_record(row), row.distance))
    return found


async def children(store: Store, tenant: str, keys: Sequence[ObjectKey], window: Window) -> list[Page[Found]]:
    """Of each key's object a page of its children, by identifier."""
    found: list[list[Found]] = [[] for _ in keys]
    async with store.read() as connection:
        for row in await connection.execute(sql.children(tenant, window), {"keys": _numbered(keys)}):
            found[row.n].append(Found(_record(row)))
    return [page_of(rows, window) for rows in found]


async def child_counts(store: Store, tenant: str, keys: Sequence[ObjectKey]) -> list[int]:
    async with store.read() as connection:
        rows = await connection.execute(sql.child_counts(tenant), {"keys": rows_parameter(keys)})
        counts = {(city, parent): number for city, parent, number in rows}
    return [counts.get(key, 0) for key in keys]


async def city_counts(store: Store, tenant: str, cities: Sequence[str]) -> list[list[tuple[CityObjectType, int]]]:
    """Of each city how many objects of each type it holds, by type; types without any are left out."""
    counts: dict[str, list[tuple[CityObjectType, int]]] = {city: [] for city in cities}
    async with store.read() as connection:
        for city, kind, number in await connection.execute(sql.city_counts(tenant, cities)):
            counts[city].append((CityObjectType(kind), number))
    return [counts[city] for city in cities]


async def city_extents(store: Store, tenant: str, cities: Sequence[str]) -> list[Box | None]:
    """Of each city the box around all of its objects; None where it has none."""
    async with store.read() as connection:
        rows = await connection.execute(sql.city_extents(tenant, cities))
        extents = {city: Box(*edges) for city, *edges in rows}
    return [extents.get(city) for city in cities]


def _numbered(keys: Sequence[ObjectKey]) -> str:
    return rows_parameter([(place, *key) for place, key in enumerate(keys)])


def _record(row: Any) -> CityObject:
    pk, city, uuid, kind, name, source, source_id, geometry, attributes, *rest = row
    return CityObject(pk, city, uuid, _TYPES[kind], name, source, source_id, geometry, orjson.loads(attributes), *rest[:_REST])
