"""Models' live events: everything that happens to one model, in order, each once.

An annotation or a note that has changed is another subgraph's: it is known here by its identifier.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry import UNSET
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from graph.contracts import Event, GlobalId
from graph.errors import BadUserInput, NotFound
from graph.rights import Scope, any_of
from resolvers.models import events
from resolvers.models.live import AfterEvent, AfterVersion, Place, model_events
from resolvers.models.records import ModelKey
from subgraphs.arguments import given
from subgraphs.context import Port
from subgraphs.directives import PersonalData, semantic
from subgraphs.models.types import VISIBLE, Info, load_patch, load_version, model_id, model_key
from subgraphs.scalars import JSONPatch, Timestamp
from subgraphs.subscriptions import read_cursor, write_cursor

FIELD = "modelEvents"
VISIBLE_CONTRIBUTIONS = any_of(Scope.COLLABORATION_READ, Scope.COLLABORATION_WRITE)
"""As the annotations themselves ask."""


class Contributions(Protocol):
    """Who keeps annotations and notes."""

    async def has_annotation(self, connection: AsyncConnection, tenant: str, uuid: UUID) -> bool: ...

    async def has_note(self, connection: AsyncConnection, tenant: str, uuid: UUID) -> bool: ...


CONTRIBUTIONS: Port[Contributions] = Port("models.contributions")
"""To be connected to the slice of annotations."""


@strawberry.enum
class ChangeKind(Enum):
    """What has happened to an annotation or a note."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Annotation:
    id: strawberry.ID


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class CollaborationNote:
    id: strawberry.ID


@strawberry.federation.type(shareable=True, requires_scopes=VISIBLE)
class Participant:
    user_id: str
    name: str | None
    joined_at: Timestamp


@strawberry.federation.interface(description="What happened to one model. `cursor` goes into `modelEvents(after:)`.")
class ModelEvent:
    cursor: str
    at: Timestamp
    model_id: strawberry.ID


async def _patch(root: "ModelPatched", info: Info) -> JSONPatch:
    if root.told is not None:
        return JSONPatch(root.told)
    version = await load_version(info.context, root.model, root.new_version)
    patch = None if version is None else await load_patch(info.context, version)
    if patch is None:
        raise NotFound(f"Version {root.new_version} of the model {root.model_id} has been deleted")
    return patch


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelPatched(ModelEvent):
    model: strawberry.Private[UUID]
    told: strawberry.Private[Any]
    """The patch, where the event has it."""

    new_version: int = strawberry.federation.field(directives=[semantic("model:version")])
    etag: str = strawberry.federation.field(directives=[semantic("http:etag")])
    patch: JSONPatch = strawberry.field(
        resolver=_patch,
        description="Of `content`, from `newVersion - 1` to `newVersion`; empty where only the name or the description changed.",
    )
    name: str = strawberry.federation.field(directives=[semantic("model:name")])
    description: str | None = strawberry.federation.field(directives=[semantic("model:description")])
    updated_by: str = strawberry.federation.field(directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)])


@strawberry.federation.type(requires_scopes=VISIBLE)
class ModelDeleted(ModelEvent):
    pass


async def _annotation(root: "AnnotationChanged", info: Info) -> Annotation | None:
    """What was missed tells of much that has been deleted since."""
    context, uuid = info.context, _uuid(root.annotation_id)
    if root.kind is ChangeKind.DELETED:
        return None
    async with context.store.read() as connection:
        there = await context.service(CONTRIBUTIONS).has_annotation(connection, context.tenant, uuid)
    return Annotation(id=root.annotation_id) if there else None


@strawberry.federation.type(requires_scopes=VISIBLE)
class AnnotationChanged(ModelEvent):
    kind: ChangeKind
    annotation_id: strawberry.ID
    annotation: Annotation | None = strawberry.federation.field(
        resolver=_annotation, requires_scopes=VISIBLE_CONTRIBUTIONS, description="As it is now; null where it has been deleted."
    )


async def _note(root: "NoteChanged", info: Info) -> CollaborationNote | None:
    context, uuid = info.context, _uuid(root.note_id)
    if root.kind is ChangeKind.DELETED:
        return None
    async with context.store.read() as connection:
        there = await context.service(CONTRIBUTIONS).has_note(connection, context.tenant, uuid)
    return CollaborationNote(id=root.note_id) if there else None


@strawberry.federation.type(requires_scopes=VISIBLE)
class NoteChanged(ModelEvent):
    kind: ChangeKind
    note_id: strawberry.ID
    note: CollaborationNote | None = strawberry.federation.field(
        resolver=_note, requires_scopes=VISIBLE_CONTRIBUTIONS, description="As it is now; null where it has been deleted."
    )


@strawberry.federation.type(requires_scopes=VISIBLE)
class ParticipantsChanged(ModelEvent):
    participants: list[Participant]


EVENTS = (ModelPatched, ModelDeleted, AnnotationChanged, NoteChanged, ParticipantsChanged)


async def _model_events(
    info: Info, model_id: strawberry.ID, since_version: int | None = UNSET, after: str | None = UNSET
) -> AsyncGenerator[ModelEvent, None]:
    context, key = info.context, model_key(model_id, info.context.home_city)
    start = _place(key, given(since_version), given(after))
    async with aclosing(model_events(context.store, context.events, context.tenant, key, start)) as told:
        async for place, event in told:
            shown = _shown(key, place, event)
            if shown is not None:
                yield shown


def _place(key: ModelKey, since_version: int | None, after: str | None) -> Place | None:
    """Raises `BadUserInput`."""
    if after is not None and since_version is not None:
        raise BadUserInput("`after` and `sinceVersion` each say where to begin: give one of them")
    if since_version is not None:
        if since_version < 1:
            raise BadUserInput(f"`sinceVersion` is {since_version}: versions count from 1")
        return AfterVersion(since_version)
    return None if after is None else read_place(key, after)


def read_place(key: ModelKey, cursor: str) -> Place:
    """Raises `BadUserInput` where the cursor is none, or another model's."""
    model, _, place = read_cursor(FIELD, cursor).partition(".")
    kind, number = place[:1], place[1:]
    if kind not in ("e", "v") or not (number.isdecimal() and number.isascii() and len(number) <= 18):
        raise BadUserInput(f"{cursor[:64]!r} is not a cursor: expected one that an event of {FIELD} had")
    if model != key[1].hex:
        raise BadUserInput(f"The cursor comes from another model, and means nothing to {model_id(key)}")
    return AfterEvent(int(number)) if kind == "e" else AfterVersion(int(number))


def write_place(key: ModelKey, place: Place) -> str:
    match place:
        case AfterEvent(seq):
            return write_cursor(FIELD, f"{key[1].hex}.e{seq}")
        case AfterVersion(version):
            return write_cursor(FIELD, f"{key[1].hex}.v{version}")


def _shown(key: ModelKey, place: Place, event: Event) -> ModelEvent | None:
    """None where an event of a kind that this version does not know was told by another one."""
    common: dict[str, Any] = {"cursor": write_place(key, place), "at": Timestamp(event.at), "model_id": model_id(key)}
    told = event.payload
    match event.kind:
        case events.PATCHED:
            return ModelPatched(
                **common,
                model=key[1],
                told=told["patch"],
                new_version=told["newVersion"],
                etag=told["etag"],
                name=told["name"],
                description=told["description"],
                updated_by=told["updatedBy"],
            )
        case events.DELETED:
            return ModelDeleted(**common)
        case "AnnotationChanged":
            id = _id(told["city"], "annotation", told["annotationId"])
            return AnnotationChanged(**common, kind=ChangeKind(told["kind"]), annotation_id=id)
        case "NoteChanged":
            return NoteChanged(**common, kind=ChangeKind(told["kind"]), note_id=_id(told["city"], "note", told["noteId"]))
        case "ParticipantsChanged":
            there = [Participant(user_id=it["userId"], name=it["name"], joined_at=Timestamp(it["joinedAt"])) for it in told["participants"]]
            return ParticipantsChanged(**common, participants=there)
    return None


def _id(city: str, kind: str, uuid: str) -> strawberry.ID:
    return strawberry.ID(str(GlobalId(city, kind, UUID(uuid))))


def _uuid(id: str) -> UUID:
    return UUID(id.rpartition("/")[2])


@strawberry.type
class Subscription:
    model_events: AsyncGenerator[ModelEvent, None] = strawberry.federation.field(
        resolver=_model_events,
        is_subscription=True,
        requires_scopes=VISIBLE,
        description="Everything that happens to one model, in order, without a gap. `after` (a cursor) or `sinceVersion` brings what was "
        "missed first; too far back is RESYNC_REQUIRED.",
    )
