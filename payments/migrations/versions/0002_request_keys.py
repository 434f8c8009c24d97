"""Keys of refunds belong to whoever asks, and end after a day."""

from alembic import op

from chassis.migrations import create_request_keys

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_request_keys()


def downgrade() -> None:
    op.drop_table("request_keys")
