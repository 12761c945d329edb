"""The two tables of models and the SQL over them; every statement holds the tenant's condition.

`model` holds the newest state with its whole content, `model_version` every version: the patch that led to it, and now and then
the whole content, from which the versions after it are rebuilt. Contents and patches are compressed JSON text (`content.py`): they
keep the order of members, which `jsonb` does not, and no driver takes them apart on the event loop.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.models.records import ModelFilter, ModelKey, ModelOrder
from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, metadata
from resolvers.stores.paging import SortKey, Window, window_of
from resolvers.stores.rows import json_rows

model = sa.Table(
    "model",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("city", code_point_text(), nullable=False),
    sa.Column("name", code_point_text(), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("folded_name", sa.Text, nullable=False),
    sa.Column("folded_description", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("base", sa.Integer, nullable=False),
    sa.Column("patched", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
    # Last, so that SQLite need not read through it to reach another column.
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("ix_model_name", "tenant", "name", "city", "uuid"),
    sa.Index("ix_model_created_at", "tenant", "created_at", "city", "uuid"),
    sa.Index("ix_model_updated_at", "tenant", "updated_at", "city", "uuid"),
)
_c = model.c

version_table = sa.Table(
    "model_version",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("model", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("uuid", sa.Uuid, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("base", sa.Integer, nullable=False),
    sa.Column("patch_size", sa.Integer),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("touched", sa.LargeBinary, nullable=False),
    sa.Column("patch", sa.LargeBinary),
    sa.Column("content", sa.LargeBinary),
    sa.ForeignKeyConstraint(["tenant", "model"], ["model.tenant", "model.uuid"]),
    sa.UniqueConstraint("tenant", "uuid"),
)
_v = version_table.c

RECORD = (
    _c.city,
    _c.uuid,
    _c.name,
    _c.description,
    _c.type,
    _c.format,
    _c.version,
    _c.etag,
    _c.size,
    _c.base,
    _c.patched,
    _c.created_at,
    _c.created_by,
    _c.updated_at,
    _c.updated_by,
)
"""The columns of `records.Model`, in its order."""

VERSION = (
    _c.city,
    _v.model,
    _v.uuid,
    _v.version,
    _v.etag,
    _v.size,
    _v.base,
    _v.patch_size,
    _v.created_at,
    _v.created_by,
)
"""The columns of `records.ModelVersion`, in its order; they need `model` and `model_version` joined."""

_SORTED_BY: dict[ModelOrder, ColumnElement[Any]] = {
    ModelOrder.NAME_ASC: _c.name,
    ModelOrder.NAME_DESC: _c.name,
    ModelOrder.CREATED_AT_ASC: _c.created_at,
    ModelOrder.CREATED_AT_DESC: _c.created_at,
    ModelOrder.UPDATED_AT_ASC: _c.updated_at,
    ModelOrder.UPDATED_AT_DESC: _c.updated_at,
}


def page(tenant: str, wanted: ModelFilter, order: ModelOrder, window: Window) -> sa.Select[Any]:
    descending = order.endswith("_DESC")
    # What identifies a row goes in the order's own direction, so that one index serves both.
    keys = [SortKey(column, descending) for column in (_SORTED_BY[order], _c.city, _c.uuid)]
    return window_of(sa.select(*RECORD).where(*_conditions(tenant, wanted)), keys, window)


def count(tenant: str, wanted: ModelFilter) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(model).where(*_conditions(tenant, wanted))


def _conditions(tenant: str, wanted: ModelFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_c.tenant == tenant]
    if wanted.cities is not None:
        conditions.append(_c.city.in_(wanted.cities))
    if wanted.type is not None:
        conditions.append(_c.type == wanted.type.value)
    if wanted.search is not None:
        texts = (_c.folded_name, _c.folded_description)
        conditions.append(sa.or_(*[text.contains(wanted.search, autoescape=True) for text in texts]))
    return conditions


def by_keys(tenant: str) -> sa.Select[Any]:
    """The records of the rows (city, uuid) in the parameter `keys`."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(_c.tenant == tenant, _c.uuid == keys.c.uuid, _c.city == keys.c.city)
    return sa.select(*RECORD).select_from(look_up(keys, model, same))


def one(tenant: str, key: ModelKey) -> sa.Select[Any]:
    """One record with its content."""
    city, uuid = key
    return sa.select(*RECORD, _c.content).where(_c.tenant == tenant, _c.uuid == uuid, _c.city == city)


def lock(tenant: str, key: ModelKey) -> sa.Select[Any]:
    """One record, which nobody else changes until the transaction ends. Who only wants it to stay there is not held up."""
    city, uuid = key
    found = sa.select(*RECORD).where(_c.tenant == tenant, _c.uuid == uuid, _c.city == city)
    return found.with_for_update(key_share=True)


def existing(tenant: str, city: str, *, held: bool) -> sa.Select[Any]:
    """Those UUIDs in the parameter `uuids` that are models; `held`: none of them is deleted before the transaction ends."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    same = sa.and_(_c.tenant == tenant, _c.uuid == asked.c.uuid, _c.city == city)
    found = sa.select(_c.uuid).select_from(look_up(asked, model, same))
    return found.with_for_update(read=True, key_share=True, of=model) if held else found


def content_of(tenant: str, city: str, uuid: UUID) -> sa.Select[Any]:
    return sa.select(_c.content).where(_c.tenant == tenant, _c.uuid == uuid, _c.city == city)


def versions(tenant: str) -> sa.Select[Any]:
    """Of each row (n, model, low, high) in the parameter `ranges`: `n`, and the versions from `low` to `high`, newest first."""
    asked = json_rows("asked", "ranges", n=sa.Integer, model=sa.Uuid, low=sa.Integer, high=sa.Integer)
    a = asked.c
    within = sa.and_(_v.tenant == tenant, _v.model == a.model, _v.version.between(a.low, a.high))
    joined = look_up(look_up(asked, version_table, within), model, _of_version())
    return sa.select(*VERSION, a.n).select_from(joined).order_by(a.n, _v.version.desc())


def versions_by_uuid(tenant: str) -> sa.Select[Any]:
    """The versions whose own UUIDs are in the parameter `keys` (city, uuid)."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(_v.tenant == tenant, _v.uuid == keys.c.uuid)
    joined = look_up(look_up(keys, version_table, same), model, sa.and_(_of_version(), _c.city == keys.c.city))
    return sa.select(*VERSION).select_from(joined)


def _of_version() -> ColumnElement[bool]:
    return sa.and_(_c.tenant == _v.tenant, _c.uuid == _v.model)


def contents(tenant: str) -> sa.Select[Any]:
    """Of each row (n, model, low, high, newest) in the parameter `ranges`: what rebuilds its versions up to `high`, oldest first.

    Where `newest` is 1 and `high` still is the model's version, that is one row with the whole content. Else `low` is the version that
    is kept whole, and the rows from there on follow with their patches.
    """
    asked = json_rows("asked", "ranges", n=sa.Integer, model=sa.Uuid, low=sa.Integer, high=sa.Integer, newest=sa.Integer)
    a = asked.c
    current = sa.and_(_c.tenant == tenant, _c.uuid == a.model, _c.version == a.high, a.newest == 1)
    whole = sa.select(a.n, _c.version, _c.content, sa.cast(sa.null(), sa.LargeBinary).label("patch")).select_from(
        look_up(asked, model, current)
    )
    is_whole = sa.exists().where(current).correlate(asked)
    within = sa.and_(_v.tenant == tenant, _v.model == a.model, _v.version.between(a.low, a.high))
    kept = sa.case((_v.version == a.low, _v.content))
    rebuilt = (
        sa.select(a.n, _v.version, kept.label("content"), _v.patch).select_from(look_up(asked, version_table, within)).where(~is_whole)
    )
    rows = sa.union_all(whole, rebuilt).subquery("rows")
    return sa.select(rows.c.n, rows.c.version, rows.c.content, rows.c.patch).order_by(rows.c.n, rows.c.version)


def patches(tenant: str) -> sa.Select[Any]:
    """The patches of the rows (model, version) in the parameter `keys`."""
    keys = json_rows("keys", "keys", model=sa.Uuid, version=sa.Integer)
    same = sa.and_(_v.tenant == tenant, _v.model == keys.c.model, _v.version == keys.c.version)
    return sa.select(_v.model, _v.version, _v.patch).select_from(look_up(keys, version_table, same))


def touched_since(tenant: str, uuid: UUID, version: int) -> sa.Select[Any]:
    """What each version after that one has changed."""
    return sa.select(_v.touched).where(_v.tenant == tenant, _v.model == uuid, _v.version > version).order_by(_v.version)


def untouched_since(before: int, limit: int) -> sa.Select[Any]:
    """Tenant, city and UUID of models of every tenant that nobody has changed since that time; nor will, in this transaction."""
    oldest = sa.select(_c.tenant, _c.city, _c.uuid).where(_c.updated_at < before)
    return oldest.order_by(_c.updated_at, _c.uuid).limit(limit).with_for_update()
