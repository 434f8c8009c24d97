"""Products have a tax class; those that are there are taxed as most are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "products", sa.Column("tax_class", sa.Text, nullable=False, server_default="standard")
    )
    op.execute(
        "ALTER TABLE products ADD CONSTRAINT ck_products_tax_class"
        " CHECK (tax_class ~ '^[a-z0-9_]{1,50}$')"
    )


def downgrade() -> None:
    op.drop_column("products", "tax_class")
