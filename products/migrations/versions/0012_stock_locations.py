"""Stock lies at locations, and what an order has paid for lies there until it is shipped.

All that is there is at one location, MAIN. Until now stock was taken off the books when its order
was paid; such orders stay as they are until orders tells that they wait for their shipping
(`order_awaits_shipping`), which opens their reservations again.
"""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_request_keys

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MAIN = sa.text("'MAIN'")
_OLD_KINDS = "'initial', 'adjust', 'reserve', 'expire', 'release', 'commit', 'restock'"
_NEW_KINDS = f"{_OLD_KINDS}, 'ship', 'return', 'transfer_out', 'transfer_in', 'reopen'"

#: What is on its way between locations is back where it was sent from, as if its transfer had been
#: cancelled: the version before knows of no other place for it.
_BRING_BACK = """
    WITH back AS (
        SELECT transfer_id, variant_id, source, sent - received AS quantity
        FROM transfer_lines JOIN transfers ON transfers.id = transfer_id
        WHERE state = 'sent' AND received < sent
    ),
    counted AS (
        UPDATE stock SET on_hand = on_hand + quantity, version = version + 1
        FROM (
            SELECT variant_id, source, sum(quantity) AS quantity FROM back GROUP BY 1, 2
        ) AS total
        WHERE stock.variant_id = total.variant_id AND stock.location = total.source
    )
    INSERT INTO movements
        (variant_id, location, kind, delta_on_hand, delta_reserved, cause_id, reason, at)
    SELECT variant_id, source, 'transfer_in', quantity, 0, transfer_id, 'transfer cancelled', now()
    FROM back
"""
#: What is still to be shipped is taken off the books, as the version before has it.
_COMMIT = """
    INSERT INTO movements
        (variant_id, location, kind, delta_on_hand, delta_reserved, order_id, reason, at)
    SELECT variant_id, location, 'commit', shipped + cancelled - quantity,
        shipped + cancelled - quantity, order_id, 'order paid', now()
    FROM reservation_lines WHERE held_until = 'infinity'
"""
_COUNT = """
    UPDATE stock SET on_hand = on_hand - open, reserved = reserved - open, version = version + 1
    FROM (
        SELECT variant_id, location, sum(quantity - shipped - cancelled) AS open
        FROM reservation_lines WHERE held_until = 'infinity' GROUP BY variant_id, location
    ) AS paid
    WHERE stock.variant_id = paid.variant_id AND stock.location = paid.location
"""
_OLD_WORDS = """
    UPDATE movements SET kind = CASE kind
        WHEN 'ship' THEN 'commit' WHEN 'return' THEN 'restock' WHEN 'reopen' THEN 'restock'
        ELSE 'adjust' END
    WHERE kind IN ('ship', 'return', 'reopen', 'transfer_out', 'transfer_in')
"""
#: Cancelled units are none of the order's; what it has at several locations is one line.
_ONE_LINE = """
    UPDATE reservation_lines AS line SET quantity = whole.quantity, is_whole = true
    FROM (
        SELECT order_id, variant_id, min(location) AS location,
            sum(quantity - cancelled) AS quantity
        FROM reservation_lines GROUP BY order_id, variant_id
    ) AS whole
    WHERE line.order_id = whole.order_id AND line.variant_id = whole.variant_id
        AND line.location = whole.location AND whole.quantity > 0
"""
_ONE_STOCK = """
    INSERT INTO stock (variant_id, location, on_hand, reserved, version)
    SELECT variant_id, 'MAIN', sum(on_hand), sum(reserved), sum(version)
    FROM stock GROUP BY variant_id
    ON CONFLICT (variant_id, location) DO UPDATE SET on_hand = excluded.on_hand,
        reserved = excluded.reserved, version = excluded.version
"""


def upgrade() -> None:
    _create_locations()
    for table in ("reservation_lines", "movements"):
        op.drop_constraint(f"fk_{table}_variant_id", table)
        op.add_column(table, sa.Column("location", sa.Text, server_default=MAIN, nullable=False))
    op.add_column("stock", sa.Column("location", sa.Text, server_default=MAIN, nullable=False))
    op.drop_constraint("pk_stock", "stock")
    op.create_primary_key("pk_stock", "stock", ["variant_id", "location"])
    op.create_foreign_key("fk_stock_location", "stock", "locations", ["location"], ["code"])
    version = sa.Column("version", sa.Integer, server_default=sa.text("1"), nullable=False)
    op.add_column("reservations", version)
    _upgrade_reservation_lines()
    _upgrade_movements()
    _create_transfers()


def _create_locations() -> None:
    op.create_table(
        "locations",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'", name=op.f("ck_locations_code_form")
        ),
        sa.PrimaryKeyConstraint("code", name="pk_locations"),
    )
    op.execute("INSERT INTO locations VALUES ('MAIN', 'Main warehouse', NULL, 1, true, 1)")


def _upgrade_reservation_lines() -> None:
    table = "reservation_lines"
    for name in ("shipped", "cancelled"):
        column = sa.Column(name, sa.Integer, server_default=sa.text("0"), nullable=False)
        op.add_column(table, column)
    op.drop_constraint("pk_reservation_lines", table)
    op.create_primary_key("pk_reservation_lines", table, ["order_id", "variant_id", "location"])
    op.create_check_constraint(
        op.f("ck_reservation_lines_parts_within_quantity"),
        table,
        "shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity",
    )
    op.create_check_constraint(
        op.f("ck_reservation_lines_holds_something"),
        table,
        "held_until IS NULL OR shipped + cancelled < quantity",
    )
    _refer_to_stock(table)
    op.drop_index("ix_reservation_lines_held", table)
    op.create_index(
        "ix_reservation_lines_held",
        table,
        ["variant_id", "location", "held_until"],
        postgresql_include=["quantity", "shipped", "cancelled"],
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )


def _upgrade_movements() -> None:
    op.add_column("movements", sa.Column("cause_id", sa.UUID))
    _refer_to_stock("movements")
    op.drop_constraint("ck_movements_kind_known", "movements")
    _allow_kinds(_NEW_KINDS)
    op.create_index(
        "uq_movements_cause",
        "movements",
        ["cause_id", "kind", "variant_id", "location"],
        unique=True,
        postgresql_where=sa.text("cause_id IS NOT NULL"),
    )


def _create_transfers() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "transfers",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "state IN ('sent', 'received', 'cancelled')", name=op.f("ck_transfers_state_known")
        ),
        sa.CheckConstraint("source <> target", name=op.f("ck_transfers_goes_somewhere")),
        sa.ForeignKeyConstraint(["source"], ["locations.code"], name="fk_transfers_source"),
        sa.ForeignKeyConstraint(["target"], ["locations.code"], name="fk_transfers_target"),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
    )
    op.create_index("ix_transfers_newest", "transfers", ["created_at", "id"])
    op.create_table(
        "transfer_lines",
        sa.Column("transfer_id", sa.UUID, nullable=False),
        sa.Column("variant_id", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("received", sa.Integer, nullable=False),
        sa.CheckConstraint("sent > 0", name=op.f("ck_transfer_lines_sent_positive")),
        sa.CheckConstraint(
            "received BETWEEN 0 AND sent", name=op.f("ck_transfer_lines_received_within_sent")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name="fk_transfer_lines_transfer_id"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name="fk_transfer_lines_variant_id"
        ),
        sa.PrimaryKeyConstraint("transfer_id", "variant_id", name="pk_transfer_lines"),
    )
    create_request_keys()


def downgrade() -> None:
    op.execute(_BRING_BACK)
    for table in ("request_keys", "transfer_lines", "transfers"):
        op.drop_table(table)
    op.execute(_COMMIT)
    op.execute(_COUNT)
    op.execute("UPDATE reservation_lines SET held_until = NULL WHERE held_until = 'infinity'")
    _downgrade_movements()
    _downgrade_reservation_lines()
    op.drop_column("reservations", "version")
    op.execute(_ONE_STOCK)
    op.execute("DELETE FROM stock WHERE location <> 'MAIN'")
    op.drop_constraint("fk_stock_location", "stock")
    op.drop_constraint("pk_stock", "stock")
    op.drop_column("stock", "location")
    op.create_primary_key("pk_stock", "stock", ["variant_id"])
    for table in ("reservation_lines", "movements"):
        op.create_foreign_key(
            f"fk_{table}_variant_id", table, "stock", ["variant_id"], ["variant_id"]
        )
    op.drop_table("locations")


def _downgrade_movements() -> None:
    op.drop_index("uq_movements_cause", "movements")
    op.drop_constraint("ck_movements_kind_known", "movements")
    op.execute("ALTER TABLE movements DISABLE TRIGGER movements_are_append_only")
    op.execute(_OLD_WORDS)
    op.execute("ALTER TABLE movements ENABLE TRIGGER movements_are_append_only")
    _allow_kinds(_OLD_KINDS)
    op.drop_constraint("fk_movements_stock", "movements")
    op.drop_column("movements", "location")
    op.drop_column("movements", "cause_id")


def _downgrade_reservation_lines() -> None:
    table = "reservation_lines"
    op.drop_constraint("fk_reservation_lines_stock", table)
    op.drop_constraint("ck_reservation_lines_holds_something", table)
    op.drop_constraint("ck_reservation_lines_parts_within_quantity", table)
    op.execute("DELETE FROM reservation_lines WHERE quantity = cancelled")
    op.drop_constraint("pk_reservation_lines", table)
    op.execute("ALTER TABLE reservation_lines ADD COLUMN is_whole boolean")
    op.execute(_ONE_LINE)
    op.execute("DELETE FROM reservation_lines WHERE is_whole IS NULL")
    op.drop_index("ix_reservation_lines_held", table)
    for column in ("is_whole", "location", "shipped", "cancelled"):
        op.drop_column(table, column)
    op.create_primary_key("pk_reservation_lines", table, ["order_id", "variant_id"])
    op.create_index(
        "ix_reservation_lines_held",
        table,
        ["variant_id", "held_until"],
        postgresql_include=["quantity"],
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )


def _refer_to_stock(table: str) -> None:
    key = ["variant_id", "location"]
    op.create_foreign_key(f"fk_{table}_stock", table, "stock", key, key)


def _allow_kinds(kinds: str) -> None:
    op.create_check_constraint(op.f("ck_movements_kind_known"), "movements", f"kind IN ({kinds})")
