"""What the slice of annotations speaks of: annotations on elements of a model, notes on a model, and whom they mention.

No GraphQL, no SQL. An annotation or a note is called a contribution where both are meant.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypedDict
from uuid import UUID

MAX_TEXT = 10_000
MAX_TAGS = 50
MAX_TAG = 100
MAX_MENTIONS = 100
MAX_ELEMENTS = 100
MAX_ELEMENT = 500


class AnnotationType(StrEnum):
    COMMENT = "COMMENT"
    ISSUE = "ISSUE"
    DECISION = "DECISION"
    RISK = "RISK"


class AnnotationOrder(StrEnum):
    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"


class ChangeKind(StrEnum):
    """What an event says has happened to a contribution."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


class Owner(NamedTuple):
    """Whose rows are meant: a tenant's, in one city. A condition of every statement."""

    tenant: str
    city: str


@dataclass(frozen=True, slots=True)
class AnnotationDraft:
    """What a new annotation says; tags and mentioned users are distinct."""

    type: AnnotationType
    text: str
    tags: tuple[str, ...] = ()
    mentioned: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """What a new note says; mentioned users and related elements are distinct."""

    text: str
    mentioned: tuple[UUID, ...] = ()
    related_elements: tuple[str, ...] = ()


class AnnotationChanges(TypedDict, total=False):
    """The fields of an annotation that an update sets; those that are absent stay."""

    type: AnnotationType
    text: str
    tags: tuple[str, ...]
    mentioned: tuple[UUID, ...]
    resolved: bool


class NoteChanges(TypedDict, total=False):
    """The fields of a note that an update sets; those that are absent stay."""

    text: str
    mentioned: tuple[UUID, ...]
    related_elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One stored annotation. Times are epoch milliseconds; `author` is the subject of whoever created it."""

    uuid: UUID
    model: UUID
    element: str
    type: AnnotationType
    text: str
    tags: tuple[str, ...]
    mentioned: tuple[UUID, ...]
    author: str
    created_at: int
    updated_at: int
    resolved: bool
    version: int


@dataclass(frozen=True, slots=True)
class Note:
    """One stored collaboration note. An element that it relates to may be gone from the model since."""

    uuid: UUID
    model: UUID
    text: str
    mentioned: tuple[UUID, ...]
    related_elements: tuple[str, ...]
    author: str
    created_at: int
    updated_at: int
    version: int


@dataclass(frozen=True, slots=True)
class Mention:
    """That a user is mentioned, by whom and since when, in the one of `annotation` and `note` that is not None."""

    uuid: UUID
    model: UUID
    annotation: UUID | None
    note: UUID | None
    mentioned: UUID
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class AnnotationFilter:
    """All conditions hold together: one of `types`, every one of `tags`, and `resolved`; None means any."""

    types: tuple[AnnotationType, ...] | None = None
    tags: tuple[str, ...] = ()
    resolved: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What annotations hang on: a model, or one element of it."""

    model: UUID
    element: str | None = None
