"""Amounts in the units that Stripe counts in."""

from decimal import Decimal

import pytest

from chassis import currencies
from chassis.errors import Invalid, ProviderFault

#: Of 12.00: https://docs.stripe.com/currencies#minor-units and, for the last three, #special-cases.
UNITS = {"EUR": 1200, "JPY": 12, "KWD": 12_000, "ISK": 1200, "UGX": 1200, "MGA": 12}


@pytest.mark.parametrize(("currency", "units"), UNITS.items())
def test_amounts_cross_the_border_unchanged(pay, order, refund, stripe, currency, units):
    """12.00 there and back, whatever the currency's smallest coin."""
    twelve, three = (str(currencies.exact(Decimal(n), currency)) for n in (12, 3))
    payment = pay(amount="12.00", currency=currency)
    assert (payment["status"], payment["amount"]) == ("succeeded", twelve)
    assert refund(payment, "3.00")["refunded"] == three
    (charge,), (given,) = stripe.all("charges"), stripe.all("refunds")
    assert (charge["amount"], charge["currency"]) == (units, currency.lower())
    assert given["amount"] * 4 == units


@pytest.mark.parametrize(("amount", "units"), [("1.25", 1250), ("9.990", 9990)])
def test_a_dinar_has_thousandths(pay, stripe, amount, units):
    """Of which Stripe takes tens (https://docs.stripe.com/currencies#three-decimal)."""
    pay(amount=amount, currency="KWD")
    assert stripe.all("charges")[0]["amount"] == units


def test_single_thousandths_are_refused(pay, refund, door, sql):
    """Neither charged, which leaves no trace, nor given back: that refund has failed."""
    with pytest.raises(Invalid) as fault:
        pay(amount="9.995", currency="KWD")
    assert fault.value.errors == {"amount": ["KWD has 2 decimal places at Stripe."]}
    assert (door.changes, sql("SELECT 1 FROM payments")) == ([], [])
    payment = pay(amount="9.990", currency="KWD")
    with pytest.raises(ProviderFault):
        refund(payment, "3.335")
    assert door.asked("POST /v1/refunds") == []
    assert [row["failure_code"] for row in sql("SELECT * FROM refunds")] == ["amount_not_supported"]


@pytest.mark.parametrize("method", [{"type": "checkout"}, None])
def test_what_has_no_such_coin_is_refused_without_asking(pay, payments, order, door, sql, method):
    """Half a yen is not rounded: 422, and no trace of it."""
    yen = {"amount": "0.50", "currency": "JPY"}
    with pytest.raises(Invalid) as fault:
        pay(**yen, **({"method": method} if method else {}))
    assert set(fault.value.errors) == {"amount"}
    assert door.changes == []
    assert sql("SELECT 1 FROM payments") == []


def test_nor_is_half_a_yen_given_back(pay, refund, door, sql):
    """A refund of which nothing can come is not begun."""
    payment = pay(amount="12.00", currency="JPY")
    with pytest.raises(Invalid):
        refund(payment, "0.50")
    assert door.asked("POST /v1/refunds") == []
    assert sql("SELECT 1 FROM refunds") == []
