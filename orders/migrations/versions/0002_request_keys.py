"""Keys of orders and payment requests end after a day."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_request_keys

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_request_keys()
    op.drop_table("payment_tries")
    op.create_index(
        "ix_orders_keyed",
        "orders",
        ["created_at"],
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_orders_keyed", "orders")
    op.create_table(
        "payment_tries",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "key", name="pk_payment_tries"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payment_tries_order_id"),
    )
    op.drop_table("request_keys")
