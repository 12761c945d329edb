"""Tables of telemetry: series, and their points.

The tables are written out rather than taken from the code, which goes on changing after this step has been run.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPTIONAL_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "telemetry_series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("entity", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text().with_variant(TEXT(collation="C"), "postgresql"), nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("scenario", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_telemetry_series"),
        sa.UniqueConstraint("entity", "tenant", "key", "source", "scenario", name="uq_telemetry_series_entity"),
    )
    op.create_table(
        "telemetry_point",
        sa.Column("series", sa.BigInteger, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("num", sa.Double),
        sa.Column("json", _OPTIONAL_JSON),
        sa.Column("quality", sa.SmallInteger),
        sa.Column("attributes", _OPTIONAL_JSON),
        sa.PrimaryKeyConstraint("series", "ts", name="pk_telemetry_point"),
        sa.ForeignKeyConstraint(["series"], ["telemetry_series.id"], name="fk_telemetry_point_series"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("telemetry_point")
    op.drop_table("telemetry_series")
