"""Stripe does not answer: the payment stays unknown until the sweep knows, and is charged once or
never."""

from decimal import Decimal

import pytest

from chassis.errors import Conflict
from contracts.payments.enums import MethodType
from contracts.payments.methods import PaymentMethod
from payments.charges import commands
from payments.providers.port import ChargeRequest
from payments.providers.stripe import Stripe

CREATE, CONFIRM = "POST /v1/payment_intents", "/confirm"


@pytest.fixture
def call_seconds():
    """So short that no time is left for the library to try again after a time-out."""
    return 1


@pytest.fixture
def no_sweep(monkeypatch):
    """Only the buyer's own repeat goes on with what was interrupted."""
    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)


@pytest.fixture
def paid(pay, eventually):
    """`paid(token, key="1")`: waits until a buyer who asks again and again has paid."""
    return lambda *token, **key: eventually(lambda: pay(*token, **key)["status"] == "succeeded", 30)


def charges(stripe):
    return [charge["status"] for charge in stripe.all("charges")]


UNCONFIRMED = [
    ("timeout_before", CREATE),
    ("timeout_after", CREATE),
    ("error_before", CREATE),
    ("timeout_before", CONFIRM),
    ("error_before", CONFIRM),
    ("limited", CREATE),
    ("limited", CONFIRM),
]


@pytest.mark.parametrize(("fault", "line"), UNCONFIRMED)
def test_what_was_not_confirmed_is_never_charged(
    pay, paid, door, stripe, now_is, clock, fault, line
):
    """Unknown at first; after the time that is set it has failed, with nothing taken, and the order
    can be paid."""
    door.fail(fault, line)
    payment = pay()
    assert payment["status"] == "pending"
    clock.advance(seconds=310)
    assert now_is(payment, "failed")["failure_code"] == "not_received"
    assert charges(stripe) == []
    paid(key="2")


@pytest.mark.parametrize(("fault", "line"), UNCONFIRMED)
def test_another_card_need_not_wait_for_what_was_not_confirmed(
    pay, door, stripe, now_is, fault, line
):
    """What Stripe has of it is cancelled before, so that a request that is late charges nothing."""
    door.fail(fault, line)
    payment = pay()
    assert payment["status"] == "pending"
    assert pay(key="2")["status"] == "succeeded"
    assert now_is(payment, "failed")["failure_code"] == "replaced"
    assert charges(stripe) == ["succeeded"]
    begun = [one for one in stripe.all("payment_intents") if one["status"] != "succeeded"]
    late = [
        stripe.answer("POST", f"/v1/payment_intents/{one['id']}/confirm", {})[0]
        for one in begun
        if line == CONFIRM
    ]
    assert all(status == 400 for status in late)
    assert charges(stripe) == ["succeeded"]


@pytest.mark.parametrize("fault", ["timeout_after", "error_after"])
def test_another_card_is_not_charged_beside_a_lost_answer(
    pay, door, stripe, no_sweep, now_is, fault
):
    """Stripe had charged the first: that counts."""
    door.fail(fault, CONFIRM)
    payment = pay()
    assert payment["status"] == "pending"
    with pytest.raises(Conflict) as refused:
        pay(key="2")
    assert refused.value.code == "already_paid"
    assert now_is(payment, "succeeded")
    assert charges(stripe) == ["succeeded"]


@pytest.mark.parametrize("fault", ["timeout_after", "error_after"])
def test_a_charge_whose_answer_was_lost_is_asked_for(pay, door, stripe, now_is, fault, sql):
    """Stripe charged: the sweep finds out, and books once."""
    door.fail(fault, CONFIRM)
    payment = pay()
    assert payment["status"] == "pending"
    now_is(payment, "succeeded")
    assert charges(stripe) == ["succeeded"]
    assert len(sql("SELECT 1 FROM ledger_entries")) == 1


@pytest.mark.parametrize("line", [CREATE, CONFIRM])
@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after"])
def test_a_buyer_who_asks_again_is_charged_once(
    pay, paid, stripe, door, no_sweep, sql, fault, line
):
    """The same key goes on where the first try ended, with the same request."""
    token = stripe.card()
    door.fail(fault, line)
    assert pay(token)["status"] == "pending"
    paid(token)
    assert charges(stripe) == ["succeeded"]
    assert len(stripe.all("payment_intents")) == 1


def test_a_declined_charge_whose_answer_was_lost_has_failed(pay, stripe, door, now_is):
    """Unknown is not paid either."""
    door.fail("timeout_after", CONFIRM)
    payment = pay(stripe.card("4000000000009995"))
    assert now_is(payment, "failed")["failure_code"] == "insufficient_funds"


def test_a_repeat_with_another_card_charges_neither_twice(pay, stripe, door, no_sweep, now_is):
    """Stripe refuses another request under the same key, and repeats what was sent in its words:
    the first one stays what it is, unknown."""
    door.fail("timeout_after", CREATE)
    assert pay()["status"] == "pending"
    assert pay(stripe.card())["status"] == "pending"
    assert charges(stripe) == []


def test_many_repeats_at_once_charge_once(
    pay, paid, stripe, door, at_once, now_is, no_sweep, clock
):
    """However often, and while the first is still under way."""
    token = stripe.card()
    door.fail("timeout_after", CREATE)
    pay(token)
    answers = at_once(*[lambda: pay(token)] * 5)
    assert {answer["status"] for answer in answers} <= {"pending", "succeeded"}
    clock.advance(seconds=3)
    paid(token)
    assert charges(stripe) == ["succeeded"]


def test_stripe_being_away_changes_nothing(pay, door, stripe, now_is, clock, sql, eventually):
    """No connection: unknown, and looked for until Stripe is there again."""
    door.fail("timeout_after", CONFIRM)
    payment = pay()
    door.shut()
    clock.advance(seconds=30)
    eventually(lambda: sql("SELECT 1 FROM payments WHERE checks >= 2"))
    clock.advance(seconds=60)
    door.open()
    now_is(payment, "succeeded")


def test_no_connection_is_no_charge(pay, door, stripe, now_is, clock):
    """It never got there: failed in the end."""
    door.shut()
    payment = pay()
    assert payment["status"] == "pending"
    door.open()
    clock.advance(seconds=310)
    now_is(payment, "failed")


@pytest.fixture
def crash_before(monkeypatch):
    """`crash_before(owner, name)`: the next call of that function ends the work."""

    def arm(owner, name):
        real = getattr(owner, name)

        def crash(*args, **kwargs):
            monkeypatch.setattr(owner, name, real)
            raise SystemError("the process ends here")

        monkeypatch.setattr(owner, name, crash)

    return arm


@pytest.fixture
def died(pay, crash_before):
    """`died(owner, name)`: a charge whose process ended before that function ran."""

    def charge(owner, name, token=None):
        crash_before(owner, name)
        with pytest.raises(Exception):  # noqa: B017, PT011 -- whatever it looks like from outside
            pay(token)

    return charge


def test_a_process_that_dies_before_it_confirms_charges_nothing(
    died, stripe, sql, clock, eventually
):
    """The PaymentIntent is there and its id is stored, but it moves no money by itself: failed
    after the time that is set."""
    died(Stripe, "_confirm")
    (intent,) = stripe.all("payment_intents")
    (row,) = sql("SELECT status, provider_reference FROM payments")
    assert row == {"status": "pending", "provider_reference": intent["id"]}
    clock.advance(seconds=310)
    eventually(lambda: sql("SELECT 1 FROM payments WHERE status = 'failed'"), timeout=20)
    assert stripe.get("payment_intents", intent["id"])["status"] == "requires_confirmation"
    assert charges(stripe) == []


@pytest.mark.parametrize(("owner", "name"), [(commands, "note_reference"), (Stripe, "_confirm")])
def test_a_repeat_after_a_death_charges_once(died, paid, stripe, no_sweep, clock, owner, name):
    """The buyer asks again: the same PaymentIntent is confirmed."""
    token = stripe.card()
    died(owner, name, token)
    clock.advance(seconds=3)
    paid(token)
    assert len(stripe.all("payment_intents")) == 1
    assert charges(stripe) == ["succeeded"]


def test_a_repeat_after_a_death_looks_before_it_charges(died, paid, stripe, no_sweep, clock, door):
    """Stripe had charged, and has forgotten the keys since: it is not asked to charge again."""
    died(commands, "settle")
    door.forget_keys()
    clock.advance(seconds=3)
    paid()
    assert charges(stripe) == ["succeeded"]


def test_whoever_comes_second_reports_what_the_first_did(provider, stripe, door):
    """Confirmed by somebody else in between, and the key is forgotten: Stripe refuses to confirm
    again, and what counts is how the PaymentIntent is."""
    order = ChargeRequest(
        "payment-1", Decimal("5.00"), "EUR", PaymentMethod(MethodType.CARD, stripe.card())
    )

    def somebody_is_faster(reference):
        stripe.answer("POST", f"/v1/payment_intents/{reference}/confirm", {})

    report = provider.create(order, somebody_is_faster)
    assert (report.status, report.amount) == ("succeeded", 5)
    assert charges(stripe) == ["succeeded"]
