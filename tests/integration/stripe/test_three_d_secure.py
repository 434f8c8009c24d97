"""Cards whose bank asks the buyer first."""

import pytest

from payments.providers.port import Known

ASKS, ASKS_THEN_DECLINES = "4000002500003155", "4000008400001629"


@pytest.fixture
def asked(pay, stripe):
    """A payment that waits for its buyer."""
    return pay(stripe.card(ASKS))


@pytest.fixture
def later(clock):
    """The sweep has reason to ask by now."""
    return lambda: clock.advance(seconds=15)


def test_the_buyer_is_sent_to_the_bank(asked, stripe, sql, reference, door):
    """`action_url` is the bank's page; it leads back to the shop. Nothing is taken yet."""
    assert asked["status"] == "requires_action"
    secret = stripe.get("payment_intents", reference(asked))["client_secret"]
    assert asked["action_url"].endswith(f"payment_intent_client_secret={secret}")
    (confirmed,) = door.asked("/confirm")
    back = "http://localhost:8000/api/payments/stripe/success"
    assert confirmed.form == {"return_url": back}
    assert stripe.all("charges") == []


def test_the_banks_page_is_shown_and_never_stored(asked, payments, pay, order, door, sql):
    """It has the client secret in it: Stripe is asked whenever somebody looks."""
    assert asked["action_url"]
    assert sql("SELECT action_url FROM payments") == [{"action_url": None}]
    assert payments.get(payment_id=asked["id"]) == asked
    assert payments.list(order_id=order["order_id"])["items"] == [asked]
    assert pay() == asked
    door.shut()
    assert payments.get(payment_id=asked["id"]) == asked | {"action_url": None}


def test_a_buyer_who_passes_has_paid(asked, stripe, now_is, later, reference):
    """The sweep finds out, also when no webhook comes."""
    stripe.authenticate(reference(asked))
    later()
    assert now_is(asked, "succeeded")["action_url"] is None


def test_a_buyer_who_fails_has_not_paid(asked, pay, stripe, now_is, later, reference):
    """The payment has failed, and the order may be paid otherwise."""
    stripe.authenticate(reference(asked), passed=False)
    later()
    failed = now_is(asked, "failed")
    assert failed["failure_code"] == "payment_intent_authentication_failure"
    assert pay(key="2")["status"] == "succeeded"


def test_a_bank_may_decline_after_all(pay, stripe, now_is, later, reference):
    """Passed, but there is no money."""
    payment = pay(stripe.card(ASKS_THEN_DECLINES))
    stripe.authenticate(reference(payment))
    later()
    assert now_is(payment, "failed")["failure_code"] == "card_declined"


def test_a_buyer_who_walks_away_is_not_waited_for(asked, pay, stripe, now_is, clock, reference):
    """After a time Stripe is told to close it, so that it cannot be paid later, and the order is
    free for another try."""
    clock.advance(seconds=1100)
    assert pay()["status"] == "requires_action"
    clock.advance(seconds=110)
    assert now_is(asked, "failed")["failure_code"] == "authentication_expired"
    assert stripe.get("payment_intents", reference(asked))["status"] == "canceled"
    assert pay(key="2")["status"] == "succeeded"


def test_a_buyer_may_pass_in_the_last_moment(
    asked, stripe, provider, clock, reference, monkeypatch
):
    """Passed between our look and our closing it: Stripe refuses, and it counts as paid."""
    real = stripe.answer

    def answer(method, path, form):
        if path.endswith("/cancel"):
            stripe.authenticate(reference(asked))
        return real(method, path, form)

    monkeypatch.setattr("payments.recovery.Sweep.run", lambda self: None)
    monkeypatch.setattr(stripe, "answer", answer)
    clock.advance(seconds=1300)
    report = provider.look_up(Known(f"payment-{asked['id']}", reference(asked)))
    assert report.status == "succeeded"


def test_what_is_not_ours_is_never_closed(provider, stripe, clock):
    """Another program with the same account may wait for as long as it likes."""
    form = {"amount": 100, "currency": "eur", "payment_method": stripe.card(ASKS)}
    _, intent = stripe.answer("POST", "/v1/payment_intents", form)
    stripe.answer("POST", f"/v1/payment_intents/{intent['id']}/confirm", {})
    clock.advance(days=1)
    assert provider.look_up(Known("", intent["id"])).status == "requires_action"
