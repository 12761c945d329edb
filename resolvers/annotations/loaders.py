"""Look-ups of annotations, notes and mentions, batched: all that a request asks at one time is one statement."""

from collections.abc import Sequence
from uuid import UUID

from aiodataloader import DataLoader

from resolvers.annotations import queries
from resolvers.annotations.records import Annotation, AnnotationFilter, AnnotationOrder, Mention, Note, Owner, Place
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Window

_MAX_BATCH = 10_000


class AnnotationLoader(DataLoader[UUID, Annotation | None]):
    """Annotations by UUID; None where nothing is visible to the owner."""

    def __init__(self, store: Store, owner: Owner) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner = store, owner

    async def batch_load_fn(self, keys: Sequence[UUID]) -> list[Annotation | None]:
        found = await queries.annotations_by_uuid(self._store, self._owner, keys)
        return [found.get(key) for key in keys]


class NoteLoader(DataLoader[UUID, Note | None]):
    """Notes by UUID; None where nothing is visible to the owner."""

    def __init__(self, store: Store, owner: Owner) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner = store, owner

    async def batch_load_fn(self, keys: Sequence[UUID]) -> list[Note | None]:
        found = await queries.notes_by_uuid(self._store, self._owner, keys)
        return [found.get(key) for key in keys]


class MentionLoader(DataLoader[UUID, Mention | None]):
    """A user's mentions by UUID; None where there is none of this user."""

    def __init__(self, store: Store, owner: Owner, user: UUID) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner, self._user = store, owner, user

    async def batch_load_fn(self, keys: Sequence[UUID]) -> list[Mention | None]:
        found = await queries.mentions_by_uuid(self._store, self._owner, self._user, keys)
        return [found.get(key) for key in keys]


class AnnotationPageLoader(DataLoader[Place, Page[Annotation]]):
    """The same page of the annotations of each model, or of each element."""

    def __init__(self, store: Store, owner: Owner, wanted: AnnotationFilter, order: AnnotationOrder, window: Window) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner = store, owner
        self._wanted, self._order, self._window = wanted, order, window

    async def batch_load_fn(self, keys: Sequence[Place]) -> list[Page[Annotation]]:
        return await queries.annotations_of_each(self._store, self._owner, keys, self._wanted, self._order, self._window)


class AnnotationCountLoader(DataLoader[Place, int]):
    """How many annotations each model, or each element, has."""

    def __init__(self, store: Store, owner: Owner, wanted: AnnotationFilter) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner, self._wanted = store, owner, wanted

    async def batch_load_fn(self, keys: Sequence[Place]) -> list[int]:
        return await queries.annotation_counts(self._store, self._owner, keys, self._wanted)


class NotePageLoader(DataLoader[UUID, Page[Note]]):
    """The same page of each model's notes."""

    def __init__(self, store: Store, owner: Owner, window: Window) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner, self._window = store, owner, window

    async def batch_load_fn(self, keys: Sequence[UUID]) -> list[Page[Note]]:
        return await queries.notes_of_each(self._store, self._owner, keys, self._window)


class NoteCountLoader(DataLoader[UUID, int]):
    """How many notes each model has."""

    def __init__(self, store: Store, owner: Owner) -> None:
        super().__init__(max_batch_size=_MAX_BATCH)
        self._store, self._owner = store, owner

    async def batch_load_fn(self, keys: Sequence[UUID]) -> list[int]:
        return await queries.note_counts(self._store, self._owner, keys)
