"""Keys of messages belong to their sender, and end after a day."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_request_keys

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_request_keys()
    op.drop_constraint("uq_notifications_user_id_key", "notifications")
    op.drop_column("notifications", "key")


def downgrade() -> None:
    op.add_column("notifications", sa.Column("key", sa.Text))
    op.create_unique_constraint("uq_notifications_user_id_key", "notifications", ["user_id", "key"])
    op.drop_table("request_keys")
