"""Money of a payment may be asked back several times, once for each cause.

What was asked back before is told by the timeline; nobody has kept it for money of unknown orders,
of which counts what has gone back by now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ASKED = """
INSERT INTO refund_requests (id, payment_id, order_id, cause, amount, requested_at)
SELECT gen_random_uuid(), receipts.payment_id, receipts.order_id, return_reason,
       CASE WHEN orders.id IS NULL THEN refunded ELSE coalesce(told.amount, 0) END,
       coalesce(told.at, orders.updated_at, now())
FROM receipts
LEFT JOIN orders ON orders.id = receipts.order_id
LEFT JOIN LATERAL (
    SELECT (detail->>'amount')::numeric AS amount, at FROM timeline
    WHERE timeline.order_id = receipts.order_id AND cause = 'refund_due'
    AND detail->>'payment_id' = receipts.payment_id::text
    ORDER BY timeline.id LIMIT 1
) AS told ON true
WHERE return_reason IS NOT NULL
"""
# What went back before that went by hand; an order's own payment is of its total.
_COUNTED = """
UPDATE receipts
SET requested = coalesce(known.asked, 0),
    paid = CASE WHEN known.asked IS NOT NULL
        THEN coalesce(known.total, greatest(known.asked, refunded)) END,
    by_hand = least(refunded, CASE WHEN known.asked IS NULL
        THEN refunded ELSE coalesce(known.total - known.asked, 0) END)
FROM (
    SELECT receipts.payment_id, refund_requests.amount AS asked, orders.total
    FROM receipts LEFT JOIN refund_requests USING (payment_id)
    LEFT JOIN orders ON orders.payment_id = receipts.payment_id
) AS known
WHERE known.payment_id = receipts.payment_id
"""


def upgrade() -> None:
    op.create_table(
        "refund_requests",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("payment_id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refund_requests"),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["receipts.payment_id"], name="fk_refund_requests_payment_id"
        ),
        sa.UniqueConstraint("payment_id", "cause", name="uq_refund_requests_payment_id_cause"),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_refund_requests_amount")),
    )
    op.create_index("ix_refund_requests_order_id", "refund_requests", ["order_id"])
    op.add_column("receipts", sa.Column("paid", sa.Numeric))
    for name in ("requested", "by_hand"):
        column = sa.Column(name, sa.Numeric, server_default=sa.text("0"), nullable=False)
        op.add_column("receipts", column)
    op.execute(_ASKED)
    op.execute(_COUNTED)
    op.create_check_constraint(op.f("ck_receipts_by_hand"), "receipts", "by_hand >= 0")
    op.create_check_constraint(
        op.f("ck_receipts_never_more_than_was_paid"), "receipts", "requested BETWEEN 0 AND paid"
    )
    op.drop_column("receipts", "return_reason")


def downgrade() -> None:
    op.add_column("receipts", sa.Column("return_reason", sa.Text))
    op.execute(
        "UPDATE receipts SET return_reason = cause FROM refund_requests AS asked"
        " WHERE asked.payment_id = receipts.payment_id AND cause IN"
        " ('order_cancelled', 'paid_twice', 'amount_mismatch', 'unknown_order')"
    )
    for name in ("never_more_than_was_paid", "by_hand"):
        op.drop_constraint(op.f(f"ck_receipts_{name}"), "receipts")
    for name in ("by_hand", "requested", "paid"):
        op.drop_column("receipts", name)
    op.drop_table("refund_requests")
