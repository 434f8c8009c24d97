"""Keys of corrections of stock: each is booked once, also when the call comes again."""

from alembic import op

from chassis.migrations import create_request_keys

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_request_keys(op)


def downgrade() -> None:
    op.drop_table("request_keys")
