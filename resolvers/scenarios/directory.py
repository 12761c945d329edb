"""Which scenarios there are: what this slice answers to others, which know a scenario by its identifier alone."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.scenarios import store as sql
from resolvers.stores.rows import rows_parameter


class ScenarioDirectory:
    """The scenarios of one city."""

    def __init__(self, city: str) -> None:
        self._city = city

    async def of(self, connection: AsyncConnection, tenant: str, scenarios: Sequence[UUID]) -> dict[UUID, UUID]:
        """Those of `scenarios` that the tenant has there, each with its entity."""
        statement = sql.entities_of(tenant, self._city)
        rows = await connection.execute(statement, {"uuids": rows_parameter([(uuid,) for uuid in scenarios])})
        return {row.uuid: row.entity for row in rows}

    async def delete_of_entity(self, connection: AsyncConnection, tenant: str, entity: UUID) -> None:
        """Deletes the scenarios of a city object that goes; its points, simulated ones too, are deleted with it elsewhere."""
        c = sql.scenario.c
        await connection.execute(sa.delete(sql.scenario).where(c.tenant == tenant, c.city == self._city, c.entity == entity))
