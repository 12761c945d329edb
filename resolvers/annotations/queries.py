"""What can be asked of annotations, notes and mentions. Each question is one statement, however many things ask it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.annotations import store as sql
from resolvers.annotations.records import (
    Annotation,
    AnnotationFilter,
    AnnotationOrder,
    AnnotationType,
    Mention,
    Note,
    Owner,
    Place,
)
from resolvers.stores.engine import Store
from resolvers.stores.paging import Page, Position, Window, page_of
from resolvers.stores.rows import rows_parameter

Contribution = TypeVar("Contribution", Annotation, Note)

POSITION: tuple[type[str | int | float | UUID], ...] = (int, UUID)
"""The types of a position in any order here: a time, and what breaks ties."""

NOTE_ORDER = AnnotationOrder.CREATED_AT_DESC


def created_position(contribution: Annotation | Note) -> Position:
    return contribution.created_at, contribution.uuid


def mention_position(mention: Mention) -> Position:
    return mention.at, mention.uuid


async def annotations_by_uuid(store: Store, owner: Owner, uuids: Sequence[UUID]) -> dict[UUID, Annotation]:
    """What is not there, or another owner's, is left out."""
    return {row.uuid: read_annotation(row) for row in await _rows(store, sql.by_keys(sql.annotation, owner), uuids)}


async def notes_by_uuid(store: Store, owner: Owner, uuids: Sequence[UUID]) -> dict[UUID, Note]:
    """What is not there, or another owner's, is left out."""
    return {row.uuid: read_note(row) for row in await _rows(store, sql.by_keys(sql.note, owner), uuids)}


async def mentions_by_uuid(store: Store, owner: Owner, user: UUID, uuids: Sequence[UUID]) -> dict[UUID, Mention]:
    """Those that mention `user`: of others' mentions nobody is told."""
    statement = sql.by_keys(sql.mention, owner).where(sql.mention.c.mentioned == user)
    return {row.uuid: _read_mention(row) for row in await _rows(store, statement, uuids)}


async def _rows(store: Store, statement: sa.Select[Any], uuids: Sequence[UUID]) -> Sequence[Any]:
    async with store.read() as connection:
        rows: Sequence[Any] = (await connection.execute(statement, {"keys": rows_parameter([(uuid,) for uuid in uuids])})).all()
    return rows


async def annotations_of_each(
    store: Store, owner: Owner, places: Sequence[Place], wanted: AnnotationFilter, order: AnnotationOrder, window: Window
) -> list[Page[Annotation]]:
    """Of each place a page of its annotations. The places are all models, or all elements."""
    conditions = sql.filtered(store.dialect, wanted)
    return await _pages(store, sql.annotation, owner, places, conditions, order, window, read_annotation)


async def notes_of_each(store: Store, owner: Owner, models: Sequence[UUID], window: Window) -> list[Page[Note]]:
    """Of each model a page of its notes, newest first."""
    return await _pages(store, sql.note, owner, [Place(model) for model in models], [], NOTE_ORDER, window, read_note)


async def _pages(
    store: Store,
    table: sa.Table,
    owner: Owner,
    places: Sequence[Place],
    conditions: Sequence[ColumnElement[bool]],
    order: AnnotationOrder,
    window: Window,
    read: Callable[[Any], Contribution],
) -> list[Page[Contribution]]:
    statement = sql.page_of_each(store.dialect, table, owner, conditions, order, window, by_element=_by_element(places))
    found: list[list[Contribution]] = [[] for _ in places]
    async with store.read() as connection:
        for row in await connection.execute(statement, {"places": _numbered(places)}):
            found[row.n].append(read(row))
    return [page_of(contributions, window) for contributions in found]


async def annotation_counts(store: Store, owner: Owner, places: Sequence[Place], wanted: AnnotationFilter) -> list[int]:
    """How many annotations each place has. The places are all models, or all elements."""
    return await _counts(store, sql.annotation, owner, places, sql.filtered(store.dialect, wanted))


async def note_counts(store: Store, owner: Owner, models: Sequence[UUID]) -> list[int]:
    return await _counts(store, sql.note, owner, [Place(model) for model in models], [])


async def _counts(
    store: Store, table: sa.Table, owner: Owner, places: Sequence[Place], conditions: Sequence[ColumnElement[bool]]
) -> list[int]:
    statement = sql.count_of_each(table, owner, conditions, by_element=_by_element(places))
    async with store.read() as connection:
        rows = await connection.execute(statement, {"places": _numbered(places)})
        counts = {row.n: row.number for row in rows}
    return [counts.get(n, 0) for n in range(len(places))]


async def mentions_of(store: Store, owner: Owner, user: UUID, window: Window) -> Page[Mention]:
    """The mentions of a user, newest first."""
    async with store.read() as connection:
        rows = await connection.execute(sql.mentions_page(owner, user, window))
        return page_of([_read_mention(row) for row in rows], window)


async def count_mentions_of(store: Store, owner: Owner, user: UUID) -> int:
    async with store.read() as connection:
        return int((await connection.execute(sql.mentions_count(owner, user))).scalar_one())


def _by_element(places: Sequence[Place]) -> bool:
    return places[0].element is not None


def _numbered(places: Sequence[Place]) -> str:
    return rows_parameter([(n, place.model, place.element) for n, place in enumerate(places)])


def read_annotation(row: Any) -> Annotation:
    return Annotation(
        uuid=row.uuid,
        model=row.model,
        element=row.element,
        type=AnnotationType(row.type),
        text=row.text,
        tags=tuple(row.tags),
        mentioned=tuple(UUID(user) for user in row.mentioned),
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
        resolved=row.resolved,
        version=row.version,
    )


def read_note(row: Any) -> Note:
    return Note(
        uuid=row.uuid,
        model=row.model,
        text=row.text,
        mentioned=tuple(UUID(user) for user in row.mentioned),
        related_elements=tuple(row.related_elements),
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def _read_mention(row: Any) -> Mention:
    return Mention(row.uuid, row.model, row.annotation, row.note, row.mentioned, row.mentioned_by, row.at)
