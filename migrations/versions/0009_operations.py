"""Tables of backups, the audit log, and leases."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("size", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("failure", sa.Text),
    )
    op.create_index("ix_backup_started_at", "backup", ["tenant", "city", "started_at", "uuid"])
    op.create_table(
        "lease",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("name", code_point_text(), primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("subject", code_point_text(), nullable=False),
        sa.Column("operation", code_point_text(), nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("trace_id", sa.Text),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["tenant", "at", "city", "uuid"])
    op.create_index("ix_audit_log_subject", "audit_log", ["tenant", "subject", "at", "city", "uuid"])
    op.create_index("ix_audit_log_operation", "audit_log", ["tenant", "operation", "at", "city", "uuid"])
    op.create_index("ix_audit_log_purge", "audit_log", ["at"])


def downgrade() -> None:
    for table in ("audit_log", "lease", "backup"):
        op.drop_table(table)
