"""Orders leave in parcels.

What was shipped before left in one, at the moment that the timeline has.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATUS = "status IN ('pending', 'processing', {}'shipped', 'delivered', 'cancelled')"
_NEW_STATUS = "'partially_shipped', "

_MOMENT = """
    coalesce((SELECT max(at) FROM timeline WHERE timeline.order_id = orders.id
        AND kind = 'order' AND cause = '{}'), updated_at)
"""
_PARCELS = f"""
    INSERT INTO fulfilments
        (id, order_id, location, state, created_at, shipped_at, delivered_at, version)
    SELECT gen_random_uuid(), id, 'MAIN', state, shipped_at, shipped_at, delivered_at, 1
    FROM (
        SELECT id, CASE status WHEN 'delivered' THEN status ELSE 'shipped' END AS state,
            {_MOMENT.format("shipped")} AS shipped_at,
            CASE status WHEN 'delivered' THEN {_MOMENT.format("delivered")} END AS delivered_at
        FROM orders WHERE status IN ('shipped', 'delivered', 'partially_shipped')
    ) AS gone
"""  # noqa: S608  (names of ours)
#: What was partly shipped before the way back, which keeps the counters of its lines.
_PARTLY = """
    UPDATE orders SET status = 'partially_shipped' WHERE status = 'processing'
        AND EXISTS (SELECT FROM order_lines WHERE order_id = orders.id AND shipped > 0)
"""
_CONTENTS = """
    INSERT INTO fulfilment_lines (fulfilment_id, order_id, line, quantity)
    SELECT id, fulfilments.order_id, line, shipped
    FROM fulfilments JOIN order_lines USING (order_id) WHERE shipped > 0
"""


def upgrade() -> None:
    _check_status(_STATUS.format(_NEW_STATUS))
    op.create_table(
        "fulfilments",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("tracking_number", sa.Text),
        sa.Column("tracking_url", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fulfilments"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_fulfilments_order_id"),
        sa.UniqueConstraint("order_id", "key", name="uq_fulfilments_order_id_key"),
        sa.UniqueConstraint("order_id", "id", name="uq_fulfilments_order_id_id"),
        sa.CheckConstraint(
            "state IN ('packing', 'shipped', 'delivered', 'cancelled')",
            name=op.f("ck_fulfilments_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)",
            name=op.f("ck_fulfilments_shipped_at"),
        ),
        sa.CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)",
            name=op.f("ck_fulfilments_delivered_at"),
        ),
        sa.CheckConstraint(
            "(key IS NULL) = (fingerprint IS NULL)", name=op.f("ck_fulfilments_key")
        ),
    )
    op.create_index("ix_fulfilments_oldest", "fulfilments", ["order_id", "created_at", "id"])
    op.create_table(
        "fulfilment_lines",
        sa.Column("fulfilment_id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("fulfilment_id", "line", name="pk_fulfilment_lines"),
        sa.ForeignKeyConstraint(
            ["order_id", "fulfilment_id"],
            ["fulfilments.order_id", "fulfilments.id"],
            name="fk_fulfilment_lines_order_id_fulfilment_id",
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "line"],
            ["order_lines.order_id", "order_lines.line"],
            name="fk_fulfilment_lines_order_id_line",
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_fulfilment_lines_quantity")),
    )
    op.create_index("ix_fulfilment_lines_order_id_line", "fulfilment_lines", ["order_id", "line"])
    op.execute(_PARTLY)
    op.execute(_PARCELS)
    op.execute(_CONTENTS)


def downgrade() -> None:
    """An order of which a part has left is to the version before one that has not."""
    op.drop_table("fulfilment_lines")
    op.drop_table("fulfilments")
    op.execute("UPDATE orders SET status = 'processing' WHERE status = 'partially_shipped'")
    op.execute(
        "UPDATE timeline SET detail = jsonb_set(detail, '{after}', '\"processing\"')"
        " WHERE detail->>'after' = 'partially_shipped'"
    )
    op.execute(
        "UPDATE timeline SET detail = jsonb_set(detail, '{before}', '\"processing\"')"
        " WHERE detail->>'before' = 'partially_shipped'"
    )
    _check_status(_STATUS.format(""))


def _check_status(status: str) -> None:
    op.drop_constraint("ck_orders_status", "orders")
    op.create_check_constraint(op.f("ck_orders_status"), "orders", status)
