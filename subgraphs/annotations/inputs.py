"""What a client may send about annotations and notes, and its reading into records; a value that cannot be is BAD_USER_INPUT."""

from collections.abc import Hashable, Sequence
from typing import TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput, NotFound
from resolvers.annotations.records import (
    MAX_ELEMENT,
    MAX_ELEMENTS,
    MAX_MENTIONS,
    MAX_TAG,
    MAX_TAGS,
    MAX_TEXT,
    AnnotationChanges,
    AnnotationDraft,
    AnnotationFilter,
    AnnotationType,
    NoteChanges,
    NoteDraft,
)
from resolvers.stores.json_bounds import check_text
from subgraphs.arguments import given

Value = TypeVar("Value")
Item = TypeVar("Item", bound=Hashable)

strawberry.enum(AnnotationType)

MAX_TYPES = 1_000


@strawberry.input
class CreateAnnotationInput:
    model_id: strawberry.ID
    element_id: str
    type: AnnotationType
    text: str
    tags: list[str] | None = UNSET
    mention_user_ids: list[UUID] | None = UNSET


@strawberry.input
class UpdateAnnotationInput:
    id: strawberry.ID
    if_version: int
    type: AnnotationType | None = UNSET
    text: str | None = UNSET
    tags: list[str] | None = UNSET
    mention_user_ids: list[UUID] | None = UNSET
    resolved: bool | None = UNSET


@strawberry.input
class DeleteAnnotationInput:
    id: strawberry.ID
    if_version: int


@strawberry.input
class CreateNoteInput:
    model_id: strawberry.ID
    text: str
    mention_user_ids: list[UUID] | None = UNSET
    related_element_ids: list[str] | None = UNSET


@strawberry.input
class UpdateNoteInput:
    id: strawberry.ID
    if_version: int = strawberry.field(description="The version that the caller read.")
    text: str | None = UNSET
    mention_user_ids: list[UUID] | None = UNSET
    related_element_ids: list[str] | None = UNSET


@strawberry.input
class DeleteNoteInput:
    id: strawberry.ID
    if_version: int


def annotation_draft(sent: CreateAnnotationInput) -> AnnotationDraft:
    return AnnotationDraft(sent.type, _text(sent.text), _tags(given(sent.tags)), _users(given(sent.mention_user_ids)))


def note_draft(sent: CreateNoteInput) -> NoteDraft:
    return NoteDraft(_text(sent.text), _users(given(sent.mention_user_ids)), _elements(given(sent.related_element_ids)))


def annotation_changes(sent: UpdateAnnotationInput) -> AnnotationChanges:
    """What is absent stays; null empties a list and un-resolves, and is refused where something is needed."""
    changes: AnnotationChanges = {}
    if sent.type is not UNSET:
        changes["type"] = _needed("type", sent.type)
    if sent.text is not UNSET:
        changes["text"] = _text(_needed("text", sent.text))
    if sent.tags is not UNSET:
        changes["tags"] = _tags(sent.tags)
    if sent.mention_user_ids is not UNSET:
        changes["mentioned"] = _users(sent.mention_user_ids)
    if sent.resolved is not UNSET:
        changes["resolved"] = bool(sent.resolved)
    return changes


def note_changes(sent: UpdateNoteInput) -> NoteChanges:
    """What is absent stays; null empties a list, and is refused where something is needed."""
    changes: NoteChanges = {}
    if sent.text is not UNSET:
        changes["text"] = _text(_needed("text", sent.text))
    if sent.mention_user_ids is not UNSET:
        changes["mentioned"] = _users(sent.mention_user_ids)
    if sent.related_element_ids is not UNSET:
        changes["related_elements"] = _elements(sent.related_element_ids)
    return changes


def annotation_filter(types: Sequence[AnnotationType] | None, tags: Sequence[str] | None, resolved: bool | None) -> AnnotationFilter:
    """Sorted, so that lists that mean the same share their cursors and their loaders."""
    kinds = None if types is None else tuple(sorted(_distinct("type", types, MAX_TYPES)))
    return AnnotationFilter(kinds, tuple(sorted(_tags(tags))), resolved)


def read_element(name: str, element: str) -> str:
    check_text(name, element, MAX_ELEMENT, least=1)
    return element


def known_here(id: str, kind: str, home_city: str) -> UUID:
    """The UUID of what an identifier names; raises `NotFound` for another city's, of which nothing is known here."""
    uuid = of_this_city(id, kind, home_city)
    if uuid is None:
        raise NotFound(f"There is no {kind} {id!r} in this city")
    return uuid


def of_this_city(id: str, kind: str, home_city: str) -> UUID | None:
    """The UUID of what an identifier names; None for another city's."""
    parsed = GlobalId.parse(id, kind=kind, home_city=home_city)
    return parsed.uuid if parsed.city == home_city else None


def _needed(name: str, value: Value | None) -> Value:
    if value is None:
        raise BadUserInput(f"`{name}` is null and cannot be cleared: leave it out to keep what is there")
    return value


def _text(text: str) -> str:
    check_text("text", text, MAX_TEXT, least=1)
    return text


def _tags(tags: Sequence[str] | None) -> tuple[str, ...]:
    for tag in tags or ():
        check_text("tags", tag, MAX_TAG, least=1)
    return _distinct("tags", tags or (), MAX_TAGS)


def _users(users: Sequence[UUID] | None) -> tuple[UUID, ...]:
    return _distinct("mentionUserIds", users or (), MAX_MENTIONS)


def _elements(elements: Sequence[str] | None) -> tuple[str, ...]:
    return _distinct("relatedElementIds", [read_element("relatedElementIds", element) for element in elements or ()], MAX_ELEMENTS)


def _distinct(name: str, items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """Each once, in the order of its first."""
    distinct = tuple(dict.fromkeys(items))
    if len(distinct) > most:
        raise BadUserInput(f"`{name}` has {len(distinct):,} different items: expected at most {most:,}")
    return distinct
