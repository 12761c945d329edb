"""INSERT … ON CONFLICT, which SQLite and PostgreSQL both have and spell alike, but SQLAlchemy knows by two names."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Upsert", "upsert_into"]

Upsert = sqlite.Insert | postgresql.Insert


def upsert_into(table: sa.Table, dialect: str) -> Upsert:
    """An insert into `table` that has `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
