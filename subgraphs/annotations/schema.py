"""The subgraph `annotations`: annotations on elements of models, collaboration notes, and who is mentioned in them."""

from functools import cache

import strawberry
from strawberry import UNSET

from graph.rights import Scope, any_of
from resolvers.annotations import commands, queries, records
from resolvers.annotations.records import Owner
from resolvers.stores.paging import Page
from subgraphs.annotations.inputs import (
    CreateAnnotationInput,
    CreateNoteInput,
    DeleteAnnotationInput,
    DeleteNoteInput,
    UpdateAnnotationInput,
    UpdateNoteInput,
    annotation_changes,
    annotation_draft,
    known_here,
    note_changes,
    note_draft,
    of_this_city,
    read_element,
)
from subgraphs.annotations.live import Subscription
from subgraphs.annotations.types import (
    LOADERS,
    Annotation,
    CollaborationNote,
    Info,
    MentionConnection,
    Model,
    ModelElement,
    annotation,
    caller,
    load_annotation,
    load_note,
    mention,
    note,
    owner_of,
)
from subgraphs.arguments import given
from subgraphs.connections import Cursors, Listing, window
from subgraphs.context import Port, SliceContext
from subgraphs.directives import PerCaller
from subgraphs.federation import FederationSchema

MODELS: Port[commands.ModelDirectory] = Port("annotations.models")
"""To be connected to the slice of models."""

READ = any_of(Scope.COLLABORATION_READ)
WRITE = any_of(Scope.COLLABORATION_WRITE)


async def _annotation(info: Info, id: strawberry.ID) -> Annotation | None:
    return await load_annotation(info.context, of_this_city(id, "annotation", info.context.home_city))


async def _note(info: Info, id: strawberry.ID) -> CollaborationNote | None:
    return await load_note(info.context, of_this_city(id, "note", info.context.home_city))


async def _mentions(
    info: Info, first: int | None = UNSET, after: str | None = UNSET, last: int | None = UNSET, before: str | None = UNSET
) -> MentionConnection | None:
    context, user = info.context, caller(info.context)
    cursors = Cursors.under("mentions", "AT_DESC", queries.POSITION, user)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    store, owner = context.store, owner_of(context)

    async def count() -> int:
        return 0 if user is None else await queries.count_mentions_of(store, owner, user)

    page: Page[records.Mention] = Page(()) if user is None else await queries.mentions_of(store, owner, user, asked)
    return MentionConnection(listing=Listing(page, cursors, queries.mention_position, lambda it: mention(owner.city, it), count))


@strawberry.type
class Query:
    annotation: Annotation | None = strawberry.federation.field(resolver=_annotation, requires_scopes=READ)
    note: CollaborationNote | None = strawberry.federation.field(resolver=_note, requires_scopes=READ)
    mentions: MentionConnection | None = strawberry.federation.field(
        resolver=_mentions,
        requires_scopes=READ,
        directives=[PerCaller()],
        description="Annotations and notes that mention the caller, newest first.",
    )


@strawberry.federation.type(requires_scopes=WRITE)
class AnnotationPayload:
    annotation: Annotation


@strawberry.federation.type(requires_scopes=WRITE)
class DeleteAnnotationPayload:
    deleted_id: strawberry.ID


@strawberry.federation.type(requires_scopes=WRITE)
class NotePayload:
    note: CollaborationNote


@strawberry.federation.type(requires_scopes=WRITE)
class DeleteNotePayload:
    deleted_id: strawberry.ID


async def _create_annotation(info: Info, input: CreateAnnotationInput) -> AnnotationPayload | None:
    context = info.context
    created = await commands.create_annotation(
        context.store,
        context.service(MODELS),
        owner=owner_of(context),
        author=context.subject,
        model=known_here(input.model_id, "model", context.home_city),
        element=read_element("elementId", input.element_id),
        draft=annotation_draft(input),
        now=context.now(),
    )
    return AnnotationPayload(annotation=annotation(_changed(context).city, created))


async def _update_annotation(info: Info, input: UpdateAnnotationInput) -> AnnotationPayload | None:
    context = info.context
    changed = await commands.update_annotation(
        context.store,
        owner=owner_of(context),
        editor=context.subject,
        uuid=known_here(input.id, "annotation", context.home_city),
        if_version=input.if_version,
        changes=annotation_changes(input),
        now=context.now(),
    )
    return AnnotationPayload(annotation=annotation(_changed(context).city, changed))


async def _delete_annotation(info: Info, input: DeleteAnnotationInput) -> DeleteAnnotationPayload | None:
    context = info.context
    uuid = known_here(input.id, "annotation", context.home_city)
    await commands.delete_annotation(context.store, owner=owner_of(context), uuid=uuid, if_version=input.if_version, now=context.now())
    return DeleteAnnotationPayload(deleted_id=strawberry.ID(f"{_changed(context).city}/annotation/{uuid}"))


async def _create_note(info: Info, input: CreateNoteInput) -> NotePayload | None:
    context = info.context
    created = await commands.create_note(
        context.store,
        context.service(MODELS),
        owner=owner_of(context),
        author=context.subject,
        model=known_here(input.model_id, "model", context.home_city),
        draft=note_draft(input),
        now=context.now(),
    )
    return NotePayload(note=note(_changed(context).city, created))


async def _update_note(info: Info, input: UpdateNoteInput) -> NotePayload | None:
    context = info.context
    changed = await commands.update_note(
        context.store,
        context.service(MODELS),
        owner=owner_of(context),
        editor=context.subject,
        uuid=known_here(input.id, "note", context.home_city),
        if_version=input.if_version,
        changes=note_changes(input),
        now=context.now(),
    )
    return NotePayload(note=note(_changed(context).city, changed))


async def _delete_note(info: Info, input: DeleteNoteInput) -> DeleteNotePayload | None:
    context = info.context
    uuid = known_here(input.id, "note", context.home_city)
    await commands.delete_note(context.store, owner=owner_of(context), uuid=uuid, if_version=input.if_version, now=context.now())
    return DeleteNotePayload(deleted_id=strawberry.ID(f"{_changed(context).city}/note/{uuid}"))


def _changed(context: SliceContext) -> Owner:
    """What an earlier field of the request has loaded is older than this change, and is forgotten."""
    for name in [name for name in context.loaders if name.startswith(LOADERS)]:
        del context.loaders[name]
    return owner_of(context)


@strawberry.type
class Mutation:
    create_annotation: AnnotationPayload | None = strawberry.federation.field(resolver=_create_annotation, requires_scopes=WRITE)
    update_annotation: AnnotationPayload | None = strawberry.federation.field(resolver=_update_annotation, requires_scopes=WRITE)
    delete_annotation: DeleteAnnotationPayload | None = strawberry.federation.field(resolver=_delete_annotation, requires_scopes=WRITE)
    create_note: NotePayload | None = strawberry.federation.field(resolver=_create_note, requires_scopes=WRITE)
    update_note: NotePayload | None = strawberry.federation.field(resolver=_update_note, requires_scopes=WRITE)
    delete_note: DeleteNotePayload | None = strawberry.federation.field(resolver=_delete_note, requires_scopes=WRITE)


@cache
def build() -> FederationSchema:
    return FederationSchema(Query, mutation=Mutation, subscription=Subscription, types=[Model, ModelElement])
