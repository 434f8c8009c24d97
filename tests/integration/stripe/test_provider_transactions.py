"""What moved at Stripe, for the reconciliation. localstripe has no disputes and no filters: they
are played by `additions`."""

import datetime
from decimal import Decimal

import pytest

from payments.providers.port import Kind, ProviderTransaction

AGES = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def all_time(provider, clock):
    """`all_time()`: all transactions, as a set."""
    return lambda: set(provider.transactions(AGES, clock() + datetime.timedelta(days=1)))


@pytest.fixture
def paid(pay, reference):
    """A payment, and what Stripe calls it."""
    payment = pay()
    return payment, reference(payment)


def test_all_that_moved_for_a_charge(paid, refund, stripe, provider, sql):
    """The oldest first; what is ours has our key on it."""
    payment, intent = paid
    refund(payment, "30.00")
    (given,) = stripe.all("refunds")
    (row,) = sql("SELECT id FROM refunds")
    stripe.change(given["id"], created=given["created"] + 1)
    dispute = stripe.dispute(intent, 7_000, status="won", moved=(-1, 1))
    stripe._disputes[dispute]["created"] += 2
    seventy = Decimal(70), "EUR"
    assert list(provider.transactions_of(intent)) == [
        ProviderTransaction(
            Kind.CAPTURE, intent, intent, Decimal(100), "EUR", f"payment-{payment['id']}"
        ),
        ProviderTransaction(
            Kind.REFUND, given["id"], intent, Decimal(30), "EUR", f"refund-{row['id']}"
        ),
        ProviderTransaction(Kind.DISPUTE, dispute, intent, *seventy),
        ProviderTransaction(Kind.DISPUTE_REVERSED, dispute, intent, *seventy),
    ]


@pytest.mark.parametrize(
    ("status", "moved", "kinds"),
    [
        ("warning_needs_response", (), []),
        ("warning_closed", (), []),
        ("needs_response", (-1,), [Kind.DISPUTE]),
        ("lost", (-1,), [Kind.DISPUTE]),
        ("won", (-1, 1), [Kind.DISPUTE, Kind.DISPUTE_REVERSED]),
    ],
)
def test_a_dispute_moves_what_the_bank_took(paid, stripe, provider, status, moved, kinds):
    """A mere inquiry moves nothing; what is won comes back."""
    stripe.dispute(paid[1], 10_000, status, moved)
    assert [m.kind for m in provider.transactions_of(paid[1])] == [Kind.CAPTURE, *kinds]


def test_nothing_moves_with_what_failed_or_waits(pay, refund, stripe, all_time):
    """Declined, waiting for the buyer, or a refund under way."""
    pay(stripe.card("4000000000000002"))
    pay(stripe.card("4000002500003155"), order_id="00000000-0000-4000-8000-000000000001")
    assert all_time() == set()
    payment = pay(key="2")
    stripe.refunds_wait = True
    refund(payment, "1.00")
    assert [transaction.kind for transaction in all_time()] == [Kind.CAPTURE]
    stripe.change(stripe.all("refunds")[0]["id"], status="failed")


def test_others_movements_are_seen_as_theirs(stripe, all_time, door):
    """Charged, and given back, by somebody else with our account."""
    form = {"amount": 100, "currency": "eur", "source": stripe.card()}
    _, charge = stripe.answer("POST", "/v1/charges", form)
    assert all_time() == {
        ProviderTransaction(Kind.CAPTURE, charge["id"], charge["id"], Decimal(1), "EUR")
    }


def test_all_that_moved_in_a_time(paid, stripe, provider, all_time):
    """From its beginning on, without its end."""
    (charge,) = stripe.all("charges")
    at = datetime.datetime.fromtimestamp(charge["created"], datetime.UTC)
    second = datetime.timedelta(seconds=1)
    assert len(list(provider.transactions(at, at + second))) == 1
    assert list(provider.transactions(at - second, at)) == []
    assert list(provider.transactions(at + second, at + second * 2)) == []


def test_long_lists_are_read_to_their_end(stripe, all_time, door):
    """They come in pages of a hundred."""
    form = {"amount": 100, "currency": "eur", "source": stripe.card()}
    made = {stripe.answer("POST", "/v1/charges", form)[1]["id"] for _ in range(205)}
    assert {transaction.reference for transaction in all_time()} == made
    assert len(door.asked("GET /v1/charges")) == 3
