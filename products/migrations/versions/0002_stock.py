"""Stock, what orders hold of it, and the ledger of every change."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_inbox

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

APPEND_ONLY = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    _create_stock()
    _create_reservations()
    _create_movements()
    create_inbox()


def _create_stock() -> None:
    op.create_table(
        "stock",
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("on_hand", sa.Integer, nullable=False),
        sa.Column("reserved", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_on_hand_not_negative")),
        sa.CheckConstraint(
            "reserved BETWEEN 0 AND on_hand", name=op.f("ck_stock_reserved_within_on_hand")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_stock_product_id"),
        sa.PrimaryKeyConstraint("product_id", name="pk_stock"),
    )
    op.create_index(
        "ix_stock_sold_out",
        "stock",
        ["product_id"],
        postgresql_where=sa.text("on_hand = reserved"),
    )


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'committed', 'released', 'expired')",
            name=op.f("ck_reservations_state_known"),
        ),
        sa.CheckConstraint(
            "state = 'released' OR expires_at IS NOT NULL", name=op.f("ck_reservations_expires")
        ),
        sa.PrimaryKeyConstraint("order_id", name="pk_reservations"),
    )
    op.create_index(
        "ix_reservations_due",
        "reservations",
        ["expires_at"],
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_table(
        "reservation_lines",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("held_until", MOMENT),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_lines_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["reservations.order_id"], name="fk_reservation_lines_order_id"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["stock.product_id"], name="fk_reservation_lines_product_id"
        ),
        sa.PrimaryKeyConstraint("order_id", "product_id", name="pk_reservation_lines"),
    )
    op.create_index(
        "ix_reservation_lines_held",
        "reservation_lines",
        ["product_id", "held_until"],
        postgresql_include=["quantity"],
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )


def _create_movements() -> None:
    op.create_table(
        "movements",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("delta_on_hand", sa.Integer, nullable=False),
        sa.Column("delta_reserved", sa.Integer, nullable=False),
        sa.Column("order_id", sa.UUID),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.UUID),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('initial', 'adjust', 'reserve', 'expire', 'release', 'commit', 'restock')",
            name=op.f("ck_movements_kind_known"),
        ),
        sa.CheckConstraint(
            "delta_on_hand <> 0 OR delta_reserved <> 0", name=op.f("ck_movements_moves_something")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["stock.product_id"], name="fk_movements_product_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_movements"),
    )
    op.create_index("ix_movements_product", "movements", ["product_id", "id"])
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER movements_are_append_only BEFORE UPDATE OR DELETE ON movements"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
    )


def downgrade() -> None:
    for table in ("inbox", "movements", "reservation_lines", "reservations", "stock"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_rewriting()")
