"""Events of products and inventory: what staff do there."""

from alembic import op

from chassis.migrations import create_outbox

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_outbox()


def downgrade() -> None:
    op.drop_table("outbox")
