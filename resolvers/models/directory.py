"""Which models there are, and which elements: what this slice answers to others, which know a model by its identifier alone."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.models import store as sql
from resolvers.models.content import read_packed
from resolvers.models.elements import find_elements
from resolvers.stores.rows import rows_parameter

__all__ = ["ModelDirectory"]


class ModelDirectory:
    """The models of one city."""

    def __init__(self, city: str) -> None:
        self._city = city

    async def existing(self, connection: AsyncConnection, tenant: str, models: Sequence[UUID]) -> set[UUID]:
        """Those of `models` that the tenant has there; in a write transaction they stay there until it ends."""
        statement = sql.existing(tenant, self._city, held=_writes(connection))
        rows = await connection.execute(statement, {"uuids": rows_parameter([(uuid,) for uuid in models])})
        return set(rows.scalars())

    async def elements(self, connection: AsyncConnection, tenant: str, model: UUID, element_ids: Collection[str]) -> set[str]:
        """Those of `element_ids` that are the `id` of an object in the model's newest content, which is read once."""
        content = (await connection.execute(sql.content_of(tenant, self._city, model))).scalar_one_or_none()
        return set() if content is None else await asyncio.to_thread(_elements, content, element_ids)


def _elements(content: bytes, element_ids: Collection[str]) -> set[str]:
    return set(find_elements(read_packed(content), element_ids))


def _writes(connection: AsyncConnection) -> bool:
    """PostgreSQL refuses to lock rows in a transaction that only reads."""
    options = connection.sync_connection.get_execution_options() if connection.sync_connection is not None else {}
    return not options.get("postgresql_readonly", False)
