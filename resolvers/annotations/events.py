"""What is told of annotations and notes: that they changed, on their model's channel; whom they mention, on each user's own.

Events name what has changed by its identifier: who hears of it reads it as it is by then.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.annotations.records import Annotation, ChangeKind, Note, Owner
from resolvers.stores import journal


def mentions_channel(user: UUID) -> str:
    return f"mentions/{user}"


async def tell_mentioned(connection: AsyncConnection, owner: Owner, user: UUID, mention: UUID, now: int) -> None:
    payload = {"city": owner.city, "mention": str(mention)}
    await journal.record(connection, tenant=owner.tenant, channel=mentions_channel(user), kind="Mentioned", at=now, payload=payload)


async def tell_changed(connection: AsyncConnection, owner: Owner, changed: Annotation | Note, kind: ChangeKind, now: int) -> None:
    event, identifier = ("AnnotationChanged", "annotationId") if isinstance(changed, Annotation) else ("NoteChanged", "noteId")
    payload: dict[str, Any] = {
        "city": owner.city,
        "modelId": str(changed.model),
        "kind": kind.value,
        identifier: str(changed.uuid),
    }
    await journal.record(connection, tenant=owner.tenant, channel=f"model/{changed.model}", kind=event, at=now, payload=payload)
