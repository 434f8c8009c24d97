"""Orders keep what their shipping is taxed as, and cost nothing for it without a method."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_RULE = (
    "(shipping_method IS NULL) = (shipping_tax_class IS NULL)"
    " AND (shipping_method IS NOT NULL OR shipping = 0)"
)


def upgrade() -> None:
    op.add_column("orders", sa.Column("shipping_tax_class", sa.Text))
    op.execute(
        "UPDATE orders SET shipping_tax_class = 'standard' WHERE shipping_method IS NOT NULL"
    )
    op.create_check_constraint("shipped_by_a_method", "orders", _RULE)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_orders_shipped_by_a_method"), "orders")
    op.drop_column("orders", "shipping_tax_class")
