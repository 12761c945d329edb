"""Alembic's entry: one history for SQLite and PostgreSQL, run through the same engine as the application's."""

import asyncio

import sqlalchemy as sa
from alembic import context

from resolvers.stores.engine import Store
from resolvers.stores.metadata import metadata


def run(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    # The store's write transaction encloses the whole upgrade: it is done, or nothing is.
    context.run_migrations()


async def upgrade() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    store = Store(url, command_timeout=None)
    try:
        async with store.write() as connection:
            await connection.run_sync(run)
    finally:
        await store.close()


asyncio.run(upgrade())
