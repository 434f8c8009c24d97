"""The database's own promises, whatever a program does."""

import uuid

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError


@pytest.fixture
def payment(pay):
    """A payment of 100.00 that succeeded."""
    return pay()


@pytest.mark.parametrize(
    "change",
    [
        "refunded = 100.01",
        "refunding = 100.01",
        "refunded = 60, refunding = 40.01",
        "captured = 100.01",
        "captured = -1",
        "refunding = -0.01",
        "refunded = -0.01",
        "amount = 0",
        "status = 'lost'",
    ],
)
def test_never_more_back_than_taken(payment, sql, change):
    """Totals that cannot be are refused by the database."""
    with pytest.raises(IntegrityError):
        sql(f"UPDATE payments SET {change}")


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_entries SET amount = 1", "DELETE FROM ledger_entries"]
)
def test_the_ledger_is_append_only(payment, sql, statement):
    """What is booked stays booked."""
    with pytest.raises(DBAPIError, match="never changed"):
        sql(statement)


def test_a_payment_is_captured_once(payment, sql):
    """A second capture of the same payment is refused by the database."""
    with pytest.raises(IntegrityError):
        sql(
            "INSERT INTO ledger_entries (payment_id, order_id, kind, amount, currency, provider,"
            " provider_reference, at) SELECT payment_id, order_id, kind, amount, currency,"
            " provider, provider_reference, at FROM ledger_entries"
        )


def test_an_order_has_one_active_payment(payment, sql):
    """A second payment that is not failed is refused by the database."""
    with pytest.raises(IntegrityError, match="uq_payments_order_id_active"):
        sql(
            "INSERT INTO payments (id, order_id, user_id, key, provider, status, amount, currency,"
            " created_at, calling_until, next_check_at) SELECT :id, order_id, user_id, 'other',"
            " provider, 'pending', amount, currency, created_at, calling_until, next_check_at"
            " FROM payments",
            id=uuid.uuid4(),
        )
