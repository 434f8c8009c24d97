"""Paying with a card that was entered in the buyer's browser."""

import pytest

from chassis.errors import Invalid, ProviderFault
from payments.providers.stripe import api


def test_a_card_is_charged_once(pay, order, stripe, sql, reference):
    """The whole amount, booked by what Stripe calls it."""
    payment = pay()
    assert (payment["status"], payment["provider"]) == ("succeeded", "stripe")
    (charge,) = stripe.all("charges")
    assert (charge["amount"], charge["currency"]) == (10_000, "eur")
    assert charge["payment_intent"] == reference(payment)
    (entry,) = sql("SELECT kind, amount, provider_reference FROM ledger_entries")
    assert entry == {"kind": "capture", "amount": 100, "provider_reference": reference(payment)}


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("4000000000000002", "generic_decline"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000341", "card_declined"),
    ],
)
def test_a_declined_card_fails_with_the_banks_reason(pay, stripe, sql, number, why):
    """At once, as far as the bank gives a reason; nothing is taken, and another card may pay."""
    payment = pay(stripe.card(number))
    assert (payment["status"], payment["failure_code"]) == ("failed", why)
    assert sql("SELECT 1 FROM ledger_entries") == []
    assert pay(key="2")["status"] == "succeeded"


def test_a_declined_charge_stays_declined(pay, stripe):
    """The same key again is answered by our books."""
    first = pay(stripe.card("4000000000000002"))
    assert pay() == first
    assert [charge["status"] for charge in stripe.all("charges")] == ["failed"]


def test_a_token_that_stripe_does_not_know_fails(pay, stripe):
    """Nothing was made there, so nothing can be charged later."""
    payment = pay("pm_1NoSuchThing")
    assert payment["status"] == "failed"
    assert stripe.all("payment_intents") == []


@pytest.mark.parametrize("token", ["tok_visa", "card_1", "src_1"])
def test_what_is_no_payment_method_is_refused_without_asking(pay, door, sql, token):
    """422, and no trace of it."""
    with pytest.raises(Invalid):
        pay(token)
    assert door.changes == []
    assert sql("SELECT 1 FROM payments") == []


def test_requests_are_pinned_and_keyed(pay, refund, door):
    """Each names the version of the API that we know; each that changes something has a key that is
    derived from our row, so that a repeat is the same request."""
    payment = pay()
    refund(payment, "1.00")
    assert {seen.headers["Stripe-Version"] for seen in door.seen} == {api.API_VERSION}
    key = f"payment-{payment['id']}"
    changes = [(seen.path.split("/")[-1], seen.key) for seen in door.changes]
    assert changes[:2] == [("payment_intents", key), ("confirm", f"{key}-confirm")]
    assert changes[2][1].startswith("refund-")


def test_a_broken_connection_is_tried_again_under_the_same_key(pay, door):
    """The answer was lost, and Stripe repeats it: the buyer notices nothing."""
    door.fail("cut_after", "POST /v1/payment_intents")
    door.fail("cut_after", "/confirm")
    assert pay()["status"] == "succeeded"
    assert len({seen.key for seen in door.changes}) == 2
    assert len(door.changes) == 4


def test_stripe_refusing_our_key_is_no_outcome(pay, door, stripe, sql, monkeypatch):
    """A mistake of ours (401) is a 502 that shows nothing of it; the payment stays unknown."""
    real = stripe.answer
    refused = (401, {"error": {"type": "invalid_request_error", "message": "Invalid sk_test_1"}})
    monkeypatch.setattr(stripe, "answer", lambda *request: refused)
    with pytest.raises(ProviderFault) as fault:
        pay()
    assert "sk_test" not in str(vars(fault.value))
    assert [row["status"] for row in sql("SELECT status FROM payments")] == ["pending"]
    monkeypatch.setattr(stripe, "answer", real)
