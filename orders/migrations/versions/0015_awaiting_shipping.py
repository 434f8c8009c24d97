"""Inventory learns which orders are paid and have not been shipped.

Until now an order's stock was off the books once it was paid; from now on it is on them until it is
shipped.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TELL = """
    INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)
    SELECT gen_random_uuid(), 'orders', 'order_awaits_shipping',
        jsonb_build_object('order_id', id), '{}', now()
    FROM orders WHERE status = 'processing' ORDER BY created_at
"""


def upgrade() -> None:
    op.execute(_TELL)


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE type = 'order_awaits_shipping' AND sent_at IS NULL")
