"""Each way in which the provider misbehaves ends in the one right state, captured at most once."""

from decimal import Decimal

import eventlet
import pytest

from chassis.errors import Conflict


@pytest.fixture
def taken(sql):
    """`taken()`: what the provider has taken in all."""
    return lambda: sql("SELECT coalesce(sum(captured), 0) AS sum FROM simulator_charges")[0]["sum"]


def test_a_request_that_never_arrived_takes_nothing(pay, status, taken, told, clock, eventually):
    """The time-out came before the charge: nothing is there to be found, and in the end the order
    may be paid again."""
    assert pay("tok_timeout_before")["status"] == "pending"
    clock.advance(seconds=301)
    eventually(lambda: status() == ["failed"])
    assert taken() == 0
    assert told()[0][1]["failure_code"] == "not_received"
    assert pay(key="2")["status"] == "succeeded"
    assert taken() == 100


def test_a_repeat_of_what_never_arrived_is_charged_once(by_hand, pay, taken):
    """The buyer tries again under the same key; now it arrives."""
    pay("tok_timeout_before")
    assert pay("tok_timeout_before")["status"] == "succeeded"
    assert pay("tok_timeout_before")["status"] == "succeeded"
    assert taken() == 100


def test_a_provider_that_is_down_settles_nothing(pay, status, taken, clock, sql, eventually):
    """While nobody is there it stays unknown, however long we have waited; then it is decided."""
    assert pay("tok_down")["status"] == "pending"
    sql("UPDATE simulator_outages SET until = until + interval '1 hour'")
    clock.advance(seconds=600)
    eventually(lambda: sql("SELECT 1 FROM payments WHERE checks > 0"))
    assert status() == ["pending"]
    with pytest.raises(Conflict):
        pay(key="2")
    clock.advance(hours=2)
    eventually(lambda: status() == ["failed"])
    assert taken() == 0


def test_a_provider_that_is_up_again_takes_the_repeat(pay, taken, clock, eventually):
    """It was down for some seconds: the same key charges then, once."""
    pay("tok_down")
    assert pay("tok_down")["status"] == "pending"
    clock.advance(seconds=6)
    assert eventually(lambda: pay("tok_down")["status"] == "succeeded")
    assert taken() == 100


def test_a_challenge_that_is_passed_pays(pay, status, taken, told, clock, eventually):
    """The buyer comes back to nothing of ours: a look-up finds that the money was taken."""
    assert pay("tok_3ds_passes")["status"] == "requires_action"
    assert taken() == 0
    clock.advance(seconds=3)
    eventually(lambda: status() == ["succeeded"])
    assert taken() == 100
    assert [event for event, _ in told()] == ["payment_succeeded"]


@pytest.mark.parametrize(("currency", "amount", "half"), [
    ("EUR", "100.00", "50.00"), ("EUR", "0.99", "0.49"),
    ("JPY", "101", "50"), ("KWD", "0.015", "0.007"),
])  # fmt: skip
def test_a_part_does_not_pay(payments, pay, order, sql, told, eventually, currency, amount, half):
    """Less came than was asked for: it is booked, goes back at once, and the order may be paid
    again; the others hear of a failed payment and nothing else."""
    order |= {"currency": currency, "amount": amount}
    payment = pay("tok_partial")
    assert (payment["status"], payment["failure_code"]) == ("failed", "partial_capture")
    failed = {**order, "payment_id": payment["id"], "failure_code": "partial_capture"}
    assert told() == [("payment_failed", failed)]
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == half)
    entries = sql("SELECT kind, amount FROM ledger_entries ORDER BY id")
    assert entries == [{"kind": kind, "amount": Decimal(half)} for kind in ("capture", "refund")]
    again = pay("tok_partial")
    assert (again["status"], again["id"]) == ("failed", payment["id"])
    assert pay(key="2")["status"] == "succeeded"
    assert [event for event, _ in told()] == ["payment_failed", "payment_succeeded"]


def test_the_smallest_coin_has_no_half(pay, taken):
    """What can't be divided is taken whole."""
    assert pay("tok_partial", amount="0.01")["status"] == "succeeded"
    assert taken() == Decimal("0.01")


def test_a_part_that_comes_late_goes_back(pay, slow_provider, status, told, sql, clock, eventually):
    """We had given up when half of the money came: the failure is told once."""
    hanging = eventlet.spawn(pay, "tok_partial")
    eventually(lambda: status() == ["pending"])
    clock.advance(seconds=311)
    eventually(lambda: status() == ["failed"])
    slow_provider.send()
    assert hanging.wait()["failure_code"] == "partial_capture"
    eventually(lambda: sql("SELECT 1 FROM payments WHERE refunded = captured AND captured = 50"))
    assert status() == ["failed"]
    assert [event for event, _ in told()] == ["payment_failed"]


def test_more_than_was_asked_for_is_never_booked(pay, status, sql, clock, eventually):
    """Such money can't be ours: nothing is booked until somebody has looked."""
    pay("tok_timeout")
    sql("UPDATE simulator_charges SET amount = 200, captured = 200")
    eventually(lambda: sql("SELECT 1 FROM payments WHERE checks > 0"))
    clock.advance(minutes=10)
    eventually(lambda: sql("SELECT 1 FROM payments WHERE checks > 1"))
    assert status() == ["pending"]
    assert sql("SELECT 1 FROM ledger_entries") == []
    sql("UPDATE simulator_charges SET amount = 100, captured = 100")
