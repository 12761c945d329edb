"""Which scenarios there are: what this slice answers to others, which know a scenario by its identifier alone."""

from collections.abc import Sequence
from uuid import UUID

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
