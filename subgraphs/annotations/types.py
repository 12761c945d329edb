"""How annotations, notes and mentions look in GraphQL, and what every model and model element has of them.

A model is another subgraph's: it is known here by its identifier, which each row of ours holds only as long as the model is there.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId, parse_uuid
from graph.errors import BadUserInput
from graph.rights import Scope, any_of
from resolvers.annotations import loaders, queries, records
from resolvers.annotations.records import AnnotationFilter, AnnotationOrder, AnnotationType, Owner, Place
from resolvers.stores.engine import Store
from subgraphs.annotations.inputs import annotation_filter, of_this_city, read_element
from subgraphs.arguments import given
from subgraphs.connections import Connection, Cursors, Listing, window
from subgraphs.context import SliceContext
from subgraphs.directives import PersonalData, semantic
from subgraphs.node import Node
from subgraphs.scalars import Timestamp

Info: TypeAlias = strawberry.Info[SliceContext, None]
Loader = TypeVar("Loader")

strawberry.enum(AnnotationOrder)

VISIBLE = any_of(Scope.COLLABORATION_READ, Scope.COLLABORATION_WRITE)
"""Who may write annotations sees those that it wrote."""

LOADERS = "annotations."
"""What the names of this slice's loaders begin with."""

EveryTag: TypeAlias = Annotated[list[str] | None, strawberry.argument(description="Those that carry every one of these tags.")]
AnyType: TypeAlias = Annotated[list[AnnotationType] | None, strawberry.argument(description="Those of any of these types.")]


def _field(*directives: object) -> Any:
    return strawberry.federation.field(directives=directives)


def _principal() -> Any:
    return _field(semantic("iam:principal"), PersonalData(pseudonymous=True))


def _text() -> Any:
    return _field(semantic("collab:text"), PersonalData())


def _mentioned_users() -> Any:
    return _field(semantic("collab:mentions"), PersonalData(pseudonymous=True))


def _model(root: "Annotation | CollaborationNote | Mention") -> "Model":
    return Model(id=root.model_id)


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Annotation(Node):
    id: strawberry.ID = _field(semantic("collab:annotationId"))
    uuid: UUID
    model_id: strawberry.ID = _field(semantic("model:modelId"))
    model: "Model | None" = strawberry.field(resolver=_model)
    element_id: str = _field(semantic("model:elementId"))
    type: AnnotationType = _field(semantic("collab:type"))
    text: str = _text()
    tags: list[str] = _field(semantic("collab:tags"), PersonalData())
    mention_user_ids: list[UUID] = _mentioned_users()
    author_id: str = _principal()
    created_at: Timestamp = _field(semantic("time:createdAt"))
    updated_at: Timestamp = _field(semantic("time:updatedAt"))
    resolved: bool = _field(semantic("collab:resolved"))
    version: int = _field(semantic("collab:version"))

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Annotation | None":
        return await load_annotation(info.context, of_this_city(id, "annotation", info.context.home_city))


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class CollaborationNote(Node):
    id: strawberry.ID = _field(semantic("collab:noteId"))
    uuid: UUID
    model_id: strawberry.ID = _field(semantic("model:modelId"))
    model: "Model | None" = strawberry.field(resolver=_model)
    text: str = _text()
    mention_user_ids: list[UUID] = _mentioned_users()
    related_element_ids: list[str] = strawberry.federation.field(
        directives=[semantic("model:elementId")],
        description="Each was in the model when it was named here; it may be gone since.",
    )
    author_id: str = _principal()
    created_at: Timestamp = _field(semantic("time:createdAt"))
    updated_at: Timestamp = _field(semantic("time:updatedAt"))
    version: int = _field(semantic("collab:version"))

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "CollaborationNote | None":
        return await load_note(info.context, of_this_city(id, "note", info.context.home_city))


async def _mentioned_in_annotation(root: "Mention", info: Info) -> Annotation | None:
    return await load_annotation(info.context, root.record.annotation)


async def _mentioned_in_note(root: "Mention", info: Info) -> CollaborationNote | None:
    return await load_note(info.context, root.record.note)


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE, description="Visible to the mentioned user alone.")
class Mention(Node):
    record: strawberry.Private[records.Mention]

    id: strawberry.ID
    by: str = strawberry.federation.field(
        directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)],
        description="Whose change it was that added the mention.",
    )
    at: Timestamp
    model_id: strawberry.ID = _field(semantic("model:modelId"))
    model: "Model | None" = strawberry.field(resolver=_model)
    annotation: Annotation | None = strawberry.field(resolver=_mentioned_in_annotation)
    note: CollaborationNote | None = strawberry.field(resolver=_mentioned_in_note)
    cursor: str | None = strawberry.field(
        default=None, description="Of a mention that `mentioned` tells: goes into `mentioned(after:)`. Null elsewhere."
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Mention | None":
        return await _load_mention(info.context, of_this_city(id, "mention", info.context.home_city))


@strawberry.federation.type(requires_scopes=VISIBLE)
class AnnotationEdge:
    cursor: str
    node: Annotation


def _annotation_edges(root: "AnnotationConnection") -> list[AnnotationEdge]:
    listing = root.listing
    return [AnnotationEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _annotation_nodes(root: "AnnotationConnection") -> list[Annotation]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class AnnotationConnection(Connection):
    edges: list[AnnotationEdge] = strawberry.field(resolver=_annotation_edges)
    nodes: list[Annotation] = strawberry.field(resolver=_annotation_nodes)


@strawberry.federation.type(requires_scopes=VISIBLE)
class CollaborationNoteEdge:
    cursor: str
    node: CollaborationNote


def _note_edges(root: "CollaborationNoteConnection") -> list[CollaborationNoteEdge]:
    listing = root.listing
    return [CollaborationNoteEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _note_nodes(root: "CollaborationNoteConnection") -> list[CollaborationNote]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class CollaborationNoteConnection(Connection):
    edges: list[CollaborationNoteEdge] = strawberry.field(resolver=_note_edges)
    nodes: list[CollaborationNote] = strawberry.field(resolver=_note_nodes)


@strawberry.federation.type(requires_scopes=VISIBLE)
class MentionEdge:
    cursor: str
    node: Mention


def _mention_edges(root: "MentionConnection") -> list[MentionEdge]:
    listing = root.listing
    return [MentionEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _mention_nodes(root: "MentionConnection") -> list[Mention]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class MentionConnection(Connection):
    edges: list[MentionEdge] = strawberry.field(resolver=_mention_edges)
    nodes: list[Mention] = strawberry.field(resolver=_mention_nodes)


async def _annotations_of_model(
    root: "Model",
    info: Info,
    element_id: str | None = UNSET,
    type: AnyType = UNSET,
    tags: EveryTag = UNSET,
    resolved: bool | None = UNSET,
    order_by: AnnotationOrder = AnnotationOrder.CREATED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> AnnotationConnection | None:
    element = given(element_id)
    place = Place(root.uuid(info), None if element is None else read_element("elementId", element))
    wanted = annotation_filter(given(type), given(tags), given(resolved))
    cursors = Cursors.under("Model.annotations", order_by, queries.POSITION, (place, wanted))
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    return await _annotations(info.context, place, wanted, order_by, cursors, asked)


async def _notes_of_model(
    root: "Model",
    info: Info,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> CollaborationNoteConnection | None:
    context, model = info.context, root.uuid(info)
    cursors = Cursors.under("Model.notes", queries.NOTE_ORDER, queries.POSITION, model)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    pages = _loader(context, f"note_pages:{asked}", lambda store, owner: loaders.NotePageLoader(store, owner, asked))
    counts = _loader(context, "note_counts", loaders.NoteCountLoader)
    page = await pages.load(model)
    show = partial(note, context.home_city)
    return CollaborationNoteConnection(listing=Listing(page, cursors, queries.created_position, show, lambda: counts.load(model)))


@strawberry.federation.type(keys=["id"])
class Model:
    id: strawberry.ID
    annotations: AnnotationConnection | None = strawberry.federation.field(resolver=_annotations_of_model, requires_scopes=VISIBLE)
    notes: CollaborationNoteConnection | None = strawberry.federation.field(
        resolver=_notes_of_model, requires_scopes=VISIBLE, description="Newest first."
    )

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Model | None":
        """Nothing is known here of another city's models."""
        return None if of_this_city(id, "model", info.context.home_city) is None else cls(id=id)

    def uuid(self, info: Info) -> UUID:
        return GlobalId.parse(self.id, kind="model", home_city=info.context.home_city).uuid


async def _annotations_of_element(
    root: "ModelElement",
    info: Info,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> AnnotationConnection | None:
    model = GlobalId.parse(root.model_id, kind="model", home_city=info.context.home_city)
    place, order, every = Place(model.uuid, root.element_id), AnnotationOrder.CREATED_AT_DESC, AnnotationFilter()
    cursors = Cursors.under("ModelElement.annotations", order, queries.POSITION, place)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    return await _annotations(info.context, place, every, order, cursors, asked)


@strawberry.federation.type(keys=["modelId elementId"])
class ModelElement:
    model_id: strawberry.ID
    element_id: str
    annotations: AnnotationConnection | None = strawberry.federation.field(
        resolver=_annotations_of_element, requires_scopes=VISIBLE, description="Newest first."
    )

    @classmethod
    def resolve_reference(cls, info: Info, modelId: strawberry.ID, elementId: str) -> "ModelElement | None":  # noqa: N803
        """Its arguments are named as the key's fields are in a representation. Nothing is known here of another city's models."""
        known = of_this_city(modelId, "model", info.context.home_city)
        return None if known is None else cls(model_id=modelId, element_id=elementId)


def annotation(city: str, record: records.Annotation) -> Annotation:
    return Annotation(
        id=_id(city, "annotation", record.uuid),
        uuid=record.uuid,
        model_id=_id(city, "model", record.model),
        element_id=record.element,
        type=record.type,
        text=record.text,
        tags=list(record.tags),
        mention_user_ids=list(record.mentioned),
        author_id=record.author,
        created_at=Timestamp(record.created_at),
        updated_at=Timestamp(record.updated_at),
        resolved=record.resolved,
        version=record.version,
    )


def note(city: str, record: records.Note) -> CollaborationNote:
    return CollaborationNote(
        id=_id(city, "note", record.uuid),
        uuid=record.uuid,
        model_id=_id(city, "model", record.model),
        text=record.text,
        mention_user_ids=list(record.mentioned),
        related_element_ids=list(record.related_elements),
        author_id=record.author,
        created_at=Timestamp(record.created_at),
        updated_at=Timestamp(record.updated_at),
        version=record.version,
    )


def mention(city: str, record: records.Mention, cursor: str | None = None) -> Mention:
    return Mention(
        record=record,
        id=_id(city, "mention", record.uuid),
        by=record.by,
        at=Timestamp(record.at),
        model_id=_id(city, "model", record.model),
        cursor=cursor,
    )


def _id(city: str, kind: str, uuid: UUID) -> strawberry.ID:
    return strawberry.ID(str(GlobalId(city, kind, uuid)))


async def load_annotation(context: SliceContext, uuid: UUID | None) -> Annotation | None:
    found = None if uuid is None else await _loader(context, "by_uuid", loaders.AnnotationLoader).load(uuid)
    return None if found is None else annotation(context.home_city, found)


async def load_note(context: SliceContext, uuid: UUID | None) -> CollaborationNote | None:
    found = None if uuid is None else await _loader(context, "notes_by_uuid", loaders.NoteLoader).load(uuid)
    return None if found is None else note(context.home_city, found)


async def _load_mention(context: SliceContext, uuid: UUID | None) -> Mention | None:
    user = caller(context)
    if uuid is None or user is None:
        return None
    found = await _loader(context, "mentions_by_uuid", lambda store, owner: loaders.MentionLoader(store, owner, user)).load(uuid)
    return None if found is None else mention(context.home_city, found)


async def _annotations(
    context: SliceContext, place: Place, wanted: AnnotationFilter, order: AnnotationOrder, cursors: Cursors, asked: Any
) -> AnnotationConnection:
    name = f"{'model' if place.element is None else 'element'}:{wanted}"
    pages = _loader(
        context, f"pages:{name}:{order}:{asked}", lambda store, owner: loaders.AnnotationPageLoader(store, owner, wanted, order, asked)
    )
    counts = _loader(context, f"counts:{name}", lambda store, owner: loaders.AnnotationCountLoader(store, owner, wanted))
    page = await pages.load(place)
    show = partial(annotation, context.home_city)
    return AnnotationConnection(listing=Listing(page, cursors, queries.created_position, show, lambda: counts.load(place)))


def _loader(context: SliceContext, name: str, make: Callable[[Store, Owner], Loader]) -> Loader:
    return context.loader(LOADERS + name, lambda: make(context.store, owner_of(context)))


def owner_of(context: SliceContext) -> Owner:
    return Owner(context.tenant, context.home_city)


def caller(context: SliceContext) -> UUID | None:
    """The caller as a user that can be mentioned; None where its subject is no UUID: then nobody can have mentioned it."""
    try:
        return parse_uuid(context.subject)
    except BadUserInput:
        return None
