"""Mails are found by the order that they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_notifications_order_id",
        "notifications",
        ["order_id"],
        postgresql_where=sa.text("channel <> 'in_app' AND order_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_order_id", "notifications")
