"""Tables of annotations, notes and mentions."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.metadata import code_point_text, json_document

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _contributions()
    _mentions()


def _contributions() -> None:
    op.create_table(
        "annotation",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("model", sa.Uuid, nullable=False),
        sa.Column("element", code_point_text(), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("tags", json_document(), nullable=False),
        sa.Column("mentioned", json_document(), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("resolved", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_annotation_model", "annotation", ["tenant", "city", "model", "created_at", "uuid"])
    op.create_index("ix_annotation_element", "annotation", ["tenant", "city", "model", "element", "created_at", "uuid"])
    op.create_index("ix_annotation_updated_at", "annotation", ["updated_at"])
    op.create_table(
        "note",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("model", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("mentioned", json_document(), nullable=False),
        sa.Column("related_elements", json_document(), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_note_model", "note", ["tenant", "city", "model", "created_at", "uuid"])
    op.create_index("ix_note_updated_at", "note", ["updated_at"])


def _mentions() -> None:
    op.create_table(
        "mention",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("city", code_point_text(), primary_key=True),
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("model", sa.Uuid, nullable=False),
        sa.Column("annotation", sa.Uuid),
        sa.Column("note", sa.Uuid),
        sa.Column("mentioned", sa.Uuid, nullable=False),
        sa.Column("mentioned_by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "city", "annotation"],
            ["annotation.tenant", "annotation.city", "annotation.uuid"],
            name="fk_mention_annotation",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "city", "note"], ["note.tenant", "note.city", "note.uuid"], name="fk_mention_note", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("tenant", "city", "annotation", "mentioned", name="uq_mention_annotation"),
        sa.UniqueConstraint("tenant", "city", "note", "mentioned", name="uq_mention_note"),
        sa.CheckConstraint("(annotation IS NULL) <> (note IS NULL)", name=op.f("ck_mention_one_place")),
    )
    op.create_index("ix_mention_mentioned", "mention", ["tenant", "city", "mentioned", "at", "uuid"])


def downgrade() -> None:
    for table in ("mention", "note", "annotation"):
        op.drop_table(table)
