"""The table of city objects and its SQL; every statement holds the tenant's condition.

`pk` ties a row to SQLite's spatial index and is known to nobody else. An object is identified by tenant, city and UUID.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import custom_op

from resolvers.city_objects.ancestry import MAX_ANCESTORS
from resolvers.city_objects.records import CityObjectFilter, CityObjectOrder, CityObjectType, Near
from resolvers.stores.geometry import BoundsTouch, Geom, Touches, by_index, by_row, inside, rtree_name
from resolvers.stores.joins import look_up
from resolvers.stores.json_pointer import matches
from resolvers.stores.metadata import code_point_text, json_document, metadata
from resolvers.stores.nearest import Candidates, Search, nearest
from resolvers.stores.paging import Position, SortKey, Window, between, ordering, window_of
from resolvers.stores.rows import json_rows

city_object = sa.Table(
    "city_object",
    metadata,
    sa.Column("pk", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("tenant", code_point_text(), nullable=False),
    sa.Column("city", code_point_text(), nullable=False),
    sa.Column("uuid", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", code_point_text()),
    sa.Column("folded_name", sa.Text),
    sa.Column("source", code_point_text()),
    sa.Column("source_id", code_point_text()),
    sa.Column("geometry", Geom, nullable=False),
    sa.Column("west", sa.Double, nullable=False),
    sa.Column("south", sa.Double, nullable=False),
    sa.Column("east", sa.Double, nullable=False),
    sa.Column("north", sa.Double, nullable=False),
    sa.Column("attributes", json_document(), nullable=False),
    sa.Column("footprint_area", sa.Double),
    sa.Column("length", sa.Double),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("parent", sa.Uuid),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
)
_c = city_object.c

RECORD = (
    _c.pk,
    _c.city,
    _c.uuid,
    _c.type,
    _c.name,
    _c.source,
    _c.source_id,
    _c.geometry,
    # As text: `jsonb` writes a large double as an integer of hundreds of digits, which its reader is to make a double again.
    sa.cast(_c.attributes, sa.Text).label("attributes"),
    _c.footprint_area,
    _c.length,
    _c.created_at,
    _c.updated_at,
    _c.version,
    _c.parent,
)
"""The columns of `records.CityObject`, in its order."""

_DIGITS = sa.func.replace(sa.cast(_c.uuid, sa.Text), "-", "", type_=sa.Text())
TIE: ColumnElement[str] = _c.city + "/" + _DIGITS
"""What orders objects equally far from a place; the UUID by its 32 digits, as both stores can print it."""

_BY_ID = (SortKey(_c.city), SortKey(_c.uuid))
# Written without parameters, as the indexes on them are, or these are of no use.
_NAMELESS = sa.case((_c.name.is_(None), sa.literal_column("1", sa.BigInteger())), else_=sa.literal_column("0"))
_NAME = sa.func.coalesce(_c.name, sa.literal_column("''"), type_=sa.Text())

ORDERS: dict[CityObjectOrder, tuple[SortKey, ...]] = {
    CityObjectOrder.ID_ASC: _BY_ID,
    # Objects without a name come last in both directions.
    CityObjectOrder.NAME_ASC: (SortKey(_NAMELESS), SortKey(_NAME), *_BY_ID),
    CityObjectOrder.NAME_DESC: (SortKey(_NAMELESS), SortKey(_NAME, descending=True), *_BY_ID),
    CityObjectOrder.UPDATED_AT_ASC: (SortKey(_c.updated_at), *_BY_ID),
    CityObjectOrder.UPDATED_AT_DESC: (SortKey(_c.updated_at, descending=True), *_BY_ID),
}


def page(
    dialect: str, tenant: str, wanted: CityObjectFilter, order: CityObjectOrder, window: Window, *, by_place: bool = False
) -> sa.Select[Any]:
    """The window's records and one more, each with its `distance` from `wanted.near`, or null.

    `by_place` has SQLite look up what its spatial index finds, and put it in order: quicker than to walk along the order where
    there is little to find. PostgreSQL has statistics to choose by.
    """
    conditions = _conditions(dialect, tenant, wanted)
    if by_place:
        conditions[0] = _unindexed(_c.tenant) == tenant
    if wanted.near is None:
        return window_of(sa.select(*RECORD, sa.null().label("distance")).where(*conditions), ORDERS[order], window)
    if order is not CityObjectOrder.DISTANCE_ASC:
        near = _near(dialect, conditions, Search(wanted.near.radius), wanted.near)
        return window_of(_joined(near), ORDERS[order], window)
    search = Search(
        wanted.near.radius,
        window.limit + 1,
        after=_distance_position(window.after),
        before=_distance_position(window.before),
        from_farthest=window.backward,
    )
    near = _near(dialect, conditions, search, wanted.near)
    by_distance = (SortKey(near.c.distance), SortKey(TIE))
    return _joined(near).order_by(*ordering(by_distance, backward=window.backward))


def _unindexed(column: sa.Column[str]) -> ColumnElement[str]:
    """The column with a plus sign, by which no index of SQLite is used for it (sqlite.org/optoverview.html)."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def in_place(wanted: CityObjectFilter, most: int) -> sa.Select[Any] | None:
    """How many objects, of any tenant and not above `most`, SQLite's spatial index has where the filter looks; None where it
    looks nowhere."""
    places = [box for box, _ in wanted.boxes] or ([] if wanted.touches is None else [wanted.touches[0]])
    if not places:
        return None
    index = sa.table(rtree_name(city_object.name), *map(sa.column, ("x0", "x1", "y0", "y1"))).c
    touch = (sa.and_(index.x1 >= box.west, index.y1 >= box.south, index.x0 <= box.east, index.y0 <= box.north) for box in places)
    some = sa.select(sa.literal(1)).where(sa.or_(*touch)).limit(most)
    return sa.select(sa.func.count()).select_from(some.subquery("some"))


def count(dialect: str, tenant: str, wanted: CityObjectFilter) -> sa.Select[Any]:
    conditions = _conditions(dialect, tenant, wanted)
    if wanted.near is None:
        return sa.select(sa.func.count()).select_from(city_object).where(*conditions)
    near = _near(dialect, conditions, Search(wanted.near.radius), wanted.near)
    return sa.select(sa.func.count()).select_from(near)


def _conditions(dialect: str, tenant: str, wanted: CityObjectFilter, bounds_touch: BoundsTouch = by_index) -> list[ColumnElement[bool]]:
    """All of the filter but `near`, which is a join."""
    conditions: list[ColumnElement[bool]] = [_c.tenant == tenant]
    if wanted.cities is not None:
        conditions.append(_c.city.in_(wanted.cities))
    if wanted.types is not None:
        conditions.append(_c.type.in_([kind.value for kind in wanted.types]))
    if wanted.boxes:
        conditions.append(sa.or_(*[inside(city_object, box, wkb, bounds_touch) for box, wkb in wanted.boxes]))
    if wanted.touches is not None:
        bounds, wkb = wanted.touches
        conditions += [bounds_touch(city_object, bounds), Touches(_c.geometry, wkb)]
    if wanted.name is not None:
        conditions.append(_c.folded_name.contains(wanted.name, autoescape=True))
    if wanted.source is not None:
        conditions.append(_c.source == wanted.source)
    if wanted.source_ids is not None:
        conditions.append(_c.source_id.in_(wanted.source_ids))
    if wanted.updated_since is not None:
        conditions.append(_c.updated_at >= wanted.updated_since)
    if wanted.parent is not None:
        conditions += [_c.city == wanted.parent[0], _c.parent == wanted.parent[1]]
    return conditions + [matches(dialect, _c.attributes, condition) for condition in wanted.attributes]


def _joined(near: sa.Subquery) -> sa.Select[Any]:
    return sa.select(*RECORD, near.c.distance).select_from(look_up(near, city_object, _c.pk == near.c.pk))


def all_matching(dialect: str, tenant: str, wanted: CityObjectFilter, most: int) -> sa.Select[Any]:
    """City and UUID of so many objects that meet the filter."""
    conditions = _conditions(dialect, tenant, wanted)
    if wanted.near is None:
        return sa.select(_c.city, _c.uuid).where(*conditions).limit(most)
    near = _near(dialect, conditions, Search(wanted.near.radius), wanted.near)
    return sa.select(_c.city, _c.uuid).select_from(look_up(near, city_object, _c.pk == near.c.pk)).limit(most)


def matching(dialect: str, tenant: str, city: str, wanted: CityObjectFilter) -> sa.Select[Any]:
    """The records of those of the city's objects in the parameter `uuids` that meet the filter."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    conditions = [*_conditions(dialect, tenant, wanted, by_row), _c.city == city]
    named = look_up(asked, city_object, _c.uuid == asked.c.uuid)
    if wanted.near is None:
        return sa.select(*RECORD).select_from(named).where(*conditions)
    among = sa.select(_c.pk).select_from(named).where(*conditions).cte("among")
    near = _near(dialect, [], Search(wanted.near.radius), wanted.near, among)
    return sa.select(*RECORD).select_from(look_up(near, city_object, _c.pk == near.c.pk))


def _near(dialect: str, conditions: Sequence[ColumnElement[bool]], search: Search, place: Near, among: sa.CTE | None = None) -> sa.Subquery:
    probe = sa.select(
        sa.literal(0).label("n"),
        sa.cast(sa.null(), sa.BigInteger).label("pk"),
        sa.literal(place.point, Geom()).label("geometry"),
        *[sa.literal(place.longitude, sa.Double()).label(edge) for edge in ("west", "east")],
        *[sa.literal(place.latitude, sa.Double()).label(edge) for edge in ("south", "north")],
    ).cte("probes")
    return nearest(dialect, probe, Candidates(city_object, conditions, TIE, among), search)


def _distance_position(position: Position | None) -> tuple[float, str] | None:
    match position:
        case (float(metres), str(tie)):
            return metres, tie
    return None


def by_keys(tenant: str) -> sa.Select[Any]:
    """The records of the rows (city, uuid) in the parameter `keys`."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    return sa.select(*RECORD).select_from(look_up(keys, city_object, _same_object(keys))).where(_c.tenant == tenant)


def existing(tenant: str, city: str) -> sa.Select[Any]:
    """Those UUIDs in the parameter `uuids` that the tenant has in that city."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    return sa.select(_c.uuid).select_from(look_up(asked, city_object, _c.uuid == asked.c.uuid)).where(_c.tenant == tenant, _c.city == city)


def by_sources(tenant: str, city: str) -> sa.Select[Any]:
    """`source`, `source_id`, `uuid` of the objects that the rows (source, source_id) in the parameter `sources` name."""
    asked = json_rows("asked", "sources", source=sa.Text, source_id=sa.Text)
    same = sa.and_(_c.source == asked.c.source, _c.source_id == asked.c.source_id)
    return (
        sa.select(_c.source, _c.source_id, _c.uuid)
        .select_from(look_up(asked, city_object, same))
        .where(_c.tenant == tenant, _c.city == city)
    )


def to_compare(tenant: str, city: str) -> sa.Select[Any]:
    """The objects of the parameter `uuids`: what an upsert compares with, and what a draft may leave as it is."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    return (
        sa.select(_c.uuid, _c.pk, _c.version, _c.fingerprint, _c.name, _c.source, _c.source_id, _c.attributes, _c.parent)
        .select_from(look_up(asked, city_object, _c.uuid == asked.c.uuid))
        .where(_c.tenant == tenant, _c.city == city)
    )


def ancestors(tenant: str, city: str) -> sa.Select[Any]:
    """`uuid` and `parent` of the objects of the parameter `uuids` and of all above them, as far as any may be deep."""
    asked = json_rows("asked", "uuids", uuid=sa.Uuid)
    of_city = (_c.tenant == tenant, _c.city == city)
    up = (
        sa.select(_c.uuid, _c.parent, sa.literal(0).label("level"))
        .select_from(look_up(asked, city_object, _c.uuid == asked.c.uuid))
        .where(*of_city)
        .cte("up", recursive=True)
    )
    up = up.union(
        sa.select(_c.uuid, _c.parent, up.c.level + 1)
        .select_from(look_up(up, city_object, _c.uuid == up.c.parent))
        .where(*of_city, up.c.level <= MAX_ANCESTORS)
    )
    return sa.select(up.c.uuid, up.c.parent).distinct()


def update_rows(columns: Sequence[str]) -> sa.Update:
    """Of the row `the_pk` these columns, each from the parameter of its name."""
    values: dict[str, Any] = {name: sa.bindparam(name) for name in columns}
    return sa.update(city_object).where(_c.pk == sa.bindparam("the_pk")).values(values)


def take_turn(dialect: str, tenant: str, city: str) -> sa.Select[Any]:
    """Makes this transaction the only one that writes to the city; SQLite has but one writer anyway."""
    if dialect == "sqlite":
        return sa.select(sa.literal(1))
    return sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"city_object {tenant} {city}", 0)))


def _same_object(keys: sa.CTE) -> ColumnElement[bool]:
    return sa.and_(_c.city == keys.c.city, _c.uuid == keys.c.uuid)


def neighbours(dialect: str, tenant: str, radius: float, types: Sequence[CityObjectType] | None, limit: int) -> sa.Select[Any]:
    """Of each object in the parameter `keys` (n, city, uuid): `n`, `distance` and the records nearest to it."""
    keys = json_rows("keys", "keys", n=sa.Integer, city=sa.Text, uuid=sa.Uuid)
    bounds = (_c.west, _c.south, _c.east, _c.north)
    probes = (
        sa.select(keys.c.n, _c.pk, sa.type_coerce(_c.geometry, sa.LargeBinary).label("geometry"), *bounds)
        .select_from(look_up(keys, city_object, _same_object(keys)))
        .where(_c.tenant == tenant)
        .cte("probes")
    )
    conditions: list[ColumnElement[bool]] = [_c.tenant == tenant]
    if types is not None:
        conditions.append(_c.type.in_([kind.value for kind in types]))
    near = nearest(dialect, probes, Candidates(city_object, conditions, TIE), Search(radius, limit))
    return (
        sa.select(*RECORD, near.c.distance, near.c.n)
        .select_from(look_up(near, city_object, _c.pk == near.c.pk))
        .order_by(near.c.n, near.c.distance, TIE)
    )


def children(tenant: str, window: Window) -> sa.Select[Any]:
    """Of each object in the parameter `keys` (n, city, uuid): `n` and the window's children and one more, by identifier."""
    keys = json_rows("keys", "keys", n=sa.Integer, city=sa.Text, uuid=sa.Uuid)
    place = sa.func.row_number().over(partition_by=keys.c.n, order_by=ordering(_BY_ID, backward=window.backward))
    ranked = (
        sa.select(*RECORD, keys.c.n, place.label("place"))
        .select_from(look_up(keys, city_object, sa.and_(_c.city == keys.c.city, _c.parent == keys.c.uuid)))
        .where(_c.tenant == tenant, *between(_BY_ID, window))
        .subquery("ranked")
    )
    return sa.select(ranked).where(ranked.c.place <= window.limit + 1).order_by(ranked.c.n, ranked.c.place)


def child_counts(tenant: str) -> sa.Select[Any]:
    """Of each object in the parameter `keys` (city, uuid) that has children: city, parent and their number."""
    keys = json_rows("keys", "keys", city=sa.Text, uuid=sa.Uuid)
    return (
        sa.select(keys.c.city, keys.c.uuid, sa.func.count())
        .select_from(look_up(keys, city_object, sa.and_(_c.city == keys.c.city, _c.parent == keys.c.uuid)))
        .where(_c.tenant == tenant)
        .group_by(keys.c.city, keys.c.uuid)
    )


def city_counts(tenant: str, cities: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(_c.city, _c.type, sa.func.count())
        .where(_c.tenant == tenant, _c.city.in_(cities))
        .group_by(_c.city, _c.type)
        .order_by(_c.city, _c.type)
    )


def city_extents(tenant: str, cities: Sequence[str]) -> sa.Select[Any]:
    return (
        sa.select(_c.city, sa.func.min(_c.west), sa.func.min(_c.south), sa.func.max(_c.east), sa.func.max(_c.north))
        .where(_c.tenant == tenant, _c.city.in_(cities))
        .group_by(_c.city)
    )
