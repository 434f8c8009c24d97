"""Versions of categories, for `If-Match`."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "categories",
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
    )
    op.alter_column("categories", "version", server_default=None)


def downgrade() -> None:
    op.drop_column("categories", "version")
