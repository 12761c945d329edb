"""The tables of annotations, notes and mentions, and their SQL; every statement holds the owner's conditions.

Whom a contribution mentions stands twice: in its own row, in the order given, and as one row of `mention` for each user, by which
that user finds it. Both are written in one transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from resolvers.annotations.records import AnnotationFilter, AnnotationOrder, Owner
from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, json_document, metadata
from resolvers.stores.paging import SortKey, Window, between, ordering, window_of
from resolvers.stores.rows import json_rows

annotation = sa.Table(
    "annotation",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("model", sa.Uuid, nullable=False),
    sa.Column("element", code_point_text(), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("tags", json_document(), nullable=False),
    sa.Column("mentioned", json_document(), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("resolved", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_annotation_model", "tenant", "city", "model", "created_at", "uuid"),
    sa.Index("ix_annotation_element", "tenant", "city", "model", "element", "created_at", "uuid"),
    sa.Index("ix_annotation_updated_at", "updated_at"),
)

note = sa.Table(
    "note",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("model", sa.Uuid, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("mentioned", json_document(), nullable=False),
    sa.Column("related_elements", json_document(), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_note_model", "tenant", "city", "model", "created_at", "uuid"),
    sa.Index("ix_note_updated_at", "updated_at"),
)

mention = sa.Table(
    "mention",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("model", sa.Uuid, nullable=False),
    sa.Column("annotation", sa.Uuid),
    sa.Column("note", sa.Uuid),
    sa.Column("mentioned", sa.Uuid, nullable=False),
    sa.Column("mentioned_by", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    # Mentions go with what they stand in. Of the two columns one is NULL, and its constraints are then not looked at.
    sa.ForeignKeyConstraint(
        ["tenant", "city", "annotation"],
        ["annotation.tenant", "annotation.city", "annotation.uuid"],
        name="fk_mention_annotation",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["tenant", "city", "note"], ["note.tenant", "note.city", "note.uuid"], name="fk_mention_note", ondelete="CASCADE"
    ),
    sa.UniqueConstraint("tenant", "city", "annotation", "mentioned", name="uq_mention_annotation"),
    sa.UniqueConstraint("tenant", "city", "note", "mentioned", name="uq_mention_note"),
    sa.CheckConstraint("(annotation IS NULL) <> (note IS NULL)", name="one_place"),
    sa.Index("ix_mention_mentioned", "tenant", "city", "mentioned", "at", "uuid"),
)
_m = mention.c

_KEYS = ("tenant", "city")

NEWEST_MENTION = (SortKey(_m.at, descending=True), SortKey(_m.uuid, descending=True))


def _created(c: ReadOnlyColumnCollection[str, Any], order: AnnotationOrder) -> tuple[SortKey, ...]:
    """The tie-break runs in the order's own direction, so that one index can be walked either way."""
    descending = order is AnnotationOrder.CREATED_AT_DESC
    return SortKey(c.created_at, descending), SortKey(c.uuid, descending)


def owned(table: sa.FromClause, owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return table.c.tenant == owner.tenant, table.c.city == owner.city


def columns(table: sa.Table) -> Iterable[sa.Column[Any]]:
    """The columns of the table's record, in its order."""
    return (column for column in table.c if column.name not in _KEYS)


def filtered(dialect: str, wanted: AnnotationFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.types is not None:
        conditions.append(annotation.c.type.in_([kind.value for kind in wanted.types]))
    if wanted.resolved is not None:
        conditions.append(annotation.c.resolved == wanted.resolved)
    if wanted.tags:
        conditions.append(_carries(dialect, wanted.tags))
    return conditions


def _carries(dialect: str, tags: Sequence[str]) -> ColumnElement[bool]:
    """That the annotation has every one of these tags."""
    if dialect == "postgresql":
        return annotation.c.tags.op("@>", is_comparison=True)(sa.literal(list(tags), JSONB()))
    asked = sa.func.json_each(sa.literal(list(tags), sa.JSON())).table_valued("value", name="asked_tags")
    own = sa.func.json_each(annotation.c.tags).table_valued("value", name="own_tags")
    missing = sa.select(asked.c.value).where(asked.c.value.not_in(sa.select(own.c.value)))
    return ~missing.exists()


def by_keys(table: sa.Table, owner: Owner) -> sa.Select[Any]:
    """The records of the UUIDs in the parameter `keys`."""
    keys = json_rows("keys", "keys", uuid=sa.Uuid)
    return sa.select(*columns(table)).select_from(look_up(keys, table, table.c.uuid == keys.c.uuid)).where(*owned(table, owner))


def page_of_each(
    dialect: str,
    table: sa.Table,
    owner: Owner,
    conditions: Sequence[ColumnElement[bool]],
    order: AnnotationOrder,
    window: Window,
    *,
    by_element: bool,
) -> sa.Select[Any]:
    """Of each place in the parameter `places` (n, model, element): the records of the window and one more, and `n`.

    Each place walks the index as far as its page goes: to rank all that hangs there would cost seconds where that is much.
    """
    places, hangs_on = _places(table, by_element=by_element)
    keys = _created(table.c, order)
    within = sa.and_(*owned(table, owner), hangs_on, *conditions, *between(keys, window))
    walk, most = ordering(keys, backward=window.backward), window.limit + 1
    if dialect == "postgresql":
        found = sa.select(*columns(table)).where(within).order_by(*walk).limit(most).correlate(places).lateral("found")
        shown, joined = found.c, places.join(found, sa.true())
    else:
        # SQLite has no LATERAL; a list that is worked out anew for each row of what comes first does the same.
        one_page = sa.select(table.c.uuid).where(within).order_by(*walk).limit(most).correlate(places)
        alias = table.alias("found")
        shown, joined = alias.c, look_up(places, alias, sa.and_(*owned(alias, owner), alias.c.uuid.in_(one_page)))
    again = ordering(_created(shown, order), backward=window.backward)
    return sa.select(*(shown[column.name] for column in columns(table)), places.c.n).select_from(joined).order_by(places.c.n, *again)


def count_of_each(table: sa.Table, owner: Owner, conditions: Sequence[ColumnElement[bool]], *, by_element: bool) -> sa.Select[Any]:
    """Of each place in the parameter `places` that has any: `n` and their `number`."""
    places, hangs_on = _places(table, by_element=by_element)
    return (
        sa.select(places.c.n, sa.func.count().label("number"))
        .select_from(look_up(places, table, hangs_on))
        .where(*owned(table, owner), *conditions)
        .group_by(places.c.n)
    )


def _places(table: sa.Table, *, by_element: bool) -> tuple[sa.CTE, ColumnElement[bool]]:
    places = json_rows("places", "places", n=sa.Integer, model=sa.Uuid, element=sa.Text)
    hangs_on = table.c.model == places.c.model
    return places, sa.and_(hangs_on, table.c.element == places.c.element) if by_element else hangs_on


def mentions_page(owner: Owner, user: UUID, window: Window) -> sa.Select[Any]:
    return window_of(sa.select(*columns(mention)).where(*owned(mention, owner), _m.mentioned == user), NEWEST_MENTION, window)


def mentions_count(owner: Owner, user: UUID) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(mention).where(*owned(mention, owner), _m.mentioned == user)


def locked(table: sa.Table, owner: Owner, uuid: UUID) -> sa.Select[Any]:
    """One record, held until the transaction ends; SQLite, which has one writer, needs no lock and is sent none."""
    return sa.select(*columns(table)).where(*owned(table, owner), table.c.uuid == uuid).with_for_update()
