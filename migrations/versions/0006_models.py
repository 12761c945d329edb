"""Tables of models and their versions."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("city", code_point_text(), nullable=False),
        sa.Column("name", code_point_text(), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("folded_name", sa.Text, nullable=False),
        sa.Column("folded_description", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("patched", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_model_name", "model", ["tenant", "name", "city", "uuid"])
    op.create_index("ix_model_created_at", "model", ["tenant", "created_at", "city", "uuid"])
    op.create_index("ix_model_updated_at", "model", ["tenant", "updated_at", "city", "uuid"])
    op.create_table(
        "model_version",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("model", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uuid", sa.Uuid, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("patch_size", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("touched", sa.LargeBinary, nullable=False),
        sa.Column("patch", sa.LargeBinary),
        sa.Column("content", sa.LargeBinary),
        sa.ForeignKeyConstraint(["tenant", "model"], ["model.tenant", "model.uuid"], name="fk_model_version_tenant_model"),
        sa.UniqueConstraint("tenant", "uuid", name="uq_model_version_tenant_uuid"),
    )


def downgrade() -> None:
    op.drop_table("model_version")
    op.drop_table("model")
