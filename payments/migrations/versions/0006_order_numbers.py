"""The number by which people name the order of a payment.

Payments that were begun before have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("order_number", sa.Text))


def downgrade() -> None:
    op.drop_column("payments", "order_number")
