"""Orders that cost nothing are paid without a payment."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PAID = "payment_status = 'unpaid' OR payment_id IS NOT NULL"


def upgrade() -> None:
    op.drop_constraint("ck_orders_paid_by_a_payment", "orders")
    op.execute(
        "ALTER TABLE orders ADD CONSTRAINT ck_orders_paid_by_a_payment"
        f" CHECK ({_PAID} OR total = 0)"
    )


def downgrade() -> None:
    op.drop_constraint("ck_orders_paid_by_a_payment", "orders")
    # Free orders that are there stay as they are.
    op.execute(
        f"ALTER TABLE orders ADD CONSTRAINT ck_orders_paid_by_a_payment CHECK ({_PAID}) NOT VALID"
    )
