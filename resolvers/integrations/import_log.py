"""Which bulk imports a store has had, and of what content: how a start finds out, in one statement, that nothing is to do.

An import is recorded after its last write. One that broke off is not, so the next start does it again, and the upserts leave
alone what is already there.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from resolvers.stores.engine import Store
from resolvers.stores.metadata import metadata

import_table = sa.Table(
    "import_run",
    metadata,
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("objects", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("tenant", "city", "name"),
)


@dataclass(frozen=True, slots=True)
class ImportRun:
    """A finished import. `fingerprint` tells its content, `objects` is how many city objects it brought."""

    tenant: str
    city: str
    name: str
    fingerprint: str
    objects: int
    finished_at: int


async def last_run(store: Store, *, tenant: str, city: str, name: str) -> ImportRun | None:
    """The newest finished import of that name, None where there was none."""
    t = import_table.c
    mine = sa.select(import_table).where(t.tenant == tenant, t.city == city, t.name == name)
    async with store.read() as connection:
        row = (await connection.execute(mine)).one_or_none()
    return ImportRun(**row._mapping) if row else None


async def record(store: Store, run: ImportRun) -> None:
    """Takes the place of an earlier run of the same name."""
    t = import_table.c
    async with store.write() as connection:
        same = (t.tenant == run.tenant, t.city == run.city, t.name == run.name)
        await connection.execute(sa.delete(import_table).where(*same))
        await connection.execute(
            sa.insert(import_table).values(
                tenant=run.tenant,
                city=run.city,
                name=run.name,
                fingerprint=run.fingerprint,
                objects=run.objects,
                finished_at=run.finished_at,
            )
        )
