"""Cancelled units are given back where they lay, and not where a parcel is being packed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cancelled_places",
        sa.Column("cancellation_id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("cancellation_id", "line", "location", name="pk_cancelled_places"),
        sa.ForeignKeyConstraint(
            ["order_id", "line"],
            ["order_lines.order_id", "order_lines.line"],
            name="fk_cancelled_places_order_id_line",
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cancelled_places_quantity")),
    )
    op.create_index("ix_cancelled_places_order_id_line", "cancelled_places", ["order_id", "line"])


def downgrade() -> None:
    op.drop_table("cancelled_places")
