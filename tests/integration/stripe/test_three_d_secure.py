"""Cards whose bank asks the buyer first."""

import pytest

from chassis.errors import Conflict, NotFound
from payments.providers.port import KnownCharge

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


def test_the_banks_page_is_shown_and_never_stored(asked, payments, pay, order, door, sql, clock):
    """It has the client secret in it: Stripe is asked, at most once in a few seconds."""
    assert asked["action_url"]
    assert sql("SELECT action_url FROM payments") == [{"action_url": None}]
    assert payments.get(payment_id=asked["id"]) == asked
    assert payments.list(order_id=order["order_id"])["items"] == [asked]
    assert pay() == asked
    clock.advance(seconds=4)
    assert payments.get(payment_id=asked["id"]) == asked
    clock.advance(seconds=4)
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

    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)
    monkeypatch.setattr(stripe, "answer", answer)
    clock.advance(seconds=1300)
    report = provider.look_up(KnownCharge(f"payment-{asked['id']}", reference(asked)))
    assert report.status == "succeeded"


def test_what_is_not_ours_is_never_closed(provider, stripe, clock):
    """Another program with the same account may wait for as long as it likes."""
    form = {"amount": 100, "currency": "eur", "payment_method": stripe.card(ASKS)}
    _, intent = stripe.answer("POST", "/v1/payment_intents", form)
    stripe.answer("POST", f"/v1/payment_intents/{intent['id']}/confirm", {})
    clock.advance(days=1)
    assert provider.look_up(KnownCharge("", intent["id"])).status == "requires_action"


def test_another_card_replaces_the_one_that_waits(asked, pay, payments, stripe, reference, door):
    """Its PaymentIntent is cancelled before the other is made, so that only one can be paid."""
    assert pay(stripe.card(), key="2")["status"] == "succeeded"
    assert stripe.get("payment_intents", reference(asked))["status"] == "canceled"
    replaced = payments.get(payment_id=asked["id"])
    assert (replaced["status"], replaced["failure_code"]) == ("failed", "replaced")
    assert replaced["action_url"] is None
    paths = [seen.path for seen in door.changes]
    assert [path.rsplit("/", 1)[-1] for path in paths] == [
        "payment_intents", "confirm", "cancel", "payment_intents", "confirm",
    ]  # fmt: skip


def test_who_passes_before_the_other_card_is_charged_has_paid(
    asked, pay, payments, stripe, reference, monkeypatch
):
    """Stripe refuses to cancel it: it counts, and nothing else is charged."""
    real = stripe.answer

    def answer(method, path, form):
        if path.endswith("/cancel"):
            stripe.authenticate(reference(asked))
        return real(method, path, form)

    monkeypatch.setattr(stripe, "answer", answer)
    with pytest.raises(Conflict) as fault:
        pay(stripe.card(), key="2")
    assert fault.value.code == "already_paid"
    assert payments.get(payment_id=asked["id"])["status"] == "succeeded"
    assert len(stripe.all("charges")) == 1


def test_a_cancelled_order_closes_the_banks_question(asked, payments, order, stripe, reference):
    assert payments.cancel(order_id=order["order_id"]) == {"done": True}
    assert stripe.get("payment_intents", reference(asked))["status"] == "canceled"
    found = payments.get(payment_id=asked["id"])
    assert (found["status"], found["action_url"]) == ("failed", None)


def test_a_payment_that_was_given_up_is_never_confirmed(pay, payments, sql, door, stripe):
    """Given up while its PaymentIntent was being made: no money moves by it."""
    real = stripe.answer

    def answer(method, path, form):
        made = real(method, path, form)
        if (method, path) == ("POST", "/v1/payment_intents"):
            sql("UPDATE payments SET cancel_reason = 'order_cancelled'")
        return made

    stripe.answer = answer
    assert pay()["status"] == "pending"
    assert door.asked("/confirm") == []
    assert stripe.all("charges") == []


def test_many_looks_are_one_question(asked, payments, at_once, door):
    """However many look at a payment that waits, signed in or coming back from the bank."""
    before = len(door.seen)
    looks = [lambda: payments.get(payment_id=asked["id"])] * 10
    assert at_once(*looks) == [asked] * 10
    assert len(door.seen) - before <= 1


def test_who_comes_back_with_what_we_do_not_know_asks_nobody(payments, door, reference, asked):
    """Anonymous, and guessing: our own books say that there is no such payment."""
    before = len(door.seen)
    for number in range(20):
        with pytest.raises(NotFound):
            payments.returned(provider="stripe", reference=f"pi_random{number:010}")
    assert len(door.seen) == before


def test_who_comes_back_again_and_again_asks_once_in_a_few_seconds(
    asked, payments, door, reference, stripe, clock, at_once
):
    """What was decided is not asked for at all."""
    name = reference(asked)
    clock.advance(seconds=4)
    before = len(door.seen)
    looks = [lambda: payments.returned(provider="stripe", reference=name)] * 20
    assert {found["status"] for found in at_once(*looks)} == {"requires_action"}
    assert len(door.seen) - before <= 2  # the sweep may ask as well
    stripe.authenticate(name)
    clock.advance(seconds=4)
    assert payments.returned(provider="stripe", reference=name)["status"] == "succeeded"
    before = len(door.seen)
    assert payments.returned(provider="stripe", reference=name)["status"] == "succeeded"
    assert len(door.seen) == before


def test_looking_all_the_time_does_not_hide_what_is_new(
    asked, payments, reference, stripe, clock, monkeypatch
):
    """An answer is kept for a few seconds from when it was given, however many want it."""
    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)
    name = reference(asked)
    assert payments.returned(provider="stripe", reference=name)["status"] == "requires_action"
    stripe.authenticate(name)
    for _ in range(4):
        clock.advance(seconds=1)
        found = payments.returned(provider="stripe", reference=name)
    assert found["status"] == "succeeded"


def test_who_comes_back_while_stripe_is_away_sees_what_we_know(
    asked, payments, door, reference, clock
):
    name = reference(asked)
    clock.advance(seconds=4)
    door.shut()
    assert payments.returned(provider="stripe", reference=name)["status"] == "requires_action"
