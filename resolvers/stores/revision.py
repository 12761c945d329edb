"""Whether a store has this version's tables, found out without Alembic: loading that takes longer than a warm start may."""

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa

from resolvers.stores.engine import Store

_IN_CHECKOUT = Path(__file__).parents[2] / "migrations"


def newest_revision() -> str:
    """Revisions are numbered, and each script's name begins with its number."""
    in_wheel = files("resolvers.stores") / "_migrations"
    versions = (in_wheel if in_wheel.is_dir() else _IN_CHECKOUT) / "versions"
    return max(entry.name.partition("_")[0] for entry in versions.iterdir() if entry.name.endswith(".py"))


async def stored_revision(store: Store) -> str | None:
    """None where no migration has run."""
    try:
        async with store.read() as connection:
            return (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    except (sa.exc.OperationalError, sa.exc.ProgrammingError):
        return None
