"""Models in a test's store, and changes of them in few words."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.models import commands, queries
from resolvers.models.patches import apply_patch, read_patch
from resolvers.models.records import Model, ModelDraft, ModelKey, ModelVersion
from resolvers.stores.engine import Store

TENANT = "tenant"
CITY = "FI-HELSINKI"
ADA, BOB = "ada", "bob"


class Nobody:
    """Keeps nothing of a model, and remembers which were deleted."""

    def __init__(self) -> None:
        self.told: list[UUID] = []

    async def delete_of_model(self, connection: AsyncConnection, tenant: str, model: UUID) -> None:
        self.told.append(model)


async def made(store: Store, content: Any, *, name: str = "Mill", now: int = 1, **more: Any) -> Model:
    """A new model."""
    draft = ModelDraft(name, content, more.pop("description", None))
    given = {"tenant": TENANT, "city": CITY, "subject": ADA, "idempotency_key": None, **more}
    uuid = await commands.create(store, draft=draft, now=now, **given)
    return (await queries.by_keys(store, given["tenant"], [(given["city"], uuid)]))[given["city"], uuid]


async def patched(
    store: Store, key: ModelKey, base: int, *operations: Mapping[str, Any], rebase: bool = False, now: int = 2
) -> tuple[Model, bool]:
    return await commands.patch(
        store, tenant=TENANT, key=key, subject=BOB, base_version=base, patch=read_patch(operations), rebase=rebase, now=now
    )


async def updated(store: Store, model: Model, now: int = 3, **changes: Any) -> Model:
    return await commands.update(store, tenant=TENANT, key=model.key, subject=BOB, if_match=model.etag, changes=changes, now=now)


async def current(store: Store, key: ModelKey) -> Model:
    return (await queries.by_keys(store, TENANT, [key]))[key]


async def versions(store: Store, model: Model) -> list[ModelVersion]:
    """All of them, oldest first."""
    [found] = await queries.versions(store, TENANT, [(model.uuid, 1, model.version)])
    return found[::-1]


async def contents(store: Store, of: Iterable[Model | ModelVersion]) -> list[Any]:
    keys = [one.content for one in of]
    found = await queries.contents(store, TENANT, keys)
    return [found[key] for key in keys]


async def stored_patches(store: Store, model: Model) -> list[Any]:
    """Of each version after the first, in order."""
    numbers = range(2, model.version + 1)
    found = await queries.patches(store, TENANT, [(model.uuid, number) for number in numbers])
    return [found[model.uuid, number] for number in numbers]


def replayed(content: Any, patches: Iterable[Sequence[Mapping[str, Any]]]) -> Any:
    content = deepcopy(content)
    for patch in patches:
        content = apply_patch(content, read_patch(patch))
    return content


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def move(source: str, path: str) -> dict[str, Any]:
    return {"op": "move", "from": source, "path": path}


def copy(source: str, path: str) -> dict[str, Any]:
    return {"op": "copy", "from": source, "path": path}


def expect(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}
