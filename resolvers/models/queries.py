"""What can be asked of models. Each question is one statement, however many ask it; contents are rebuilt in a thread."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from graph.json_codec import dumps, loads
from resolvers.models import store as sql
from resolvers.models.content import read_packed
from resolvers.models.patches import apply_patch, known_patch
from resolvers.models.records import (
    ContentKey,
    JSONValue,
    Model,
    ModelFilter,
    ModelFormat,
    ModelKey,
    ModelOrder,
    ModelType,
    ModelVersion,
)
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

VersionRange: TypeAlias = tuple[UUID, int, int]
"""A model's versions from the one to the other, both included."""

_BY_NAME = (ModelOrder.NAME_ASC, ModelOrder.NAME_DESC)
_RECORD_LENGTH = len(sql.RECORD)
_VERSION_LENGTH = len(sql.VERSION)


def position_types(order: ModelOrder) -> tuple[type[str | int | float | UUID], ...]:
    """By which a cursor of that order is read."""
    return (str if order in _BY_NAME else int, str, UUID)


def position_of(model: Model, order: ModelOrder) -> Position:
    """Where the model stands in the order."""
    match order:
        case ModelOrder.NAME_ASC | ModelOrder.NAME_DESC:
            return (model.name, model.city, model.uuid)
        case ModelOrder.CREATED_AT_ASC | ModelOrder.CREATED_AT_DESC:
            return (model.created_at, model.city, model.uuid)
        case ModelOrder.UPDATED_AT_ASC | ModelOrder.UPDATED_AT_DESC:
            return (model.updated_at, model.city, model.uuid)


async def models(store: Store, tenant: str, wanted: ModelFilter, order: ModelOrder, window: Window) -> Page[Model]:
    async with store.read() as connection:
        rows = await connection.execute(sql.page(tenant, wanted, order, window))
        return page_of([record(row) for row in rows], window)


async def count_models(store: Store, tenant: str, wanted: ModelFilter) -> int:
    async with store.read() as connection:
        number: int = (await connection.execute(sql.count(tenant, wanted))).scalar_one()
        return number


async def by_keys(store: Store, tenant: str, keys: Sequence[ModelKey]) -> dict[ModelKey, Model]:
    """What is not there, or another tenant's, is left out."""
    async with store.read() as connection:
        rows = await connection.execute(sql.by_keys(tenant), {"keys": rows_parameter(keys)})
        found = [record(row) for row in rows]
    return {model.key: model for model in found}


async def versions(store: Store, tenant: str, ranges: Sequence[VersionRange]) -> list[list[ModelVersion]]:
    """Of each range the versions that there are, newest first."""
    found: list[list[ModelVersion]] = [[] for _ in ranges]
    numbered = rows_parameter([(n, *one) for n, one in enumerate(ranges)])
    async with store.read() as connection:
        for row in await connection.execute(sql.versions(tenant), {"ranges": numbered}):
            found[row.n].append(_version(row))
    return found


async def versions_by_uuid(store: Store, tenant: str, keys: Sequence[ModelKey]) -> dict[ModelKey, ModelVersion]:
    """Versions by city and their own UUID."""
    async with store.read() as connection:
        rows = await connection.execute(sql.versions_by_uuid(tenant), {"keys": rows_parameter(keys)})
        found = [_version(row) for row in rows]
    return {(version.city, version.uuid): version for version in found}


async def patches(store: Store, tenant: str, keys: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], JSONValue]:
    """The patches that led to versions (model, number); those without one are left out."""
    async with store.read() as connection:
        rows = (await connection.execute(sql.patches(tenant), {"keys": rows_parameter(keys)})).all()
    return await asyncio.to_thread(lambda: {(row.model, row.version): read_packed(row.patch) for row in rows if row.patch is not None})


async def contents(store: Store, tenant: str, keys: Iterable[ContentKey]) -> dict[ContentKey, JSONValue]:
    """Each version's content, a value of its own; of models that are gone, nothing."""
    runs = _runs(keys)
    rows: list[list[Any]] = [[] for _ in runs]
    parameter = rows_parameter([(n, *run.row) for n, run in enumerate(runs)])
    async with store.read() as connection:
        for row in await connection.execute(sql.contents(tenant), {"ranges": parameter}):
            rows[row.n].append(row)
    return await asyncio.to_thread(_rebuilt, runs, rows)


class _Run:
    """Versions that are rebuilt from the same one, in one go."""

    def __init__(self, keys: Sequence[ContentKey]) -> None:
        self.keys = {key.version: key for key in keys}
        first = keys[0]
        self.row = (first.model, first.base, max(self.keys), int(first.newest))


def _runs(keys: Iterable[ContentKey]) -> list[_Run]:
    together: dict[tuple[object, ...], list[ContentKey]] = {}
    for key in keys:
        together.setdefault((key.model, key.base, key.newest, key.newest and key.version), []).append(key)
    return [_Run(group) for group in together.values()]


def _rebuilt(runs: Sequence[_Run], rows: Sequence[Sequence[Any]]) -> dict[ContentKey, JSONValue]:
    found: dict[ContentKey, JSONValue] = {}
    for run, steps in zip(runs, rows, strict=True):
        value: JSONValue = None
        for step in steps:
            value = read_packed(step.content) if step.content is not None else _patched(value, step.patch)
            key = run.keys.get(step.version)
            if key is not None:
                # The next step changes the value in place.
                found[key] = value if step is steps[-1] else loads(dumps(value), exact_integers=True)
    return found


def _patched(value: JSONValue, packed_patch: bytes) -> JSONValue:
    patch = read_packed(packed_patch)
    return apply_patch(value, known_patch(patch, b""))


def record(row: Any) -> Model:
    city, uuid, name, description, kind, format, *rest = row[:_RECORD_LENGTH]
    return Model(city, uuid, name, description, ModelType(kind), ModelFormat(format), *rest)


def _version(row: Any) -> ModelVersion:
    return ModelVersion(*row[:_VERSION_LENGTH])
