"""Tables of events and of idempotency keys."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text, json_document

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_channel",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("channel", code_point_text(), primary_key=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "event_journal",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("channel", code_point_text(), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("payload", json_document(), nullable=False),
    )
    op.create_index("ix_event_journal_at", "event_journal", ["at"])
    op.create_table(
        "idempotency_key",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("operation", sa.Text, primary_key=True),
        sa.Column("key", code_point_text(), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", json_document(), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_idempotency_key_at", "idempotency_key", ["at"])


def downgrade() -> None:
    for table in ("idempotency_key", "event_journal", "event_channel"):
        op.drop_table(table)
