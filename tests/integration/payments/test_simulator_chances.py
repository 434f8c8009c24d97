"""Faults by chance: whatever befalls whom, everything ends, and each order is paid at most once."""

import uuid

import eventlet
import pytest

from payments.providers.simulator import scripts
from payments.service import PaymentsService


@pytest.fixture
def chances():
    """What is set; tests may fill it before the service is there."""
    return {}


@pytest.fixture
def service(start, clock, config, chances):
    """A service whose provider has faults."""
    simulator = {"seed": 11, "chances": chances}
    (container,) = start(
        PaymentsService,
        payments={"call_seconds": 1, "provider": "simulator", "simulator": simulator},
    )
    return container


_UNDECIDED = "SELECT 1 FROM payments WHERE status IN ('pending', 'requires_action')"
_PAID = "SELECT order_id FROM payments WHERE status = 'succeeded' AND NOT superseded"
_KEPT = "SELECT sum(captured - refunded) AS money FROM simulator_charges"
_ASKED = "SELECT sum(amount) AS money FROM payments WHERE status = 'succeeded'"


@pytest.mark.parametrize("chances", [dict.fromkeys(scripts.FAULTS, 0.12)], ids=["all"])
def test_whatever_befalls_them_payments_end(pay, sql, clock, eventually, chances):
    """Sixty orders, as many keys each as it takes: in the end each is paid, once, and all that was
    taken beyond that has gone back."""
    unpaid, turns = {str(uuid.uuid4()) for _ in range(60)}, 0
    while unpaid:
        turns += 1
        assert turns < 15
        tries = [eventlet.spawn(pay, order_id=order, key=str(turns)) for order in unpaid]
        assert all(one.wait() for one in tries)
        clock.advance(seconds=302)
        eventually(lambda: not sql(_UNDECIDED), timeout=30)
        unpaid -= {str(row["order_id"]) for row in sql(_PAID)}
    eventually(lambda: not sql("SELECT 1 FROM refunds WHERE status = 'pending'"), timeout=30)
    assert sql(_KEPT) == sql(_ASKED)
    assert len(sql("SELECT DISTINCT failure_code FROM payments")) >= 5


@pytest.mark.parametrize("chances", [{fault: 1} for fault in scripts.ANSWERS])
def test_a_refund_whose_answer_does_not_come_is_given_once(
    pay, payments, sql, clock, eventually, chances
):
    """Lost on its way there or back, or nobody there: the sweep asks again under the same key."""
    payment = pay("tok_notice_lost")
    asked = {"payment_id": payment["id"], "amount": "30.00", "reason": "x", "key": "a"}
    assert payments.refund(**asked)["refunded"] == "0.00"
    clock.advance(seconds=20)
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == "30.00")
    assert payments.refund(**asked)["replayed"]
    assert [str(row["amount"]) for row in sql("SELECT amount FROM simulator_refunds")] == ["30.00"]
