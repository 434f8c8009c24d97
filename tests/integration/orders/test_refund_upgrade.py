"""What was asked back before there were requests is kept, up and down."""

import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command

from tests.support import earlier_installation

BEFORE, THIS = "0006", "0007"


@pytest.fixture
def database(servers):
    """Tables of the version before: `run(sql, **values)` gives rows, `to(version)` migrates."""
    with earlier_installation(servers, "orders") as (engine, alembic):

        class Database:
            def run(self, statement, **values):
                with engine.begin() as connection:
                    found = connection.execute(sa.text(statement), values)
                    return [tuple(row) for row in found] if found.returns_rows else []

            def to(self, version, way=command.upgrade):
                way(alembic, version)

        command.upgrade(alembic, BEFORE)
        yield Database()


def order(database, total, payment_id=None):
    order_id = uuid.uuid4()
    database.run(
        "INSERT INTO orders (id, user_id, status, payment_status, total, currency,"
        " shipping_address, fingerprint, payment_id, created_at, updated_at, expires_at, version)"
        " VALUES (:id, :id, 'processing', 'paid', :total, 'EUR', '{}', '', :payment, now(), now(),"
        " now(), 1)",
        id=order_id, total=total, payment=payment_id,
    )  # fmt: skip
    return order_id


def receipt(database, order_id, refunded, reason=None, asked=None, payment_id=None):
    payment_id = payment_id or uuid.uuid4()
    database.run(
        "INSERT INTO receipts (payment_id, order_id, refunded, return_reason)"
        " VALUES (:payment, :order, :refunded, :reason)",
        payment=payment_id, order=order_id, refunded=refunded, reason=reason,
    )  # fmt: skip
    if asked:
        database.run(
            "INSERT INTO timeline (order_id, at, kind, cause, actor, detail) VALUES (:order,"
            " now(), 'payment', 'refund_due', 'system', jsonb_build_object('payment_id',"
            " CAST(:payment AS text), 'amount', CAST(:asked AS text)))",
            order=order_id, payment=str(payment_id), asked=asked,
        )  # fmt: skip
    return payment_id


def test_what_was_asked_back(database):
    """Of an order's payment that a part of went by hand before, of all of one, of one that only
    staff gave back, of a second payment, of one that was all given back before, and of one for no
    order."""
    mine = [uuid.uuid4() for _ in range(4)]
    orders = [order(database, "30.00", payment_id) for payment_id in mine]
    receipt(database, orders[0], "30.00", "order_cancelled", "25.00", mine[0])
    receipt(database, orders[1], "0", "order_cancelled", "30.00", mine[1])
    receipt(database, orders[2], "7.50", payment_id=mine[2])
    second = receipt(database, orders[2], "0", "paid_twice", "30.00")
    receipt(database, orders[3], "30.00", "order_cancelled", payment_id=mine[3])
    strange = receipt(database, uuid.uuid4(), "4.00", "unknown_order")
    before = sorted(database.run("SELECT payment_id, refunded, return_reason FROM receipts"))
    database.to(THIS)
    kept = database.run(
        "SELECT receipts.payment_id, paid, requested, by_hand, refunded, cause, amount"
        " FROM receipts LEFT JOIN refund_requests USING (payment_id)"
    )
    assert {row[0]: tuple(map(str, row[1:])) for row in kept} == {
        mine[0]: ("30.00", "25.00", "5.00", "30.00", "order_cancelled", "25.00"),
        mine[1]: ("30.00", "30.00", "0.00", "0.00", "order_cancelled", "30.00"),
        mine[2]: ("None", "0", "7.50", "7.50", "None", "None"),
        second: ("30.00", "30.00", "0.00", "0.00", "paid_twice", "30.00"),
        mine[3]: ("30.00", "0", "30.00", "30.00", "order_cancelled", "0"),
        strange: ("4.00", "4.00", "0", "4.00", "unknown_order", "4.00"),
    }
    database.to(BEFORE, command.downgrade)
    after = sorted(database.run("SELECT payment_id, refunded, return_reason FROM receipts"))
    assert after == before


def test_several_causes_become_none(database):
    """The version before knows of money that went back in parts how much it was."""
    payment_id = uuid.uuid4()
    order_id = order(database, "30.00", payment_id)
    database.to(THIS)
    database.run(
        "INSERT INTO receipts (payment_id, order_id, paid, requested, refunded)"
        " VALUES (:payment, :order, 30, 20, 10)",
        payment=payment_id, order=order_id,
    )  # fmt: skip
    for cause in ("return:1:1", "cancel_items:1"):
        database.run(
            "INSERT INTO refund_requests (id, payment_id, order_id, cause, amount, requested_at)"
            " VALUES (gen_random_uuid(), :payment, :order, :cause, 10, now())",
            payment=payment_id, order=order_id, cause=cause,
        )  # fmt: skip
    database.to(BEFORE, command.downgrade)
    rows = database.run("SELECT refunded, return_reason FROM receipts")
    assert rows == [(Decimal("10.00"), None)]
