"""What the payments service takes, and what it tells."""

import uuid
from decimal import Decimal

import pytest
from marshmallow import ValidationError

from chassis.identity import Actor
from contracts.payments import requests
from contracts.payments.events import EVENTS

CHARGE = {
    "order_id": str(uuid.uuid4()),
    "user_id": str(uuid.uuid4()),
    "amount": "12.30",
    "currency": "EUR",
    "method": {"type": "card", "token": "tok_visa"},
    "key": "k",
}


def faults(schema, **values):
    with pytest.raises(ValidationError) as invalid:
        schema().load(values)
    return invalid.value.messages


def test_a_charge_is_loaded_with_types():
    """Amounts are Decimal, ids are UUIDs."""
    loaded = requests.Charge().load(CHARGE)
    assert loaded["amount"] == Decimal("12.30")
    assert loaded["currency"] == "EUR"
    assert loaded["order_id"] == uuid.UUID(CHARGE["order_id"])


@pytest.mark.parametrize(
    "amount", ["0", "0.00", "-1", "1.00001", 1.5, "NaN", "Infinity", "1e9", None]
)
def test_an_amount_is_positive_and_exact(amount):
    """Nothing, less, floats and fractions of a cent cannot be charged."""
    assert set(faults(requests.Charge, **{**CHARGE, "amount": amount})) == {"amount"}


def test_nobody_is_charged_euros_by_silence():
    """The currency is always said."""
    silent = {name: value for name, value in CHARGE.items() if name != "currency"}
    assert set(faults(requests.Charge, **silent)) == {"currency"}


def test_a_refused_method_is_not_repeated():
    """The answer names the field and none of what was in it."""
    number = "4242424242424242"
    told = faults(requests.Charge, **{**CHARGE, "method": {number: number}})
    assert set(told) == {"method"}
    assert number not in str(told)


def test_unknown_fields_are_refused():
    """A body cannot bring in what is ours to decide."""
    assert "status" in faults(requests.Charge, **CHARGE, status="succeeded")


def test_a_refund_without_amount_is_whole_and_somebody_gives_it():
    """Absent amount: all that is left. Absent actor: nobody."""
    refund = {"payment_id": str(uuid.uuid4()), "reason": "broken"}
    loaded = requests.Refund().load(refund | {"actor": "system"})
    assert loaded["amount"] is None
    assert loaded["actor"] is Actor.SYSTEM
    assert set(faults(requests.Refund, **refund)) == {"actor"}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
def test_a_refund_has_a_reason(reason):
    """Bounded, and readable."""
    payment_id = str(uuid.uuid4())
    assert set(faults(requests.Refund, payment_id=payment_id, reason=reason, actor="system")) == {
        "reason"
    }


def test_events_carry_no_method_and_no_key():
    """Nothing by which someone could pay leaves this service."""
    for schema in EVENTS.values():
        assert not {"method", "token", "key"} & schema().fields.keys()
