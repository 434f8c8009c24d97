"""Webhooks, a ledger of double entries, and a simulator that misbehaves."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(12, 2)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index("ix_payments_provider_reference", "payments", ["provider_reference"])
    _create_notices()
    _double_the_entries()
    _extend_simulator()


def downgrade() -> None:
    op.drop_table("simulator_notices")
    op.drop_table("simulator_outages")
    op.drop_index("ix_simulator_refunds_created_at")
    op.drop_index("ix_simulator_refunds_charge_reference")
    op.drop_index("ix_simulator_charges_created_at")
    op.drop_index("ix_simulator_charges_open")
    op.drop_constraint(op.f("ck_simulator_charges_captured"), "simulator_charges")
    op.drop_constraint(op.f("ck_simulator_charges_refunded"), "simulator_charges")
    op.create_check_constraint(
        op.f("ck_simulator_charges_refunded"), "simulator_charges", "refunded BETWEEN 0 AND amount"
    )
    op.drop_column("simulator_charges", "captured")
    op.drop_column("simulator_charges", "passes_at")
    op.execute("DROP VIEW ledger_balances")
    op.execute("DROP TRIGGER never_emptied ON ledger_entries")
    op.drop_index("ix_ledger_entries_provider_at_id")
    op.drop_constraint("uq_ledger_entries_provider_kind_provider_reference", "ledger_entries")
    op.drop_constraint(op.f("ck_ledger_entries_accounts"), "ledger_entries")
    op.drop_constraint(op.f("ck_ledger_entries_refund_id"), "ledger_entries")
    op.create_check_constraint(
        op.f("ck_ledger_entries_kind"),
        "ledger_entries",
        "(kind = 'capture' AND refund_id IS NULL) OR (kind = 'refund' AND refund_id IS NOT NULL)",
    )
    op.drop_column("ledger_entries", "debit")
    op.drop_column("ledger_entries", "credit")
    op.drop_table("refused_notices")
    op.drop_table("provider_notices")
    op.drop_index("ix_payments_provider_reference")


def _create_notices() -> None:
    op.create_table(
        "provider_notices",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("processed_at", MOMENT),
        sa.Column("outcome", sa.Text),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "(processed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_provider_notices_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_notices"),
        sa.UniqueConstraint("provider", "event_id", name="uq_provider_notices_provider_event_id"),
    )
    op.create_index(
        "ix_provider_notices_open",
        "provider_notices",
        ["next_try_at"],
        postgresql_where=sa.text("processed_at IS NULL"),
    )
    op.create_index("ix_provider_notices_received_at", "provider_notices", ["received_at"])
    op.create_table(
        "refused_notices",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", "reason", name="pk_refused_notices"),
    )


def _double_the_entries() -> None:
    """Name the accounts of what is booked: the one time that the ledger is written again."""
    for name, of_capture, of_refund in (
        ("debit", "provider", "order"),
        ("credit", "order", "provider"),
    ):
        op.add_column("ledger_entries", sa.Column(name, sa.Text))
        op.execute("ALTER TABLE ledger_entries DISABLE TRIGGER append_only")
        op.execute(
            f"UPDATE ledger_entries SET {name} ="  # noqa: S608
            f" CASE kind WHEN 'capture' THEN '{of_capture}' ELSE '{of_refund}' END"
        )
        op.execute("ALTER TABLE ledger_entries ENABLE TRIGGER append_only")
        op.alter_column("ledger_entries", name, nullable=False)
    op.drop_constraint(op.f("ck_ledger_entries_kind"), "ledger_entries")
    op.create_check_constraint(
        op.f("ck_ledger_entries_refund_id"),
        "ledger_entries",
        "(kind = 'refund') = (refund_id IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_ledger_entries_accounts"),
        "ledger_entries",
        "(kind, debit, credit) IN (('capture', 'provider', 'order'),"
        " ('refund', 'order', 'provider'), ('dispute', 'disputed', 'provider'),"
        " ('dispute_reversed', 'provider', 'disputed'))",
    )
    op.create_unique_constraint(
        "uq_ledger_entries_provider_kind_provider_reference",
        "ledger_entries",
        ["provider", "kind", "provider_reference"],
    )
    # The reconciliation reads the entries of a time, some after others.
    op.create_index("ix_ledger_entries_provider_at_id", "ledger_entries", ["provider", "at", "id"])
    # TRUNCATE fires no trigger of rows.
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
    )
    op.execute("""
        CREATE VIEW ledger_balances AS
        SELECT order_id, account, currency, sum(amount) AS balance
        FROM (
            SELECT order_id, debit AS account, currency, amount FROM ledger_entries
            UNION ALL
            SELECT order_id, credit, currency, -amount FROM ledger_entries
        ) AS sides
        GROUP BY order_id, account, currency
    """)


def _extend_simulator() -> None:
    op.add_column(
        "simulator_charges",
        sa.Column("captured", MONEY, server_default=sa.text("0"), nullable=False),
    )
    op.execute("UPDATE simulator_charges SET captured = amount WHERE status = 'succeeded'")
    op.add_column("simulator_charges", sa.Column("passes_at", MOMENT))
    op.drop_constraint(op.f("ck_simulator_charges_refunded"), "simulator_charges")
    op.create_check_constraint(
        op.f("ck_simulator_charges_captured"), "simulator_charges", "captured BETWEEN 0 AND amount"
    )
    op.create_check_constraint(
        op.f("ck_simulator_charges_refunded"),
        "simulator_charges",
        "refunded BETWEEN 0 AND captured",
    )
    op.create_table(
        "simulator_notices",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("charge_reference", sa.Text, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_reference"],
            ["simulator_charges.reference"],
            name="fk_simulator_notices_charge_reference",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_simulator_notices"),
    )
    op.create_index("ix_simulator_notices_due_at", "simulator_notices", ["due_at"])
    op.create_table(
        "simulator_outages",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_simulator_outages"),
    )
    op.create_index(
        "ix_simulator_charges_open",
        "simulator_charges",
        ["created_at"],
        postgresql_where=sa.text("status = 'requires_action'"),
    )
    op.create_index("ix_simulator_charges_created_at", "simulator_charges", ["created_at"])
    op.create_index("ix_simulator_refunds_created_at", "simulator_refunds", ["created_at"])
    op.create_index(
        "ix_simulator_refunds_charge_reference", "simulator_refunds", ["charge_reference"]
    )
