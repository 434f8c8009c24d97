"""Checkouts tell how often they were taken up, and why that was not the end."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "checkouts",
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    op.add_column("checkouts", sa.Column("reason", sa.Text))


def downgrade() -> None:
    op.drop_column("checkouts", "reason")
    op.drop_column("checkouts", "attempts")
