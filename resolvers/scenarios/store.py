"""The table of scenarios and its SQL; every statement holds the tenant's condition."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from resolvers.scenarios.records import ScenarioFilter, ScenarioOrder
from resolvers.stores.joins import look_up
from resolvers.stores.metadata import code_point_text, metadata, optional_json
from resolvers.stores.paging import SortKey, Window, between, ordering, window_of
from resolvers.stores.rows import json_rows

scenario = sa.Table(
    "scenario",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("city", code_point_text(), primary_key=True),
    sa.Column("uuid", sa.Uuid, primary_key=True),
    sa.Column("entity", sa.Uuid, nullable=False),
    sa.Column("name", code_point_text(), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("parameters", optional_json()),
    sa.Column("start_ts", sa.BigInteger),
    sa.Column("end_ts", sa.BigInteger),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_scenario_created_at", "tenant", "created_at", "city", "uuid"),
    sa.Index("ix_scenario_name", "tenant", "name", "city", "uuid"),
    sa.Index("ix_scenario_entity", "tenant", "city", "entity", "created_at", "uuid"),
)
_c = scenario.c

RECORD = (
    _c.city,
    _c.uuid,
    _c.entity,
    _c.name,
    _c.description,
    _c.created_by,
    _c.created_at,
    _c.updated_at,
    _c.status,
    _c.parameters,
    _c.start_ts,
    _c.end_ts,
    _c.version,
)


def order_keys(order: ScenarioOrder) -> list[SortKey]:
    """Ends with what identifies a row, in the order's own direction, so that an index can be walked."""
    descending = order is ScenarioOrder.CREATED_AT_DESC
    first = _c.name if order is ScenarioOrder.NAME_ASC else _c.created_at
    return [SortKey(column, descending) for column in (first, _c.city, _c.uuid)]


def conditions(tenant: str, wanted: ScenarioFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_c.tenant == tenant]
    if wanted.cities is not None:
        found.append(_c.city.in_(wanted.cities))
    if wanted.entity is not None:
        found += [_c.city == wanted.entity[0], _c.entity == wanted.entity[1]]
    if wanted.status is not None:
        found.append(_c.status.in_([status.value for status in wanted.status]))
    return found


def page(tenant: str, wanted: ScenarioFilter, order: ScenarioOrder, window: Window) -> sa.Select[Any]:
    return window_of(sa.select(*RECORD).where(*conditions(tenant, wanted)), order_keys(order), window)


def count(tenant: str, wanted: ScenarioFilter) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(scenario).where(*conditions(tenant, wanted))


def by_keys(tenant: str) -> sa.Select[Any]:
    """The records of the rows (city, uuid) in the parameter `keys`."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    same = sa.and_(_c.city == keys.c.city, _c.uuid == keys.c.uuid)
    return sa.select(*RECORD).select_from(look_up(keys, scenario, same)).where(_c.tenant == tenant)


def of_entities(tenant: str, wanted: ScenarioFilter, order: ScenarioOrder, window: Window) -> sa.Select[Any]:
    """Of each entity in the parameter `keys` (n, city, uuid): `n` and the window's scenarios and one more."""
    keys, same = _entities()
    by = order_keys(order)
    place = sa.func.row_number().over(partition_by=keys.c.n, order_by=ordering(by, backward=window.backward))
    ranked = (
        sa.select(*RECORD, keys.c.n, place.label("place"))
        .select_from(look_up(keys, scenario, same))
        .where(*conditions(tenant, wanted), *between(by, window))
        .subquery("ranked")
    )
    return sa.select(ranked).where(ranked.c.place <= window.limit + 1).order_by(ranked.c.n, ranked.c.place)


def counts_of_entities(tenant: str, wanted: ScenarioFilter) -> sa.Select[Any]:
    """Of each entity in the parameter `keys` (n, city, uuid) that has any: `n` and their number."""
    keys, same = _entities()
    return (
        sa.select(keys.c.n, sa.func.count().label("number"))
        .select_from(look_up(keys, scenario, same))
        .where(*conditions(tenant, wanted))
        .group_by(keys.c.n)
    )


def _entities() -> tuple[sa.CTE, ColumnElement[bool]]:
    keys = json_rows("keys", "keys", n=sa.Integer, city=sa.Text, uuid=sa.Uuid)
    return keys, sa.and_(_c.city == keys.c.city, _c.entity == keys.c.uuid)


def entities_of(tenant: str, city: str) -> sa.Select[Any]:
    """The scenarios in the parameter `uuids` that there are, each with its entity."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    same = sa.and_(_c.tenant == tenant, _c.city == city, _c.uuid == asked.c.uuid)
    return sa.select(_c.uuid, _c.entity).select_from(look_up(asked, scenario, same))


def one(tenant: str, key: Sequence[Any], *, locked: bool) -> sa.Select[Any]:
    """One record; `locked` until the transaction ends, where the store has more than one writer."""
    city, uuid = key
    found = sa.select(*RECORD).where(_c.tenant == tenant, _c.city == city, _c.uuid == uuid)
    return found.with_for_update() if locked else found
