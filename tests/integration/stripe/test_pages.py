"""Paying on Stripe's own page (Checkout). localstripe has none: it is played by `additions`."""

import pytest

from payments.providers.port import KnownCharge


@pytest.fixture
def opened(payments, order):
    """A payment whose buyer was sent to Stripe's page."""
    return payments.charge(**order, method={"type": "checkout"}, key="1")


@pytest.fixture
def later(clock):
    """The sweep has reason to ask by now."""
    return lambda: clock.advance(seconds=15)


def test_the_buyer_is_sent_to_stripes_page(opened, door, reference):
    """It asks for the amount of the order, and leads back to the shop, whatever comes of it."""
    assert opened["status"] == "requires_action"
    assert opened["action_url"] == f"https://checkout.stripe.com/c/pay/{reference(opened)}"
    (asked,) = door.asked("POST /v1/checkout/sessions")
    back = "http://localhost:8000/api/payments/stripe"
    assert asked.form == {
        "mode": "payment",
        "allowed_payment_method_types[0]": "card",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "10000",
        "line_items[0][price_data][product_data][name]": "Order",
        "success_url": back + "/success?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": back + "/fail?session_id={CHECKOUT_SESSION_ID}",
        "metadata[key]": f"payment-{opened['id']}",
        "payment_intent_data[metadata][key]": f"payment-{opened['id']}",
    }
    assert asked.key == f"payment-{opened['id']}"


def test_a_page_that_was_paid(opened, stripe, now_is, later, reference, refund):
    """From then on the payment is what was paid, so that it can be given back."""
    intent = stripe.pay(reference(opened), stripe.card())
    later()
    now_is(opened, "succeeded")
    assert reference(opened) == intent
    assert refund(opened)["status"] == "refunded"


def test_a_page_that_expired(opened, payments, order, stripe, now_is, later, reference):
    """Nothing was taken, and the order may be paid otherwise."""
    stripe.answer("POST", f"/v1/checkout/sessions/{reference(opened)}/expire", {})
    later()
    assert now_is(opened, "failed")["failure_code"] == "page_expired"
    again = payments.charge(**order, method={"type": "checkout"}, key="2")
    assert again["status"] == "requires_action"


def test_a_page_that_nobody_came_back_from(opened, stripe, now_is, clock, reference):
    """It is closed after the time that is set, so that it can't be paid when the order is gone."""
    clock.advance(seconds=1210)
    assert now_is(opened, "failed")["failure_code"] == "page_expired"
    _, page = stripe.answer("GET", f"/v1/checkout/sessions/{reference(opened)}", {})
    assert page["status"] == "expired"


def test_a_page_paid_in_the_last_moment(opened, stripe, provider, clock, reference, monkeypatch):
    """Paid between our look and our closing it: it counts as paid."""
    real = stripe.answer

    def answer(method, path, form):
        if path.endswith("/expire"):
            stripe.pay(reference(opened), stripe.card())
        return real(method, path, form)

    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)
    monkeypatch.setattr(stripe, "answer", answer)
    clock.advance(seconds=1210)
    report = provider.look_up(KnownCharge(f"payment-{opened['id']}", reference(opened)))
    assert (report.status, report.reference[:3]) == ("succeeded", "pi_")


def test_a_page_whose_answer_was_lost_is_opened_once(payments, order, door, stripe):
    """The library asks again under the same key; the buyer gets the one page."""
    door.fail("cut_after", "POST /v1/checkout/sessions")
    opened = payments.charge(**order, method={"type": "checkout"}, key="1")
    assert opened["action_url"].endswith("000000001")
    assert payments.charge(**order, method={"type": "checkout"}, key="1") == opened
    assert len(door.asked("POST /v1/checkout/sessions")) == 2


def test_an_unpaid_page_has_moved_nothing(opened, provider, reference):
    """Asked by the name of the page."""
    assert list(provider.transactions_of(reference(opened))) == []
    assert provider.look_up(KnownCharge("", reference(opened))).status == "requires_action"


def test_what_was_paid_is_found_by_the_page(opened, stripe, provider, reference, now_is, later):
    """A buyer comes back with the page's name."""
    page = reference(opened)
    intent = stripe.pay(page, stripe.card())
    assert provider.look_up(KnownCharge("", page)).reference == intent
    (transaction,) = provider.transactions_of(page)
    assert (transaction.reference, transaction.key) == (intent, f"payment-{opened['id']}")
    later()
    now_is(opened, "succeeded")


def test_another_means_closes_the_page(opened, payments, order, stripe, reference, now_is):
    """Nobody can pay there any more."""
    method = {"type": "card", "token": stripe.card()}
    assert payments.charge(**order, method=method, key="2")["status"] == "succeeded"
    _, page = stripe.answer("GET", f"/v1/checkout/sessions/{reference(opened)}", {})
    assert page["status"] == "expired"
    assert now_is(opened, "failed")["failure_code"] == "replaced"


def test_a_buyer_comes_back_from_a_page_that_was_booked_before(
    opened, payments, stripe, now_is, later, reference
):
    """The payment is found by the page's name, though it has that of what was paid by then."""
    page = reference(opened)
    stripe.pay(page, stripe.card())
    later()
    now_is(opened, "succeeded")
    found = payments.returned(provider="stripe", reference=page)
    assert (found["payment_id"], found["status"]) == (opened["id"], "succeeded")
