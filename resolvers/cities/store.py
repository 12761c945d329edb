"""The table of cities and its SQL. A city is known to each tenant that has something there."""

from typing import Any

import sqlalchemy as sa

from resolvers.stores.metadata import code_point_text, metadata

city = sa.Table(
    "city",
    metadata,
    sa.Column("tenant", code_point_text(), primary_key=True),
    sa.Column("id", code_point_text(), primary_key=True),
    sa.Column("name", code_point_text(), nullable=False),
    sa.Column("country", sa.Text()),
    sa.Column("timezone", sa.Text()),
)

_RECORD = (city.c.id, city.c.name, city.c.country, city.c.timezone)


def by_ids(tenant: str, ids: list[str]) -> sa.Select[Any]:
    return sa.select(*_RECORD).where(city.c.tenant == tenant, city.c.id.in_(ids))


def all_of(tenant: str, home: str, limit: int) -> sa.Select[Any]:
    """`home` first, the others by identifier."""
    return sa.select(*_RECORD).where(city.c.tenant == tenant).order_by(city.c.id != home, city.c.id).limit(limit)
