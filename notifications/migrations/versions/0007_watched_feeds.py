"""Feeds note for how long somebody watches them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feeds", sa.Column("watched_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("feeds", "watched_until")
