"""Carts know where they are to go, as far as tax and shipping need it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("carts", sa.Column("address", JSONB))


def downgrade() -> None:
    op.drop_column("carts", "address")
