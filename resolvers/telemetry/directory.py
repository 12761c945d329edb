"""What goes with another slice's thing: the points of a scenario, or of a city object, in the transaction that deletes it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from resolvers.telemetry import store as sql
from resolvers.telemetry.partitions import exclude_writers

_s = sql.series_table.c


class TelemetryOwners:
    """Answers the slices whose things have telemetry."""

    async def delete_of_scenario(self, connection: AsyncConnection, tenant: str, scenario: UUID) -> None:
        await _delete(connection, _s.tenant == tenant, _s.scenario == scenario)

    async def delete_of_entity(self, connection: AsyncConnection, tenant: str, entity: UUID) -> None:
        await _delete(connection, _s.tenant == tenant, _s.entity == entity)


async def _delete(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> None:
    """The points first: each belongs to a series."""
    await exclude_writers(connection)
    series = sa.select(_s.id).where(*conditions)
    await connection.execute(sa.delete(sql.point_table).where(sql.point_table.c.series.in_(series)))
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.delete(sql.latest_table).where(sql.latest_table.c.series.in_(series)))
    await connection.execute(sa.delete(sql.series_table).where(*conditions))
