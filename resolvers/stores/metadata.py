"""The one catalogue of tables, and the column types that differ between SQLite and PostgreSQL.

Each slice's `store.py` defines its tables on `metadata`; migrations create them. No slice reads another's table.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def code_point_text() -> sa.types.TypeEngine[str]:
    """Text that compares by code point: SQLite's own way, collation `C` on PostgreSQL."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def json_document() -> sa.types.TypeEngine[Any]:
    """A JSON value: text with JSON functions on SQLite, `jsonb` on PostgreSQL. None is JSON's null, never SQL's."""
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def optional_json() -> sa.types.TypeEngine[Any]:
    """The same where there may be none: None is SQL's NULL."""
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
