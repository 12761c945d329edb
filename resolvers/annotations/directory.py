"""What this slice does for others, which know an annotation or a note by its identifier alone.

It lets go of a model's own when the model goes, and says whether what an event told of is still there.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.annotations import store as sql
from resolvers.annotations.records import Owner


class ModelAnnotations:
    """What hangs on the models of one city."""

    def __init__(self, city: str) -> None:
        self._city = city

    async def delete_of_model(self, connection: AsyncConnection, tenant: str, model: UUID) -> None:
        """Deletes the model's annotations and notes, and with them their mentions, in the caller's transaction.

        No events: that the model is gone says it all.
        """
        owner = Owner(tenant, self._city)
        for table in (sql.annotation, sql.note):
            await connection.execute(sa.delete(table).where(*sql.owned(table, owner), table.c.model == model))

    async def has_annotation(self, connection: AsyncConnection, tenant: str, uuid: UUID) -> bool:
        return await self._has(connection, sql.annotation, tenant, uuid)

    async def has_note(self, connection: AsyncConnection, tenant: str, uuid: UUID) -> bool:
        return await self._has(connection, sql.note, tenant, uuid)

    async def _has(self, connection: AsyncConnection, table: sa.Table, tenant: str, uuid: UUID) -> bool:
        one = sa.select(table.c.uuid).where(*sql.owned(table, Owner(tenant, self._city)), table.c.uuid == uuid)
        return (await connection.execute(one)).first() is not None
