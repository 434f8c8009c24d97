"""Mails with the way to a new password name the request that their token is asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("reset_id", sa.UUID))


def downgrade() -> None:
    op.drop_column("notifications", "reset_id")
