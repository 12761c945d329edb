"""PostgreSQL: telemetry in monthly partitions, with the newest point of each series beside it."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
