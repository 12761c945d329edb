"""The table of scenarios."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text, optional_json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scenario",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("entity", sa.Uuid, nullable=False),
        sa.Column("name", code_point_text(), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("parameters", optional_json()),
        sa.Column("start_ts", sa.BigInteger),
        sa.Column("end_ts", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_scenario_created_at", "scenario", ["tenant", "created_at", "city", "uuid"])
    op.create_index("ix_scenario_name", "scenario", ["tenant", "name", "city", "uuid"])
    op.create_index("ix_scenario_entity", "scenario", ["tenant", "city", "entity", "created_at", "uuid"])


def downgrade() -> None:
    op.drop_table("scenario")
