"""Payments, refunds, the append-only ledger, and the simulator's own books."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_inbox, create_outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MONEY = sa.Numeric(12, 2)
MOMENT = sa.DateTime(timezone=True)

#: The ledger is what happened: nothing in it is changed or taken away.
APPEND_ONLY = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are never changed: book another one';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
"""


def upgrade() -> None:
    create_outbox()
    create_inbox()
    _create_payments()
    _create_refunds()
    _create_ledger()
    _create_simulator()


def downgrade() -> None:
    for table in (
        "simulator_refunds",
        "simulator_charges",
        "ledger_entries",
        "refunds",
        "payments",
        "inbox",
        "outbox",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION ledger_is_append_only()")


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_reference", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("superseded", sa.Boolean, server_default=sa.text("false"), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("captured", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("refunding", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("refunded", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("action_url", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("calling_until", MOMENT, nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=False),
        sa.Column("checks", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'requires_action', 'succeeded', 'failed',"
            " 'partially_refunded', 'refunded')",
            name=op.f("ck_payments_status"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint("captured BETWEEN 0 AND amount", name=op.f("ck_payments_captured")),
        sa.CheckConstraint(
            "refunded >= 0 AND refunding >= 0 AND refunded + refunding <= captured",
            name=op.f("ck_payments_never_more_back_than_taken"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("order_id", "key", name="uq_payments_order_id_key"),
    )
    op.create_index(
        "uq_payments_order_id_active",
        "payments",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'failed' AND NOT superseded"),
    )
    op.create_index(
        "ix_payments_order_id_created_at_id", "payments", ["order_id", "created_at", "id"]
    )
    op.create_index(
        "ix_payments_open",
        "payments",
        ["next_check_at"],
        postgresql_where=sa.text("status IN ('pending', 'requires_action')"),
    )


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("payment_id", sa.UUID, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("requested_by", sa.UUID),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("provider_reference", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=False),
        sa.Column("checks", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'failed')", name=op.f("ck_refunds_status")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_refunds_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.UniqueConstraint("payment_id", "key", name="uq_refunds_payment_id_key"),
    )
    op.create_index(
        "ix_refunds_open",
        "refunds",
        ["next_check_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("payment_id", sa.UUID, nullable=False),
        sa.Column("refund_id", sa.UUID),
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_reference", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(kind = 'capture' AND refund_id IS NULL)"
            " OR (kind = 'refund' AND refund_id IS NOT NULL)",
            name=op.f("ck_ledger_entries_kind"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_entries_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_ledger_entries_payment_id"
        ),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_ledger_entries_refund_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("refund_id", name="uq_ledger_entries_refund_id"),
    )
    op.create_index("ix_ledger_entries_order_id", "ledger_entries", ["order_id"])
    op.create_index("ix_ledger_entries_payment_id", "ledger_entries", ["payment_id"])
    op.create_index(
        "uq_ledger_entries_capture",
        "ledger_entries",
        ["payment_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'capture'"),
    )
    op.execute(APPEND_ONLY)


def _create_simulator() -> None:
    op.create_table(
        "simulator_charges",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("refunded", MONEY, server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "refunded BETWEEN 0 AND amount", name=op.f("ck_simulator_charges_refunded")
        ),
        sa.PrimaryKeyConstraint("key", name="pk_simulator_charges"),
        sa.UniqueConstraint("reference", name="uq_simulator_charges_reference"),
    )
    op.create_table(
        "simulator_refunds",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("charge_reference", sa.Text, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_reference"],
            ["simulator_charges.reference"],
            name="fk_simulator_refunds_charge_reference",
        ),
        sa.PrimaryKeyConstraint("key", name="pk_simulator_refunds"),
        sa.UniqueConstraint("reference", name="uq_simulator_refunds_reference"),
    )
