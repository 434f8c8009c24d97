"""Webhooks as Stripe sends them, through the service. localstripe sends those of a charge; those of
refunds and disputes are signed here as Stripe signs them."""

import datetime
import json
import uuid

import pytest
import requests

from payments.providers.webhook_signature import sign
from tests.integration.stripe.conftest import SECRETS


@pytest.fixture
def forwarded(door, localstripe, payments, eventually):
    """`forwarded("pi_…")`: gives the service what localstripe sends of it, as it was sent."""
    hook = {"url": f"{door.url}/notices", "secret": SECRETS[1]}
    requests.post(f"{localstripe}/_config/webhooks/test", json=hook, timeout=5).raise_for_status()

    def forward(thing):
        body, headers = eventually(lambda: door.told_of(thing))
        payments.webhook(provider="stripe", body=body, signature=headers["Stripe-Signature"])

    return forward


@pytest.fixture
def tell(payments):
    """`tell("charge.refunded", thing)`: the service gets this event."""

    def send(kind, thing):
        body = json.dumps(
            {"id": f"evt_{uuid.uuid4().hex}", "type": kind, "data": {"object": thing}}
        )
        payments.webhook(provider="stripe", body=body, signature=sign(body, SECRETS[0]))

    return send


@pytest.fixture
def no_sweep(monkeypatch):
    """What becomes known becomes known by webhooks."""
    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)


@pytest.mark.parametrize(
    ("number", "status"), [("4000002500003155", "succeeded"), ("4000008400001629", "failed")]
)
def test_a_buyer_who_has_passed_is_known_at_once(
    pay, stripe, forwarded, now_is, no_sweep, reference, number, status
):
    """Paid, or declined after all: localstripe tells, and Stripe is asked."""
    payment = pay(stripe.card(number))
    stripe.authenticate(reference(payment))
    forwarded(reference(payment))
    now_is(payment, status)


def test_a_paid_page_is_known_at_once(payments, order, stripe, tell, now_is, no_sweep, reference):
    """By the name of the page, and once more by that of what was paid."""
    payment = payments.charge(**order, method={"type": "checkout"}, key="1")
    page = reference(payment)
    intent = stripe.pay(page, stripe.card())
    tell("checkout.session.completed", {"object": "checkout.session", "id": page})
    now_is(payment, "succeeded")
    tell("payment_intent.succeeded", stripe.get("payment_intents", intent))
    found = payments.returned(provider="stripe", reference=page)
    assert (found["payment_id"], found["status"]) == (payment["id"], "succeeded")


def test_what_is_settled_just_so_costs_no_request(
    pay, payments, order, stripe, tell, door, sql, clock
):
    """Paid on a page, told of by each of its names, or declined: Stripe is not asked."""
    payments.charge(**order, method={"type": "checkout"}, key="1")
    (page,) = [row["return_reference"] for row in sql("SELECT return_reference FROM payments")]
    paid = stripe.get("payment_intents", stripe.pay(page, stripe.card()))
    clock.advance(
        seconds=3
    )  # until then what Stripe said when the page was opened is as good as new
    assert payments.returned(provider="stripe", reference=page)["status"] == "succeeded"
    pay(stripe.card("4000000000000002"), order_id=str(uuid.uuid4()))
    (row,) = sql("SELECT provider_reference FROM payments WHERE status = 'failed'")
    declined = stripe.get("payment_intents", row["provider_reference"])
    asked = len(door.seen)
    tell("checkout.session.completed", {"object": "checkout.session", "id": page})
    tell("payment_intent.succeeded", paid)
    tell("payment_intent.payment_failed", declined)
    outcomes = "SELECT outcome FROM provider_notices ORDER BY id"
    assert [row["outcome"] for row in sql(outcomes)] == ["settled"] * 3
    assert len(door.seen) == asked


def test_a_refund_by_hand_is_booked_once(pay, stripe, tell, now_is, reference, sql):
    """Made at Stripe's own site, told twice."""
    payment = pay()
    intent = reference(payment)
    stripe.answer("POST", "/v1/refunds", {"payment_intent": intent, "amount": 2_500})
    for kind in ("charge.refunded", "refund.created"):
        tell(kind, {"object": "charge", "payment_intent": intent})
    assert now_is(payment, "partially_refunded")["refunded"] == "25.00"
    assert len(sql("SELECT 1 FROM ledger_entries WHERE kind = 'refund'")) == 1


def test_a_refund_that_took_time_is_known_at_once(
    pay, refund, stripe, tell, now_is, reference, no_sweep
):
    """Pending at Stripe, then done: it is the refund that we asked for."""
    payment = pay()
    stripe.refunds_wait = True
    refund(payment, "10.00")
    (made,) = stripe.all("refunds")
    stripe.change(made["id"], status="succeeded")
    tell("refund.updated", stripe.get("refunds", made["id"]))
    assert now_is(payment, "partially_refunded")["refunded"] == "10.00"


def test_a_dispute_is_booked_when_it_comes_and_when_it_is_won(
    pay, stripe, tell, sql, reference, eventually
):
    """What the bank took, and what came back."""
    payment = pay()
    dispute = stripe.dispute(reference(payment), 10_000)
    (told,) = stripe.all("disputes")
    entries = "SELECT kind, amount FROM ledger_entries WHERE kind LIKE 'dispute%' ORDER BY id"
    tell("charge.dispute.created", told)
    eventually(lambda: sql(entries) == [{"kind": "dispute", "amount": 100}])
    told["balance_transactions"].append({"amount": 10_000})
    tell("charge.dispute.closed", told)
    eventually(lambda: [row["kind"] for row in sql(entries)] == ["dispute", "dispute_reversed"])
    assert dispute == told["id"]


def test_what_is_about_nothing_of_ours_is_kept_and_ignored(tell, sql, eventually):
    """Unknown types, and charges of others."""
    tell("customer.created", {"object": "customer", "id": "cus_1"})
    tell("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_of_others"})
    outcomes = "SELECT outcome FROM provider_notices ORDER BY id"
    eventually(lambda: [row["outcome"] for row in sql(outcomes)] == ["ignored", "unknown charge"])


def test_the_books_agree_after_all_that(
    pay, refund, stripe, tell, payments, reference, sql, clock, eventually
):
    """Paid, declined, given back by us and by hand, and disputed: the reconciliation finds nothing,
    but it does find what somebody else has charged."""
    payment = pay()
    refund(payment, "30.00")
    pay(stripe.card("4000000000000002"), order_id=str(uuid.uuid4()))
    intent = reference(payment)
    stripe.answer("POST", "/v1/refunds", {"payment_intent": intent, "amount": 1_000})
    stripe.dispute(intent, 6_000)
    tell("charge.refunded", {"object": "charge", "payment_intent": intent})
    eventually(lambda: len(sql("SELECT 1 FROM ledger_entries")) == 4)
    clock.advance(hours=2)
    now = datetime.datetime.now(datetime.UTC)
    asked = {
        "since": (now - datetime.timedelta(hours=1)).isoformat(),
        "until": (now + datetime.timedelta(hours=1)).isoformat(),
        "actor": {"user_id": str(uuid.uuid4()), "role": "admin"},
    }
    assert payments.reconcile(**asked)["findings"] == []
    theirs = {"amount": 100, "currency": "eur", "payment_method": stripe.card(), "confirm": "true"}
    _, orphan = stripe.answer("POST", "/v1/payment_intents", theirs | {"metadata[key]": "theirs"})
    (finding,) = payments.reconcile(**asked)["findings"]
    assert (finding["problem"], finding["reference"]) == ("charge_unknown", orphan["id"])
