"""What a circular value chain model and its versions are. No SQL, no GraphQL.

A record holds no content: that may be megabytes, and is read by `ContentKey` where it is asked for.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from unicodedata import normalize
from uuid import UUID

# None, bool, int, float, str, and lists and string-keyed dictionaries of these; the type checker cannot hold a recursive
# alias against what a JSON reader returns.
JSONValue: TypeAlias = Any

ModelKey: TypeAlias = tuple[str, UUID]
"""City and UUID: what an identifier says, the tenant being the caller's."""

MAX_NAME = 200
MAX_DESCRIPTION = 10_000
MAX_ELEMENT_ID = 500


class ModelType(StrEnum):
    CVCM = "CVCM"


class ModelFormat(StrEnum):
    CVCM_JSON = "CVCM_JSON"


class ModelOrder(StrEnum):
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    CREATED_AT_ASC = "CREATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"


@dataclass(frozen=True, slots=True)
class ContentKey:
    """One version's content. It is rebuilt from the version `base`, which is kept whole, and the patches after it.

    `size` is its length as JSON. `newest` says that it was the current one when that was read, which is kept whole too.
    """

    model: UUID
    version: int
    base: int
    size: int
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """The newest version's state. `base` is the newest version that is kept whole; times are epoch milliseconds."""

    city: str
    uuid: UUID
    name: str
    description: str | None
    type: ModelType
    format: ModelFormat
    version: int
    etag: str
    size: int
    base: int
    patched: int
    """Characters of the patches since `base`."""
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str

    @property
    def key(self) -> ModelKey:
        return self.city, self.uuid

    @property
    def content(self) -> ContentKey:
        return ContentKey(self.uuid, self.version, self.base, self.size, newest=True)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model. `patch_size` is the length, as JSON, of the patch that led to it; None for the first."""

    city: str
    model: UUID
    uuid: UUID
    version: int
    etag: str
    size: int
    base: int
    patch_size: int | None
    created_at: int
    created_by: str

    @property
    def content(self) -> ContentKey:
        return ContentKey(self.model, self.version, self.base, self.size)


@dataclass(frozen=True, slots=True)
class ModelDraft:
    """What a caller says of a new model."""

    name: str
    content: JSONValue
    description: str | None = None
    type: ModelType = ModelType.CVCM
    format: ModelFormat = ModelFormat.CVCM_JSON


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """All conditions hold together; None is no condition. `search` is folded by `fold`."""

    cities: tuple[str, ...] | None = None
    type: ModelType | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """An object inside a model's content; `path` is its RFC 6901 pointer."""

    path: str
    value: JSONValue


def fold(text: str) -> str:
    """Two texts that differ only in case, or in how an accent is encoded, fold to the same one."""
    return normalize("NFC", normalize("NFC", text).casefold())


def etag_of(version: int, uuid: UUID) -> str:
    """The strong entity tag of a version (RFC 9110, section 8.8.3).

    It holds digits of the version's own UUID, so that a number that is given out anew after a restored backup has another tag.
    """
    return f'"{version}-{uuid.hex[:16]}"'
