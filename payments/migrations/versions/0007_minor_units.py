"""Amounts have the places of their currency: none of yen, three of dinars.

Entries of the ledger stay as they were written; their values are the same.
"""

from alembic import op

from chassis.migrations import keep_places, set_places, set_two_places

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BALANCES = """
    CREATE VIEW ledger_balances AS
    SELECT order_id, account, currency, sum(amount) AS balance
    FROM (
        SELECT order_id, debit AS account, currency, amount FROM ledger_entries
        UNION ALL
        SELECT order_id, credit, currency, -amount FROM ledger_entries
    ) AS sides
    GROUP BY order_id, account, currency
"""
_PAYMENT = ("amount", "captured", "refunding", "refunded")
_CHARGE = ("amount", "captured", "refunded")


def upgrade() -> None:
    op.execute("DROP VIEW ledger_balances")
    keep_places("ledger_entries", "amount")
    op.execute(_BALANCES)
    keep_places("payments", *_PAYMENT)
    keep_places("refunds", "amount")
    keep_places("simulator_charges", *_CHARGE)
    keep_places("simulator_refunds", "amount")
    set_places("payments", *_PAYMENT)


def downgrade() -> None:
    set_two_places("payments", *_PAYMENT)
