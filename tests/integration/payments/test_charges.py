"""Charging an order: once, whoever asks how often."""

import uuid

import eventlet
import pytest

from chassis.errors import Conflict, Invalid, NotFound
from tests.integration.payments.conftest import STAFF


def attempt(function, *args, **kwargs):
    """What it returns, or the fault it raises."""
    try:
        return function(*args, **kwargs)
    except (Conflict, Invalid) as fault:
        return fault


def test_a_charge_is_taken_booked_and_told(payments, order, pay, sql, told):
    """The payment succeeds, the ledger has one capture, the world hears of it once."""
    payment = pay()
    assert payment == payments.get(payment_id=payment["id"])
    assert payment["created_at"].endswith("Z") or payment["created_at"].endswith("+00:00")
    facts = {name: payment[name] for name in order.keys() - {"order_number"}}
    assert facts | {"order_number": order["order_number"]} == order
    shown = ("provider", "status", "refunded", "action_url", "failure_code")
    assert [payment[name] for name in shown] == ["simulator", "succeeded", "0.00", None, None]
    entries = sql("SELECT kind, amount, currency, order_id::text FROM ledger_entries")
    assert [(e["kind"], str(e["amount"]), e["currency"]) for e in entries] == [
        ("capture", "100.00", "EUR")
    ]
    assert told() == [("payment_succeeded", {**order, "payment_id": payment["id"]})]


@pytest.mark.parametrize(
    ("token", "code"),
    [("tok_declined", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")],
)
def test_a_refused_card_takes_nothing_and_another_may_follow(pay, sql, told, order, token, code):
    """A failed payment says why, books nothing, and leaves the order to the next try."""
    payment = pay(token)
    assert (payment["status"], payment["failure_code"]) == ("failed", code)
    assert sql("SELECT 1 FROM ledger_entries") == []
    failed = {**order, "payment_id": payment["id"], "failure_code": code}
    assert told() == [("payment_failed", failed)]
    assert pay(token, key="1") == payment
    assert pay(key="2")["status"] == "succeeded"


def test_a_challenge_waits_for_the_buyer(pay):
    """3-D Secure: the payment says where to go."""
    payment = pay("tok_3ds")
    assert payment["status"] == "requires_action"
    assert payment["action_url"].startswith("https://")


def test_the_same_key_is_the_same_payment(pay, sql, told):
    """A repeat answers the same and charges nothing."""
    assert pay() == pay()
    assert len(sql("SELECT 1 FROM simulator_charges")) == 1
    assert len(told()) == 1


def test_the_same_key_at_once_is_the_same_payment(pay, sql):
    """Twenty requests with one key: one payment, one charge at the provider."""
    answers = list(eventlet.GreenPool(20).imap(lambda _: pay(), range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(sql("SELECT 1 FROM payments")) == 1
    assert len(sql("SELECT 1 FROM simulator_charges")) == 1


def test_two_charges_at_once_are_one_payment(pay, sql):
    """Twenty keys for one order: one is charged, the others hear so."""
    answers = list(eventlet.GreenPool(20).imap(lambda i: attempt(pay, key=f"{i}"), range(20)))
    paid = [answer for answer in answers if isinstance(answer, dict)]
    refused = {answer.code for answer in answers if not isinstance(answer, dict)}
    assert [payment["status"] for payment in paid] == ["succeeded"]
    assert refused <= {"payment_active", "already_paid"}
    assert len(sql("SELECT 1 FROM payments")) == 1
    assert len(sql("SELECT 1 FROM simulator_charges")) == 1


def test_a_key_is_for_one_request(pay):
    """The same key with another amount is a mistake of the caller, not a repeat."""
    pay()
    with pytest.raises(Invalid) as fault:
        pay(amount="99.99")
    assert fault.value.code == "idempotency_key_reused"


def test_orders_share_no_keys(pay, sql):
    """A key belongs to its order: two buyers may well send the same."""
    first, second = pay(), pay(order_id=str(uuid.uuid4()))
    assert first["id"] != second["id"]


def test_a_paid_order_is_never_charged_again(payments, pay):
    """Not by another key, and not after the money was given back."""
    payment = pay()
    for _ in range(2):
        with pytest.raises(Conflict) as fault:
            pay(key="2")
        assert fault.value.code == "already_paid"
        payments.refund(payment_id=payment["id"], reason="x", key="once")


def test_an_unknown_token_is_refused_before_anything_is_written(pay, sql):
    """Nothing to charge, nothing to keep."""
    with pytest.raises(Invalid) as fault:
        pay("tok_gold")
    assert set(fault.value.errors) == {"method"}
    assert sql("SELECT 1 FROM payments") == []


def test_only_the_owner_and_staff_see_a_payment(payments, order, pay):
    """For anyone else it does not exist."""
    payment = pay()
    owner = {"user_id": order["user_id"], "role": "customer"}
    stranger = {"user_id": str(uuid.uuid4()), "role": "customer"}
    for who in ({"actor": owner}, {"actor": STAFF}, {}):
        assert payments.get(payment_id=payment["id"], **who) == payment
        listed = payments.list(order_id=order["order_id"], **who)
        assert listed == {"items": [payment], "next": None}
    with pytest.raises(NotFound) as fault:
        payments.get(payment_id=payment["id"], actor=stranger)
    assert fault.value.code == "payment_not_found"
    nothing = {"items": [], "next": None}
    assert payments.list(order_id=order["order_id"], actor=stranger) == nothing


def test_a_list_has_pages(payments, order, pay):
    """Newest first, each payment once."""
    made = [pay("tok_declined", key=str(n))["id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = payments.list(order_id=order["order_id"], limit=2, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        if not (cursor := page["next"]):
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwiYiJd"])
def test_a_made_up_cursor_is_refused(payments, order, cursor):
    """Cursors are ours."""
    with pytest.raises(Invalid):
        payments.list(order_id=order["order_id"], cursor=cursor)
