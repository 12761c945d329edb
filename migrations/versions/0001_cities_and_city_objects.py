"""Cities and city objects, with their spatial index."""

import sqlalchemy as sa
from alembic import op

from resolvers.stores.geometry import Geom, rtree_statements
from resolvers.stores.metadata import code_point_text, json_document

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    _cities()
    _city_objects()
    if on_postgresql:
        op.execute("CREATE INDEX ix_city_object_geometry ON city_object USING gist (geometry)")
        op.execute("CREATE INDEX ix_city_object_geography ON city_object USING gist ((geometry::geography))")
        op.execute("CREATE INDEX ix_city_object_attributes ON city_object USING gin (attributes jsonb_path_ops)")
    else:
        for statement in rtree_statements("city_object"):
            op.execute(statement)


def _cities() -> None:
    op.create_table(
        "city",
        sa.Column("tenant", code_point_text(), primary_key=True),
        sa.Column("id", code_point_text(), primary_key=True),
        sa.Column("name", code_point_text(), nullable=False),
        sa.Column("country", sa.Text),
        sa.Column("timezone", sa.Text),
    )


def _city_objects() -> None:
    op.create_table(
        "city_object",
        sa.Column("pk", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("tenant", code_point_text(), nullable=False),
        sa.Column("city", code_point_text(), nullable=False),
        sa.Column("uuid", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("name", code_point_text()),
        sa.Column("folded_name", sa.Text),
        sa.Column("source", code_point_text()),
        sa.Column("source_id", code_point_text()),
        sa.Column("geometry", Geom, nullable=False),
        sa.Column("west", sa.Double, nullable=False),
        sa.Column("south", sa.Double, nullable=False),
        sa.Column("east", sa.Double, nullable=False),
        sa.Column("north", sa.Double, nullable=False),
        sa.Column("attributes", json_document(), nullable=False),
        sa.Column("footprint_area", sa.Double),
        sa.Column("length", sa.Double),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("parent", sa.Uuid),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "city"], ["city.tenant", "city.id"], name="fk_city_object_city"),
        sa.UniqueConstraint("tenant", "city", "uuid", name="uq_city_object_uuid"),
        # Nulls differ from one another: objects without a source are as many as one likes.
        sa.UniqueConstraint("tenant", "city", "source", "source_id", name="uq_city_object_source"),
    )
    nameless = sa.text("(CASE WHEN name IS NULL THEN 1 ELSE 0 END)")
    name, name_descending = sa.text("coalesce(name, '')"), sa.text("coalesce(name, '') DESC")
    op.create_index("ix_city_object_name", "city_object", ["tenant", nameless, name, "city", "uuid"])
    op.create_index("ix_city_object_name_desc", "city_object", ["tenant", nameless, name_descending, "city", "uuid"])
    op.create_index("ix_city_object_updated_at", "city_object", ["tenant", "updated_at", "city", "uuid"])
    newest_first = sa.text("updated_at DESC")
    op.create_index("ix_city_object_updated_at_desc", "city_object", ["tenant", newest_first, "city", "uuid"])
    op.create_index("ix_city_object_parent", "city_object", ["tenant", "city", "parent", "uuid"])
    op.create_index("ix_city_object_type", "city_object", ["tenant", "city", "type"])
    op.create_index("ix_city_object_extent", "city_object", ["tenant", "city", "west", "south", "east", "north"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # The triggers go with their table, the index they fill does not.
        op.execute("DROP TABLE city_object_geometry_rt")
    op.drop_table("city_object")
    op.drop_table("city")
