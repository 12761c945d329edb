"""Tables of compliance reports and quality-control data."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compliance_report",
        *_identity(),
        sa.Column("title", code_point_text(), nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("model", sa.Uuid),
        sa.Column("period_start", sa.BigInteger),
        sa.Column("period_end", sa.BigInteger),
        sa.Column("issued_at", sa.BigInteger),
        sa.Column("issued_by", sa.Text),
        *_artefact(),
    )
    open_ended = sa.text("(CASE WHEN issued_at IS NULL THEN 1 ELSE 0 END)")
    issued, latest_first = sa.text("coalesce(issued_at, 0)"), sa.text("coalesce(issued_at, 0) DESC")
    op.create_index("ix_compliance_report_issued_at", "compliance_report", ["tenant", open_ended, issued, "city", "uuid"])
    op.create_index("ix_compliance_report_issued_at_desc", "compliance_report", ["tenant", open_ended, latest_first, "city", "uuid"])
    op.create_index("ix_compliance_report_title", "compliance_report", ["tenant", "title", "city", "uuid"])
    op.create_index("ix_compliance_report_model", "compliance_report", ["tenant", "city", "model", "uuid"])
    op.create_table(
        "quality_dataset",
        *_identity(),
        sa.Column("name", code_point_text(), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("model", sa.Uuid),
        sa.Column("entity", sa.Uuid),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("measurements", sa.Integer, nullable=False),
        *_artefact(),
    )
    op.create_index("ix_quality_dataset_created_at", "quality_dataset", ["tenant", "created_at", "city", "uuid"])
    op.create_index("ix_quality_dataset_name", "quality_dataset", ["tenant", "name", "city", "uuid"])
    op.create_index("ix_quality_dataset_model", "quality_dataset", ["tenant", "city", "model", "uuid"])
    op.create_index("ix_quality_dataset_entity", "quality_dataset", ["tenant", "city", "entity", "uuid"])
    op.create_table(
        "quality_measurement",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("dataset", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("characteristic", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("lower_limit", sa.Double),
        sa.Column("upper_limit", sa.Double),
        sa.Column("measured_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _identity() -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
    ]


def _artefact() -> list[sa.Column[Any]]:
    return [
        sa.Column("artefact_key", sa.Text, nullable=False),
        sa.Column("artefact_name", sa.Text, nullable=False),
        sa.Column("artefact_media_type", sa.Text, nullable=False),
        sa.Column("artefact_size", sa.BigInteger, nullable=False),
        sa.Column("artefact_sha256", sa.Text, nullable=False),
    ]


def downgrade() -> None:
    for table in ("quality_measurement", "quality_dataset", "compliance_report"):
        op.drop_table(table)
