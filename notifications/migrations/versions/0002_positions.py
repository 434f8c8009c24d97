"""Positions in a user's feed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_feeds"),
    )
    op.add_column("notifications", sa.Column("position", sa.BigInteger))
    op.execute(
        """
        UPDATE notifications SET position = numbered.position
        FROM (
            SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY created_at, id) AS position
            FROM notifications WHERE channel = 'in_app'
        ) AS numbered
        WHERE notifications.id = numbered.id
        """
    )
    op.execute(
        "INSERT INTO feeds (user_id, last) SELECT user_id, max(position) FROM notifications"
        " WHERE channel = 'in_app' GROUP BY user_id"
    )
    op.create_check_constraint(
        op.f("ck_notifications_position"),
        "notifications",
        "(channel = 'in_app') = (position IS NOT NULL)",
    )
    op.create_unique_constraint(
        "uq_notifications_user_id_position", "notifications", ["user_id", "position"]
    )


def downgrade() -> None:
    op.drop_column("notifications", "position")
    op.drop_table("feeds")
