"""Payments in test mode, those that are to be cancelled, and what buyers come back with.

Payments of Stripe that were made before do not say whether it was with a test key: they count as
real ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "payments",
        sa.Column("test_mode", sa.Boolean, server_default=sa.text("false"), nullable=False),
    )
    op.add_column("payments", sa.Column("return_reference", sa.Text))
    op.add_column("payments", sa.Column("cancel_reason", sa.Text))
    op.execute("UPDATE payments SET test_mode = true WHERE provider = 'simulator'")
    op.execute("UPDATE payments SET return_reference = provider_reference")
    op.create_index("ix_payments_return_reference", "payments", ["return_reference"])


def downgrade() -> None:
    op.drop_index("ix_payments_return_reference", "payments")
    op.drop_column("payments", "cancel_reason")
    op.drop_column("payments", "return_reference")
    op.drop_column("payments", "test_mode")
