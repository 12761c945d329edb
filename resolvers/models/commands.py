"""What can be done to models: create, change, patch, restore, delete. Each change is one version, one transaction and one event.

A change is worked out in a thread on what a first look has seen, and saved only if the model is still that: then the row is held
for two statements, however large the content. Where another change came between, it is worked out once more with the row held, so
that of any number of writers each gets its turn.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, Conflict, NotFound
from resolvers.models import queries
from resolvers.models import store as sql
from resolvers.models.content import canonical, content_text, packed, read_packed
from resolvers.models.differences import difference, same
from resolvers.models.events import tell_deleted, tell_patched
from resolvers.models.patches import Patch, apply_patch, collisions, pack_pointers, touched, unpack_pointers, written
from resolvers.models.records import (
    MAX_DESCRIPTION,
    MAX_NAME,
    JSONValue,
    Model,
    ModelDraft,
    ModelKey,
    etag_of,
    fold,
)
from resolvers.stores.engine import Store
from resolvers.stores.idempotency import once
from resolvers.stores.json_bounds import check_text

__all__ = ["ModelDependants", "create", "delete", "delete_in", "patch", "restore", "update"]

MAX_REBASE = 1_000
"""Versions over which a patch is carried."""
_WHOLE_EVERY = 32
_LEAST_PATCHED = 65_536
_MAX_TOLD = 100
_NO_PATCH = b"[]"


class ModelDependants(Protocol):
    """Who keeps things that go with a model."""

    async def delete_of_model(self, connection: AsyncConnection, tenant: str, model: UUID) -> None: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A model as one look saw it; `since` is what each version after a patch's base has changed."""

    model: Model
    content: bytes
    since: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """What the next version is: name and description, packed content and its size, the patch's JSON, the pointers that it changes."""

    name: str
    description: str | None
    content: bytes
    size: int
    patch: bytes = _NO_PATCH
    written: bytes = pack_pointers(())

    @classmethod
    def of(cls, seen: _Seen) -> "_Change":
        """The one that leaves all as it is."""
        return cls(seen.model.name, seen.model.description, seen.content, seen.model.size)


async def create(store: Store, *, tenant: str, city: str, subject: str, draft: ModelDraft, idempotency_key: str | None, now: int) -> UUID:
    """Raises `BadUserInput` and `IdempotencyKeyReused`."""
    _check(draft.name, draft.description)
    text = await asyncio.to_thread(content_text, draft.content)
    content = await asyncio.to_thread(packed, text)

    async def insert(connection: AsyncConnection) -> str:
        uuid, version = uuid4(), uuid4()
        model = Model(
            city=city,
            uuid=uuid,
            name=draft.name,
            description=draft.description,
            type=draft.type,
            format=draft.format,
            version=1,
            etag=etag_of(1, version),
            size=len(text),
            base=1,
            patched=0,
            created_at=now,
            created_by=subject,
            updated_at=now,
            updated_by=subject,
        )
        await connection.execute(sa.insert(sql.model), {"tenant": tenant, "content": content, **_row(model)})
        whole = {"touched": pack_pointers(()), "patch": None, "patch_size": None, "content": content}
        await connection.execute(sa.insert(sql.version_table), _version_row(tenant, model, version) | whole)
        return uuid.hex

    told: list[object] = [city, draft.name, draft.description, draft.type.value, draft.format.value]
    if idempotency_key is not None:
        told.append(await asyncio.to_thread(_digest, draft.content))
    made: str = await once(store, tenant=tenant, operation="createModel", key=idempotency_key, told=told, now=now, change=insert)
    return UUID(made)


async def update(store: Store, *, tenant: str, key: ModelKey, subject: str, if_match: str, changes: Mapping[str, Any], now: int) -> Model:
    """Changes those of `name`, `description` and `content` that `changes` holds; None clears the description.

    Raises `NotFound`, `Conflict` with the current version, and `BadUserInput`. What changes nothing makes no version.
    """
    if "name" in changes and changes["name"] is None:
        raise BadUserInput("`name` is null: a model needs a name")
    _check(changes.get("name", "-"), changes.get("description"))
    content = changes.get("content")
    size = len(await asyncio.to_thread(content_text, content)) if "content" in changes else None

    def decide(seen: _Seen) -> _Change | None:
        _match(seen.model, if_match)
        change = _Change.of(seen) if size is None else _with_content(seen, content, size)
        name, description = changes.get("name", seen.model.name), changes.get("description", seen.model.description)
        change = replace(change, name=name, description=description)
        return None if change == _Change.of(seen) else change

    return await _change(store, tenant, key, subject, now, decide)


async def patch(
    store: Store, *, tenant: str, key: ModelKey, subject: str, base_version: int, patch: Patch, rebase: bool, now: int
) -> tuple[Model, bool]:
    """The model, and whether the patch was applied on a newer version than `base_version`.

    Raises `NotFound`; `Conflict` with the current version, where that is not the base, or one of the paths that the patch touches has
    changed since, or a `test` fails; `BadUserInput`. What changes nothing makes no version.
    """
    based_on = base_version

    def decide(seen: _Seen) -> _Change | None:
        nonlocal based_on
        content = read_packed(seen.content)
        based_on = seen.model.version
        if base_version != seen.model.version:
            _check_rebase(seen, base_version, patch, content, rebase=rebase)
        pointers = written(content, patch)
        try:
            content = apply_patch(content, patch)
        except Conflict as failed:
            raise Conflict(failed.detail, extensions=failed.extensions | _current(seen.model)) from None
        text = content_text(content)
        # Whatever the order of its members, a content has as many characters.
        if len(text) == seen.model.size and same(content, read_packed(seen.content)):
            return None
        return replace(_Change.of(seen), content=packed(text), size=len(text), patch=patch.text, written=pack_pointers(pointers))

    since = base_version if rebase else None
    model = await _change(store, tenant, key, subject, now, decide, since=since)
    return model, based_on != base_version


def _check_rebase(seen: _Seen, base_version: int, patch: Patch, content: JSONValue, *, rebase: bool) -> None:
    model = seen.model
    behind = model.version - base_version
    if not rebase or base_version < 1 or behind < 0:
        raise Conflict(f"The model is at version {model.version}, not {base_version}: read it again", extensions=_current(model))
    if behind > MAX_REBASE:
        raise Conflict(
            f"The model is {behind:,} versions ahead of {base_version}: a patch is carried over {MAX_REBASE:,} at most",
            extensions=_current(model),
        )
    changed = {pointer for packed_pointers in seen.since for pointer in unpack_pointers(packed_pointers)}
    in_the_way = collisions(touched(content, patch), changed)
    if in_the_way:
        raise Conflict(
            f"Since version {base_version}, {in_the_way[0][:200]!r} has changed, which the patch touches",
            extensions=_current(model) | {"pointers": in_the_way[:_MAX_TOLD]},
        )


async def restore(store: Store, *, tenant: str, key: ModelKey, subject: str, if_match: str, version: int, now: int) -> Model:
    """Makes a version with the content of an earlier one, in any case. Raises `NotFound` and `Conflict` with the current version."""
    old, size = await _content_at(store, tenant, key, version)

    def decide(seen: _Seen) -> _Change:
        _match(seen.model, if_match)
        return _with_content(seen, old, size)

    return await _change(store, tenant, key, subject, now, decide)


async def delete(store: Store, dependants: ModelDependants, *, tenant: str, key: ModelKey, if_match: str, now: int) -> None:
    """Its versions, and what others keep of it, go with it. Raises `NotFound` and `Conflict` with the current version."""
    async with store.write() as connection:
        _match(await _locked(connection, tenant, key), if_match)
        await delete_in(connection, dependants, tenant, key, now)


async def delete_in(connection: AsyncConnection, dependants: ModelDependants, tenant: str, key: ModelKey, now: int) -> None:
    _, uuid = key
    versions, models = sql.version_table.c, sql.model.c
    await connection.execute(sa.delete(sql.version_table).where(versions.tenant == tenant, versions.model == uuid))
    await connection.execute(sa.delete(sql.model).where(models.tenant == tenant, models.uuid == uuid))
    # After the model itself, whose deletion waits for those who hold it while they add something to it.
    await dependants.delete_of_model(connection, tenant, uuid)
    await tell_deleted(connection, tenant, uuid, now)


async def _change(
    store: Store,
    tenant: str,
    key: ModelKey,
    subject: str,
    now: int,
    decide: Callable[[_Seen], _Change | None],
    since: int | None = None,
) -> Model:
    async with store.read() as connection:
        seen = await _see(connection, tenant, key, since)
    change = await asyncio.to_thread(decide, seen)
    if change is None:
        return seen.model
    async with store.write() as connection:
        if (await _locked(connection, tenant, key)).version != seen.model.version:
            seen = await _see(connection, tenant, key, since)
            change = await asyncio.to_thread(decide, seen)
        if change is None:
            return seen.model
        return await _save(connection, tenant, seen.model, change, subject, now)


async def _save(connection: AsyncConnection, tenant: str, old: Model, change: _Change, subject: str, now: int) -> Model:
    version, uuid = old.version + 1, uuid4()
    patched = old.patched + len(change.patch)
    whole = version - old.base >= _WHOLE_EVERY or patched > max(change.size, _LEAST_PATCHED)
    model = replace(
        old,
        name=change.name,
        description=change.description,
        version=version,
        etag=etag_of(version, uuid),
        size=change.size,
        base=version if whole else old.base,
        patched=0 if whole else patched,
        updated_at=now,
        updated_by=subject,
    )
    of_model = (sql.model.c.tenant == tenant, sql.model.c.uuid == model.uuid, sql.model.c.version == old.version)
    await connection.execute(sa.update(sql.model).where(*of_model).values(**_row(model), content=change.content))
    row = _version_row(tenant, model, uuid) | {
        "touched": change.written,
        "patch": await asyncio.to_thread(packed, change.patch),
        "patch_size": len(change.patch),
        "content": change.content if whole else None,
    }
    await connection.execute(sa.insert(sql.version_table), row)
    await tell_patched(connection, tenant, model, change.patch)
    return model


def _with_content(seen: _Seen, content: JSONValue, size: int) -> _Change:
    found = difference(read_packed(seen.content), content, size)
    if not found.patch.operations:
        return _Change.of(seen)
    text = content_text(found.result)
    return replace(_Change.of(seen), content=packed(text), size=len(text), patch=found.patch.text, written=pack_pointers(found.pointers))


async def _content_at(store: Store, tenant: str, key: ModelKey, version: int) -> tuple[JSONValue, int]:
    known = (await queries.by_keys(store, tenant, [key])).get(key)
    if known is None:
        raise _no_model(key)
    [found] = await queries.versions(store, tenant, [(known.uuid, version, version)])
    contents = await queries.contents(store, tenant, [one.content for one in found])
    if not contents:
        raise NotFound(f"The model {key[0]}/model/{key[1]} has no version {version}: it has 1 to {known.version}")
    return contents[found[0].content], found[0].size


async def _see(connection: AsyncConnection, tenant: str, key: ModelKey, since: int | None) -> _Seen:
    row = (await connection.execute(sql.one(tenant, key))).first()
    if row is None:
        raise _no_model(key)
    model = queries.record(row)
    if since is None or not 0 < model.version - since <= MAX_REBASE:
        return _Seen(model, row.content)
    later = await connection.execute(sql.touched_since(tenant, model.uuid, since))
    return _Seen(model, row.content, tuple(later.scalars()))


async def _locked(connection: AsyncConnection, tenant: str, key: ModelKey) -> Model:
    row = (await connection.execute(sql.lock(tenant, key))).first()
    if row is None:
        raise _no_model(key)
    return queries.record(row)


def _match(model: Model, if_match: str) -> None:
    if if_match != model.etag:
        raise Conflict(
            f"The model is at version {model.version}, whose ETag is {model.etag}, not {if_match[:100]}: read it again",
            extensions=_current(model),
        )


def _current(model: Model) -> dict[str, Any]:
    return {"currentVersion": model.version, "currentEtag": model.etag}


def _no_model(key: ModelKey) -> NotFound:
    city, uuid = key
    return NotFound(f"There is no model {city}/model/{uuid}")


def _row(model: Model) -> dict[str, Any]:
    return {
        "uuid": model.uuid,
        "city": model.city,
        "name": model.name,
        "description": model.description,
        "folded_name": fold(model.name),
        "folded_description": None if model.description is None else fold(model.description),
        "type": model.type.value,
        "format": model.format.value,
        "version": model.version,
        "etag": model.etag,
        "size": model.size,
        "base": model.base,
        "patched": model.patched,
        "created_at": model.created_at,
        "created_by": model.created_by,
        "updated_at": model.updated_at,
        "updated_by": model.updated_by,
    }


def _version_row(tenant: str, model: Model, uuid: UUID) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "model": model.uuid,
        "version": model.version,
        "uuid": uuid,
        "etag": model.etag,
        "size": model.size,
        "base": model.base,
        "created_at": model.updated_at,
        "created_by": model.updated_by,
    }


def _digest(content: JSONValue) -> str:
    """The same for contents that mean the same, whatever the order of their members."""
    return blake2b(canonical(content), digest_size=32).hexdigest()


def _check(name: str, description: str | None) -> None:
    check_text("name", name, MAX_NAME, least=1)
    if description is not None:
        check_text("description", description, MAX_DESCRIPTION)
