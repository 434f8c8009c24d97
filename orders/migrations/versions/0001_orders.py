"""Carts, checkouts under way, orders with their lines and timeline, and the money they know of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.migrations import create_inbox, create_outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MONEY = sa.Numeric(10, 2)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_outbox()
    create_inbox()
    _create_carts()
    _create_checkouts()
    _create_orders()
    _create_order_lines()
    _create_payments()
    _create_timeline()


def downgrade() -> None:
    for table in (
        "timeline",
        "receipts",
        "payment_tries",
        "order_lines",
        "orders",
        "checkouts",
        "cart_lines",
        "carts",
        "inbox",
        "outbox",
    ):
        op.drop_table(table)


def _create_carts() -> None:
    op.create_table(
        "carts",
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_carts"),
    )
    op.create_table(
        "cart_lines",
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("unit_price", MONEY, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name="pk_cart_lines"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["carts.user_id"], name="fk_cart_lines_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000", name=op.f("ck_cart_lines_quantity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_cart_lines_unit_price")),
    )


def _create_checkouts() -> None:
    op.create_table(
        "checkouts",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("basket", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_checkouts"),
        sa.CheckConstraint("state IN ('open', 'undoing')", name=op.f("ck_checkouts_state")),
    )
    op.create_index(
        "uq_checkouts_user_id_idempotency_key",
        "checkouts",
        ["user_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_checkouts_due_at", "checkouts", ["due_at"])


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("payment_status", sa.Text, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("shipping_address", JSONB, nullable=False),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("payment_id", sa.UUID),
        sa.Column("paying_since", MOMENT),
        sa.Column("recheck_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("hidden_at", MOMENT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("user_id", "idempotency_key", name="uq_orders_user_id_idempotency_key"),
        *_order_checks(),
    )
    op.create_index("ix_orders_newest", "orders", ["created_at", "id"])
    op.create_index("ix_orders_newest_of_user", "orders", ["user_id", "created_at", "id"])
    unpaid = sa.text("status = 'pending'")
    op.create_index("ix_orders_unpaid", "orders", ["expires_at"], postgresql_where=unpaid)
    op.create_index("ix_orders_unpaid_of_user", "orders", ["user_id"], postgresql_where=unpaid)
    op.create_index(
        "ix_orders_recheck_at",
        "orders",
        ["recheck_at"],
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )


def _order_checks() -> list[sa.CheckConstraint]:
    checks = {
        "status": "status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled')",
        "payment_status": "payment_status IN ('unpaid', 'paid', 'partially_refunded', 'refunded')",
        "total": "total >= 0",
        "nothing_leaves_without_money": (
            "status = 'cancelled' OR (status = 'pending') = (payment_status = 'unpaid')"
        ),
        "paid_by_a_payment": "payment_status = 'unpaid' OR payment_id IS NOT NULL",
        "cancel_reason": "(status = 'cancelled') = (cancel_reason IS NOT NULL)",
        "looked_up_while_paying": "(paying_since IS NULL) = (recheck_at IS NULL)",
        "hidden_at": "hidden_at IS NULL OR status IN ('delivered', 'cancelled')",
    }
    return [sa.CheckConstraint(sql, name=op.f(f"ck_orders_{name}")) for name, sql in checks.items()]


def _create_order_lines() -> None:
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("unit_price", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "product_id", name="pk_order_lines"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_lines_order_id"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_order_lines_unit_price")),
    )


def _create_payments() -> None:
    op.create_table(
        "payment_tries",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tried_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "key", name="pk_payment_tries"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payment_tries_order_id"),
    )
    op.create_table(
        "receipts",
        sa.Column("payment_id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("refunded", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("return_reason", sa.Text),
        sa.PrimaryKeyConstraint("payment_id", name="pk_receipts"),
        sa.CheckConstraint("refunded >= 0", name=op.f("ck_receipts_refunded")),
    )
    op.create_index("ix_receipts_order_id", "receipts", ["order_id"])


def _create_timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.Column("trace_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_timeline"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_timeline_order_id"),
        sa.CheckConstraint(
            "kind IN ('order', 'stock', 'payment', 'mail')", name=op.f("ck_timeline_kind")
        ),
    )
    op.create_index("ix_timeline_order_id_id", "timeline", ["order_id", "id"])
