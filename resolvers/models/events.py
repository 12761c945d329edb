"""What is told of models, on the channel of each: that it was changed, that it was deleted.

A patch of more than 64,000 characters is left out of its event (`patch` is null there): journal and bus carry notices, not megabytes.
Whoever shows such an event reads the patch of `newVersion`.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from graph.json_codec import loads
from resolvers.models.records import JSONValue, Model
from resolvers.stores import journal

__all__ = ["DELETED", "MAX_TOLD_PATCH", "PATCHED", "channel_of", "patched", "tell_deleted", "tell_patched"]

MAX_TOLD_PATCH = 64_000

PATCHED, DELETED = "ModelPatched", "ModelDeleted"


def channel_of(model: UUID) -> str:
    return f"model/{model}"


async def tell_patched(connection: AsyncConnection, tenant: str, model: Model, patch: bytes) -> None:
    """`model` is the new state, `patch` the JSON of what changed its content: `[]` where that stayed."""
    told = loads(patch, exact_integers=True) if len(patch) <= MAX_TOLD_PATCH else None
    payload = patched(model.version, model.etag, told, model.name, model.description, model.updated_by)
    channel = channel_of(model.uuid)
    await journal.record(connection, tenant=tenant, channel=channel, kind=PATCHED, at=model.updated_at, payload=payload)


def patched(version: int, etag: str, patch: JSONValue, name: str, description: str | None, by: str) -> dict[str, Any]:
    """What the event of a new version tells; `patch` is None where it is left out."""
    return {"newVersion": version, "etag": etag, "patch": patch, "name": name, "description": description, "updatedBy": by}


async def tell_deleted(connection: AsyncConnection, tenant: str, model: UUID, at: int) -> None:
    await journal.record(connection, tenant=tenant, channel=channel_of(model), kind=DELETED, at=at, payload={})
