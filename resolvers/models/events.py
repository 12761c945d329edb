"""What is told of models, on the channel of each: that it was changed, that it was deleted.

A patch of more than 64,000 characters is left out of its event (`patch` is null there): journal and bus carry notices, not megabytes.
Whoever shows such an event reads the patch of `newVersion`.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from graph.json_codec import loads
from resolvers.models.records import Model
from resolvers.stores import journal

__all__ = ["MAX_TOLD_PATCH", "channel_of", "tell_deleted", "tell_patched"]

MAX_TOLD_PATCH = 64_000


def channel_of(model: UUID) -> str:
    return f"model/{model}"


async def tell_patched(connection: AsyncConnection, tenant: str, model: Model, patch: bytes) -> None:
    """`model` is the new state, `patch` the JSON of what changed its content: `[]` where that stayed."""
    payload: dict[str, Any] = {
        "newVersion": model.version,
        "etag": model.etag,
        "patch": loads(patch, exact_integers=True) if len(patch) <= MAX_TOLD_PATCH else None,
        "name": model.name,
        "description": model.description,
        "updatedBy": model.updated_by,
    }
    channel = channel_of(model.uuid)
    await journal.record(connection, tenant=tenant, channel=channel, kind="ModelPatched", at=model.updated_at, payload=payload)


async def tell_deleted(connection: AsyncConnection, tenant: str, model: UUID, at: int) -> None:
    await journal.record(connection, tenant=tenant, channel=channel_of(model), kind="ModelDeleted", at=at, payload={})
