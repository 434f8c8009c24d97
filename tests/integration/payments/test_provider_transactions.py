"""What the provider's books show and ours do not: booked once, and never more than can be."""

import uuid
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import eventlet
import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.database import transaction
from chassis.errors import Fault
from contracts.payments.errors import AnswerMismatch, NotRefundable, RefundTooLarge
from payments.errors import ProviderTimeout
from payments.providers.port import Kind, ProviderTransaction, RefundReport
from payments.providers.simulator import Simulator
from payments.refunds import store as refund_store
from payments.refunds.store import PendingRefund
from payments.webhooks import provider_transactions
from tests.support import until_rival_waits


@pytest.fixture
def payment(pay):
    """A payment of 100.00 that succeeded."""
    return pay()


@pytest.fixture
def moved(sql, payment):
    """`moved(Kind.REFUND, "30")`: a transaction of the charge, as the provider lists it."""

    def make(kind, amount="100.00", reference=None, **facts):
        (row,) = sql("SELECT provider_reference FROM payments WHERE id = :id", id=payment["id"])
        facts = {"charge": row["provider_reference"], "currency": "EUR"} | facts
        return ProviderTransaction(
            kind, reference or uuid.uuid4().hex, amount=Decimal(amount), **facts
        )

    return make


@pytest.fixture
def events():
    """What was published by `book`: (type, payload)."""
    return []


@pytest.fixture
def context(events):
    """What booking needs around it."""
    return SimpleNamespace(
        events=SimpleNamespace(record=lambda session, *event: events.append(event)),
        clock=utcnow,
        log=structlog.get_logger("payments"),
    )


@pytest.fixture
def book(config, payment, context, events):
    """`book(listed)`: whether it changed our books."""
    engine = sa.create_engine(configuration.database_url(config, "payments"), pool_size=20)

    def run(listed):
        told = []
        recording = SimpleNamespace(record=lambda session, *event: told.append(event))
        within = SimpleNamespace(**vars(context) | {"events": recording})
        with transaction(partial(Session, engine)) as session:
            changed = provider_transactions.book(within, session, uuid.UUID(payment["id"]), listed)
        events.extend(told)
        return changed

    yield run
    engine.dispose()


@pytest.fixture
def by_hand(sql, moved):
    """`by_hand("30")`: somebody gives money back at the provider's site."""

    def give(amount, **facts):
        listed = moved(Kind.REFUND, amount, **facts)
        sql("UPDATE simulator_charges SET refunded = refunded + :amount", amount=Decimal(amount))
        sql(
            "INSERT INTO simulator_refunds (key, reference, charge_reference, amount, created_at)"
            " VALUES (:reference, :reference, :charge, :amount, now())",
            reference=listed.reference,
            charge=listed.charge,
            amount=Decimal(amount),
        )
        return listed

    return give


def entries(sql):
    rows = sql("SELECT kind, debit, credit, amount FROM ledger_entries ORDER BY id")
    return [(row["kind"], row["debit"], row["credit"], str(row["amount"])) for row in rows]


def test_a_refund_by_hand_is_a_refund(by_hand, book, sql, payments, payment, events):
    """Booked, counted and told as any other, and asked for by nobody here."""
    listed = by_hand("30")
    assert book(listed)
    after = payments.get(payment_id=payment["id"])
    assert (after["status"], after["refunded"]) == ("partially_refunded", "30.00")
    (refund,) = sql("SELECT * FROM refunds")
    assert refund["key"] == f"provider-{listed.reference}"
    assert refund["reason"] == "made at the provider"
    assert (refund["requested_by"], refund["status"]) == (None, "succeeded")
    assert refund["provider_reference"] == listed.reference
    assert entries(sql)[1:] == [("refund", "order", "provider", "30.00")]
    ((kind, told),) = events
    assert kind == "payment_refunded"
    assert (told["amount"], told["refunded_total"], told["full"]) == (30, 30, False)


def test_all_of_it_by_hand(by_hand, book, payments, payment, events):
    """The payment is refunded then, and its order hears that it was all."""
    book(by_hand("30"))
    book(by_hand("70"))
    assert payments.get(payment_id=payment["id"])["status"] == "refunded"
    assert [told["full"] for _, told in events] == [False, True]


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.DISPUTE])
def test_twenty_at_once_book_it_once(by_hand, moved, book, sql, events, kind):
    """However often a transaction is told of, also at the same time."""
    listed = by_hand("30") if kind is Kind.REFUND else moved(kind, "30")
    answers = list(eventlet.GreenPool(20).imap(lambda _: book(listed), range(20)))
    assert answers.count(True) == 1
    assert not book(listed)
    assert len(entries(sql)) == 2
    assert len(events) == (kind is Kind.REFUND)


def test_refunds_by_hand_at_once_stay_within_the_capture(moved, by_hand, book, sql):
    """Ten of 30 at once: what cannot be is an error, and not booked."""

    listed = [by_hand("30") for _ in range(3)] + [moved(Kind.REFUND, "30") for _ in range(7)]

    def attempt(listed):
        try:
            return book(listed)
        except RefundTooLarge as fault:
            return fault.data["refundable"]

    answers = list(eventlet.GreenPool(10).imap(attempt, listed))
    assert sorted(map(str, answers)) == ["10.00"] * 7 + ["True"] * 3
    assert sum(row["amount"] for row in sql("SELECT amount FROM refunds")) == 90


def test_nothing_is_left_to_give_back(by_hand, moved, book):
    """A transaction beyond all that was taken is an error."""
    book(by_hand("100"))
    with pytest.raises(NotRefundable):
        book(moved(Kind.REFUND, "0.01"))


def test_what_is_promised_cannot_go_back_twice(moved, book, payments, payment, sql, monkeypatch):
    """While a refund of ours is on its way, another one by hand has only what is left."""

    def no_answer(self, order):
        raise ProviderTimeout

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "refund", no_answer)
        payments.refund(payment_id=payment["id"], amount="80.00", reason="x")
        with pytest.raises(RefundTooLarge):
            book(moved(Kind.REFUND, "30"))
    assert len(entries(sql)) == 1


@pytest.fixture
def lost(payments, payment, sql, monkeypatch):
    """A refund of 30.00 that the provider has made, but its answer was lost."""
    real = Simulator.refund

    def refund(self, order):
        real(self, order)
        raise ProviderTimeout

    with monkeypatch.context() as patch:
        patch.setattr(Simulator, "refund", refund)
        payments.refund(payment_id=payment["id"], amount="30.00", reason="scratched")
    (row,) = sql("SELECT * FROM simulator_refunds")
    return {"key": row["key"], "reference": row["reference"]}


def test_a_lost_refund_of_ours_is_settled(lost, moved, book, sql, events):
    """The transaction is the answer; no second refund comes of it, and it is told once."""
    assert book(moved(Kind.REFUND, "30", **lost))
    assert not book(moved(Kind.REFUND, "30", **lost))
    (refund,) = sql("SELECT * FROM refunds")
    assert (refund["status"], refund["reason"]) == ("succeeded", "scratched")
    assert refund["provider_reference"] == lost["reference"]
    assert len(entries(sql)) == 2
    assert len(events) == 1


def test_two_answers_to_one_refund_are_booked_once(lost, config, context, sql, events):
    """The second waits for the first, and finds the refund as that one leaves it."""
    engine = sa.create_engine(configuration.database_url(config, "payments"))
    done = RefundReport(done=True, reference=lost["reference"])
    (row,) = sql("SELECT id, payment_id FROM refunds")
    pending = PendingRefund(row["payment_id"], row["id"], "simulator", None)

    def settle(meanwhile=lambda session: None):
        with transaction(partial(Session, engine)) as session:
            status = refund_store.settle(context, session, pending, done)
            meanwhile(session)
        return status

    def come_second(session):
        rivals.append(eventlet.spawn(settle))
        until_rival_waits(session)

    rivals = []
    assert settle(come_second) == rivals[0].wait() == "succeeded"
    assert (len(entries(sql)), len(events)) == (2, 1)
    engine.dispose()


def test_a_lost_refund_of_another_amount(lost, moved, book, sql, events):
    """What we asked for is not what was done: shown, not booked."""
    with pytest.raises(AnswerMismatch):
        book(moved(Kind.REFUND, "29", **lost))
    assert (len(entries(sql)), events) == (1, [])
    book(moved(Kind.REFUND, "30", **lost))


def test_a_refund_that_we_took_for_failed(by_hand, book, payments, payment, sql):
    """Its money went all the same: it is booked beside the one that failed."""
    sql("UPDATE simulator_charges SET refunded = 100")
    with pytest.raises(Fault, match="refused"):
        payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
    sql("UPDATE simulator_charges SET refunded = 0")
    (refund,) = sql("SELECT id FROM refunds")
    assert book(by_hand("30", key=f"refund-{refund['id']}"))
    assert payments.get(payment_id=payment["id"])["refunded"] == "30.00"
    rows = sql("SELECT status FROM refunds ORDER BY created_at")
    assert [row["status"] for row in rows] == ["failed", "succeeded"]


@pytest.mark.parametrize("key", [None, "payment-1", "refund-x", f"refund-{uuid.uuid4()}"])
def test_a_key_of_nobody_is_no_key(by_hand, book, sql, key):
    """Whoever made it, its money went back."""
    assert book(by_hand("30", key=key))
    assert len(sql("SELECT 1 FROM refunds WHERE status = 'succeeded'")) == 1


def test_a_capture_is_settled_elsewhere(moved, book, sql, events):
    """Also one that nobody here has heard of."""
    assert not book(moved(Kind.CAPTURE))
    assert (len(entries(sql)), events) == (1, [])


def test_a_dispute_is_booked_and_said_once(moved, book, sql, payments, payment, events):
    """The money lies in an account of its own; what was paid for the order stays as it is."""
    dispute = moved(Kind.DISPUTE, "100.00", reference="dp_1")
    won = moved(Kind.DISPUTE_REVERSED, "100.00", reference="dp_1")
    with capture_logs() as said:
        answers = [book(each) for each in (dispute, dispute, won, won)]
    assert answers == [True, False, True, False]
    assert entries(sql)[1:] == [
        ("dispute", "disputed", "provider", "100.00"),
        ("dispute_reversed", "provider", "disputed", "100.00"),
    ]
    said = [line for line in said if line["log_level"] == "warning"]
    assert [line["event"] for line in said] == ["payment_disputed", "dispute_reversed"]
    assert said[0]["payment_id"] == payment["id"]
    assert said[0]["reference"] == "dp_1"
    assert events == []
    assert payments.get(payment_id=payment["id"])["status"] == "succeeded"


def test_a_dispute_that_is_not_booked_is_not_said(config, moved, payment, context):
    """A transaction that came to nothing was never heard of."""
    engine = sa.create_engine(configuration.database_url(config, "payments"))
    with capture_logs() as said, Session(engine) as session:
        payment_id = uuid.UUID(payment["id"])
        assert provider_transactions.book(context, session, payment_id, moved(Kind.DISPUTE))
        session.rollback()
    engine.dispose()
    assert [line for line in said if "dispute" in line["event"]] == []


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.DISPUTE])
def test_an_amount_that_has_no_coins(pay, sql, book, moved, kind, payment):
    """Half a yen is a mistake of somebody's, whatever became of it."""
    sql("UPDATE payments SET currency = 'JPY'")
    with pytest.raises(AnswerMismatch):
        book(moved(kind, "0.50", currency="JPY"))


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.DISPUTE])
@pytest.mark.parametrize(
    "facts",
    [
        {"currency": "USD"},
        {"charge": "another"},
        {"amount": "1.005"},
        {"amount": "0"},
        {"amount": "-1"},
    ],
)
def test_what_does_not_fit_is_not_booked(moved, book, sql, kind, facts):
    """Another currency or charge, or an amount that our books would round."""
    with pytest.raises(AnswerMismatch):
        book(moved(kind, **facts))
    assert len(entries(sql)) == 1
