"""What can be done to annotations and notes: create, change, delete. Each is one transaction, and tells its events.

Any editor of the tenant may change any of them; who created one stays its author. A mention is made for each user that a change
adds, and goes with the change that takes the user away; one that stays is left as it is.
"""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import Conflict, NotFound
from resolvers.annotations import store as sql
from resolvers.annotations.events import tell_changed, tell_mentioned
from resolvers.annotations.queries import Contribution, read_annotation, read_note
from resolvers.annotations.records import (
    Annotation,
    AnnotationChanges,
    AnnotationDraft,
    ChangeKind,
    Note,
    NoteChanges,
    NoteDraft,
    Owner,
)
from resolvers.stores.engine import Store


class ModelDirectory(Protocol):
    """Who knows which models there are, and what is in them: an annotation knows its model and its element by their keys alone."""

    async def existing(self, connection: AsyncConnection, tenant: str, models: Sequence[UUID]) -> set[UUID]:
        """Those of `models` that the tenant has; none of them is deleted before the transaction ends."""
        ...

    async def elements(self, connection: AsyncConnection, tenant: str, model: UUID, element_ids: Collection[str]) -> set[str]:
        """Those of `element_ids` that the model's current content has."""
        ...


async def create_annotation(
    store: Store,
    models: ModelDirectory,
    *,
    owner: Owner,
    author: str,
    model: UUID,
    element: str,
    draft: AnnotationDraft,
    now: int,
) -> Annotation:
    """Raises `NotFound` where the tenant has no such model, or the model no such element."""
    created = Annotation(
        uuid=uuid4(),
        model=model,
        element=element,
        type=draft.type,
        text=draft.text,
        tags=draft.tags,
        mentioned=draft.mentioned,
        author=author,
        created_at=now,
        updated_at=now,
        resolved=False,
        version=1,
    )
    async with store.write() as connection:
        await _check_model(connection, models, owner, model)
        await _check_elements(connection, models, owner, model, [element])
        return await _insert(connection, owner, created, author, now)


async def update_annotation(
    store: Store, *, owner: Owner, editor: str, uuid: UUID, if_version: int, changes: AnnotationChanges, now: int
) -> Annotation:
    """Raises `NotFound`, and `Conflict` with the current version. What changes nothing leaves the version as it is."""
    async with store.write() as connection:
        known = read_annotation(await _locked(connection, sql.annotation, owner, uuid, if_version))
        return await _update(connection, owner, known, replace(known, **changes), editor, now)


async def delete_annotation(store: Store, *, owner: Owner, uuid: UUID, if_version: int, now: int) -> None:
    """Raises `NotFound`, and `Conflict` with the current version."""
    async with store.write() as connection:
        known = read_annotation(await _locked(connection, sql.annotation, owner, uuid, if_version))
        await _delete(connection, owner, known, now)


async def create_note(store: Store, models: ModelDirectory, *, owner: Owner, author: str, model: UUID, draft: NoteDraft, now: int) -> Note:
    """Raises `NotFound` where the tenant has no such model, or the model lacks one of the related elements."""
    created = Note(
        uuid=uuid4(),
        model=model,
        text=draft.text,
        mentioned=draft.mentioned,
        related_elements=draft.related_elements,
        author=author,
        created_at=now,
        updated_at=now,
        version=1,
    )
    async with store.write() as connection:
        await _check_model(connection, models, owner, model)
        await _check_elements(connection, models, owner, model, draft.related_elements)
        return await _insert(connection, owner, created, author, now)


async def update_note(
    store: Store,
    models: ModelDirectory,
    *,
    owner: Owner,
    editor: str,
    uuid: UUID,
    if_version: int,
    changes: NoteChanges,
    now: int,
) -> Note:
    """Raises `NotFound`, and `Conflict` with the current version. What changes nothing leaves the version as it is.

    Only elements that the note did not name before must be in the model: it may outlive those that it names.
    """
    async with store.write() as connection:
        known = read_note(await _locked(connection, sql.note, owner, uuid, if_version))
        changed = replace(known, **changes)
        added = [element for element in changed.related_elements if element not in known.related_elements]
        # The model is there, as the note is. To hold it now would be to wait for a deletion that waits for the note.
        await _check_elements(connection, models, owner, known.model, added)
        return await _update(connection, owner, known, changed, editor, now)


async def delete_note(store: Store, *, owner: Owner, uuid: UUID, if_version: int, now: int) -> None:
    """Raises `NotFound`, and `Conflict` with the current version."""
    async with store.write() as connection:
        known = read_note(await _locked(connection, sql.note, owner, uuid, if_version))
        await _delete(connection, owner, known, now)


async def _check_model(connection: AsyncConnection, models: ModelDirectory, owner: Owner, model: UUID) -> None:
    if model not in await models.existing(connection, owner.tenant, [model]):
        raise NotFound(f"There is no model {owner.city}/model/{model}")


async def _check_elements(connection: AsyncConnection, models: ModelDirectory, owner: Owner, model: UUID, elements: Sequence[str]) -> None:
    if not elements:
        return
    known = await models.elements(connection, owner.tenant, model, elements)
    for element in elements:
        if element not in known:
            raise NotFound(f"There is no element {element!r} in the model {owner.city}/model/{model}")


async def _locked(connection: AsyncConnection, table: sa.Table, owner: Owner, uuid: UUID, if_version: int) -> Any:
    row = (await connection.execute(sql.locked(table, owner, uuid))).first()
    if row is None:
        raise NotFound(f"There is no {table.name} {owner.city}/{table.name}/{uuid}")
    if row.version != if_version:
        raise Conflict(
            f"The {table.name} is at version {row.version}, not {if_version}: read it again",
            extensions={"currentVersion": row.version},
        )
    return row


async def _insert(connection: AsyncConnection, owner: Owner, created: Contribution, author: str, now: int) -> Contribution:
    await connection.execute(sa.insert(_table(created)).values(**owner._asdict(), **_values(created)))
    await tell_changed(connection, owner, created, ChangeKind.CREATED, now)
    await _set_mentions(connection, owner, created, (), author, now)
    return created


async def _update(
    connection: AsyncConnection, owner: Owner, known: Contribution, changed: Contribution, editor: str, now: int
) -> Contribution:
    if changed == known:
        return known
    changed = replace(changed, updated_at=now, version=known.version + 1)
    table = _table(changed)
    await connection.execute(sa.update(table).where(*sql.owned(table, owner), table.c.uuid == known.uuid).values(_values(changed)))
    await tell_changed(connection, owner, changed, ChangeKind.UPDATED, now)
    await _set_mentions(connection, owner, changed, known.mentioned, editor, now)
    return changed


async def _delete(connection: AsyncConnection, owner: Owner, known: Annotation | Note, now: int) -> None:
    """Its mentions go with it, by their foreign key."""
    table = _table(known)
    await connection.execute(sa.delete(table).where(*sql.owned(table, owner), table.c.uuid == known.uuid))
    await tell_changed(connection, owner, known, ChangeKind.DELETED, now)


async def _set_mentions(
    connection: AsyncConnection, owner: Owner, contribution: Annotation | Note, before: Sequence[UUID], by: str, now: int
) -> None:
    """Makes the mentions of those who were not mentioned `before`, and deletes those of whom are no longer."""
    m, place = sql.mention.c, _table(contribution).name
    gone = set(before).difference(contribution.mentioned)
    if gone:
        of_gone = (m[place] == contribution.uuid, m.mentioned.in_(sorted(gone)))
        await connection.execute(sa.delete(sql.mention).where(*sql.owned(sql.mention, owner), *of_gone))
    # In one order everywhere: each event holds its channel until the end, and two who wait for one another would never end.
    new = {user: uuid4() for user in sorted(set(contribution.mentioned).difference(before))}
    if not new:
        return
    constant = {**owner._asdict(), "model": contribution.model, place: contribution.uuid, "mentioned_by": by, "at": now}
    rows = [{**constant, "uuid": uuid, "mentioned": user} for user, uuid in new.items()]
    await connection.execute(sa.insert(sql.mention), rows)
    for user, uuid in new.items():
        await tell_mentioned(connection, owner, user, uuid, now)


def _table(contribution: Annotation | Note) -> sa.Table:
    """Its name is also the contribution's kind in identifiers, and its column in `mention`."""
    return sql.annotation if isinstance(contribution, Annotation) else sql.note


def _values(contribution: Annotation | Note) -> dict[str, Any]:
    """The record as its row: lists as JSON, whose UUIDs are text."""
    found = {field.name: getattr(contribution, field.name) for field in fields(contribution)}
    return {name: [str(item) for item in value] if isinstance(value, tuple) else value for name, value in found.items()}
