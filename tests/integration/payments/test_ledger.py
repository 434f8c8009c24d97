"""The database's own promises, whatever a program does."""

import uuid
from decimal import Decimal

import eventlet
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from chassis import config as configuration
from payments.ledger import store as ledger
from payments.models import Payment

#: What an entry has, in the order of `enter`.
_COLUMNS = (
    "payment_id, refund_id, order_id, kind, debit, credit, amount, currency, provider,"
    " provider_reference, at"
)


@pytest.fixture
def payment(pay):
    """A payment of 100.00 that succeeded."""
    return pay()


@pytest.fixture
def enter(payment, sql):
    """`enter(kind="'refund'")`: another entry like the capture, but for what is given (SQL)."""

    def insert(**changes):
        values = (changes.get(name, name) for name in _COLUMNS.split(", "))
        sql(
            f"INSERT INTO ledger_entries ({_COLUMNS})"
            f" SELECT {', '.join(values)} FROM ledger_entries WHERE kind = 'capture'"
        )

    return insert


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("refunded = 100.01", "never_more_back_than_taken"),
        ("refunding = 100.01", "never_more_back_than_taken"),
        ("refunded = 60, refunding = 40.01", "never_more_back_than_taken"),
        ("refunding = -0.01", "never_more_back_than_taken"),
        ("refunded = -0.01", "never_more_back_than_taken"),
        ("captured = 100.01", "captured"),
        ("captured = -1", "captured"),
        ("amount = 0", "amount"),
        ("status = 'lost'", "status"),
    ],
)
def test_totals_that_cannot_be(payment, sql, change, constraint):
    """Never more given back than taken: the database refuses it."""
    with pytest.raises(IntegrityError, match=rf'"ck_payments_{constraint}"'):
        sql(f"UPDATE payments SET {change}")


def test_never_more_back_than_taken_without_a_lock(payment, config):
    """Many at once who look at nothing and lock nothing: only what was taken is promised."""
    engine = sa.create_engine(configuration.database_url(config, "payments"), pool_size=20)

    def promise(_):
        try:
            with Session(engine) as session, session.begin():
                row = session.get_one(Payment, uuid.UUID(payment["id"]))
                ledger.reserve(session, row, Decimal(30))
        except IntegrityError as refused:
            return refused.orig.diag.constraint_name
        return "promised"

    answers = list(eventlet.GreenPool(20).imap(promise, range(20)))
    assert answers.count("promised") == 3
    assert set(answers) == {"promised", "ck_payments_never_more_back_than_taken"}
    with Session(engine) as session, session.begin():
        row = session.get_one(Payment, uuid.UUID(payment["id"]))
        assert row.refunding == 90
        ledger.reserve(session, row, Decimal(-90))
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "TRUNCATE payments CASCADE",
    ],
)
def test_the_ledger_is_append_only(payment, sql, statement):
    """What is booked stays booked."""
    with pytest.raises(DBAPIError, match="never changed"):
        sql(statement)


def test_a_payment_is_captured_once(enter):
    """A second capture of the same payment is refused, under whatever name."""
    with pytest.raises(IntegrityError, match="uq_ledger_entries_capture"):
        enter(provider_reference="'another'")


def test_a_movement_is_booked_once(enter):
    """What a provider has told of is in the books once, whichever payment it is told of."""
    dispute = {"kind": "'dispute'", "debit": "'disputed'", "credit": "'provider'"}
    enter(**dispute)
    with pytest.raises(IntegrityError, match="uq_ledger_entries_provider_kind_provider_reference"):
        enter(**dispute)
    enter(**dispute, provider_reference="'another'")
    enter(**dispute, provider="'another'")


def test_a_refund_is_booked_once(enter, payments, payment):
    """A second entry of one refund is refused."""
    payments.refund(payment_id=payment["id"], amount="1.00", reason="x")
    refund = {"kind": "'refund'", "debit": "'order'", "credit": "'provider'"}
    refund |= {"refund_id": "(SELECT id FROM refunds)", "provider_reference": "'another'"}
    with pytest.raises(IntegrityError, match="uq_ledger_entries_refund_id"):
        enter(**refund)


@pytest.mark.parametrize(
    ("kind", "debit", "credit"),
    [
        ("dispute", "provider", "order"),
        ("dispute", "disputed", "disputed"),
        ("dispute_reversed", "disputed", "provider"),
        ("dispute", "order", "provider"),
        ("fee", "provider", "order"),
    ],
)
def test_a_kind_has_its_accounts(enter, kind, debit, credit):
    """Money moves between the accounts that its kind says, and between no others."""
    with pytest.raises(IntegrityError, match="ck_ledger_entries_accounts"):
        enter(kind=f"'{kind}'", debit=f"'{debit}'", credit=f"'{credit}'")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"kind": "'refund'", "debit": "'order'", "credit": "'provider'"}, "refund_id"),
        ({"kind": "'dispute'", "debit": "'disputed'", "credit": "'provider'", "amount": "0"},
         "amount"),
        ({"kind": "'dispute'", "debit": "'disputed'", "credit": "'provider'", "amount": "-1"},
         "amount"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be(enter, changes, constraint):
    """A refund's entry names the refund, and money moves forward."""
    with pytest.raises(IntegrityError, match=rf'"ck_ledger_entries_{constraint}"'):
        enter(**changes)


def test_the_accounts_add_up(payments, pay, enter, sql, payment):
    """Captures, refunds and disputes of two orders: what each account has, and nothing altogether,
    for each order and in total."""
    payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
    dispute = {"kind": "'dispute'", "debit": "'disputed'", "credit": "'provider'"}
    enter(**dispute, amount="20")
    back = {"kind": "'dispute_reversed'", "debit": "'provider'", "credit": "'disputed'"}
    enter(**back, amount="5")
    yen = pay(order_id=str(uuid.uuid4()), currency="JPY")
    rows = sql("SELECT * FROM ledger_balances")
    found = {(str(row["order_id"]), row["account"]): row["balance"] for row in rows}
    ours, theirs = payment["order_id"], yen["order_id"]
    assert found == {
        (ours, "provider"): 55,
        (ours, "order"): -70,
        (ours, "disputed"): 15,
        (theirs, "provider"): 100,
        (theirs, "order"): -100,
    }
    for per in ("order_id, currency", "currency"):
        sums = sql(f"SELECT sum(balance) AS sum FROM ledger_balances GROUP BY {per}")
        assert [row["sum"] for row in sums] == [0, 0]


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
