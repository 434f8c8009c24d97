"""Our ledger and the provider's books: they agree, or it is said what is wrong."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from chassis.clock import Clock
from chassis.errors import ProviderFault, Unavailable
from contracts.payments.enums import Problem
from payments.errors import ProviderTimeout
from payments.providers.port import Kind, ProviderTransaction
from payments.reconciliation import commands as reconciliation
from payments.reconciliation import ledger_queries
from payments.reconciliation.comparison import Sum
from tests.integration.payments.reconciliation.conftest import DAY, Bank, problems


def test_books_that_agree(sale, bank, run):
    """Nothing is found in whatever many transactions, and no charge has to be asked for."""
    for _ in range(3):
        sale()
    theirs = bank()
    report = run(theirs)
    assert (report.movements, problems(report), report.more) == (6, [], 0)
    assert theirs.asked == []


def test_in_many_batches(sale, bank, run, monkeypatch):
    """However few are read together, each is looked at, and no other."""
    monkeypatch.setattr(ledger_queries, "BATCH", 2)
    made = [sale() for _ in range(5)]
    theirs = bank()
    assert (run(theirs).movements, problems(run(theirs))) == (10, [])
    theirs.forget(Kind.REFUND)
    report = run(theirs)
    assert problems(report) == [Problem.REFUND_MISSING] * 5
    assert [str(each.payment_id) for each in report.findings] == [each["id"] for each in made]


def test_batches_do_not_overlap(sale, read, monkeypatch):
    """Each entry is read once, in the order of time."""
    monkeypatch.setattr(ledger_queries, "BATCH", 3)
    for _ in range(5):
        sale()
    now = Clock.source()
    batches = list(ledger_queries.entries(read, "simulator", now - DAY, now + DAY))
    assert [len(batch) for batch in batches] == [3, 3, 3, 1]
    ids = [entry.id for batch in batches for entry in batch]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [(Kind.CAPTURE, Problem.CHARGE_MISSING), (Kind.REFUND, Problem.REFUND_MISSING)],
)
def test_the_provider_lacks_something(sale, bank, run, kind, problem):
    """Shown with whose it is and what we have booked."""
    payment, theirs = sale(), bank()
    theirs.forget(kind)
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.provider) == (problem, "simulator")
    assert str(finding.payment_id) == payment["id"]
    assert str(finding.order_id) == payment["order_id"]
    amount = Decimal(100 if kind is Kind.CAPTURE else 30)
    assert (finding.ours, finding.theirs) == (Sum(amount, "EUR"), None)


def test_the_provider_knows_nothing_at_all(sale, bank, run):
    """A charge that it refuses to speak of is one that it does not have."""
    sale()
    assert sorted(problems(run(Bank()))) == [Problem.CHARGE_MISSING, Problem.REFUND_MISSING]


@pytest.mark.parametrize("facts", [{"amount": Decimal("29.99")}, {"currency": "USD"}])
def test_the_provider_has_another_amount(sale, bank, run, facts):
    """Both are shown, once."""
    sale()
    theirs = bank()
    theirs.change(Kind.REFUND, **facts)
    (finding,) = run(theirs).findings
    assert finding.problem == Problem.AMOUNT_DIFFERS
    assert finding.ours == Sum(Decimal(30), "EUR")
    assert finding.theirs == Sum(facts.get("amount", Decimal(30)), facts.get("currency", "EUR"))


@pytest.mark.parametrize("by", ["charge", "key"])
def test_a_charge_that_was_not_booked(pay, sql, run, by):
    """A payment that we took for failed has been made: found by its charge, or by our key."""
    payment = pay("tok_declined")
    (row,) = sql("SELECT provider_reference FROM payments")
    theirs, hour = Bank(), Clock.source()
    charge = row["provider_reference"] if by == "charge" else "another"
    key = f"payment-{payment['id']}" if by == "key" else None
    theirs.books = [
        (hour, ProviderTransaction(Kind.CAPTURE, charge, charge, Decimal(100), "EUR", key))
    ]
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.charge) == (Problem.CHARGE_NOT_BOOKED, charge)
    assert str(finding.payment_id) == payment["id"]


@pytest.mark.parametrize("key", [None, "payment-1", f"payment-{uuid.uuid4()}", "refund-1"])
def test_a_charge_of_nobody(run, key):
    """Found while any of it is left; what was given back to whom it came from is nobody's worry."""
    theirs, now = Bank(), Clock.source()
    theirs.books = [(now, ProviderTransaction(Kind.CAPTURE, "x", "x", Decimal(7), "EUR", key))]
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.reference) == (Problem.CHARGE_UNKNOWN, "x")
    theirs.books.append((now, ProviderTransaction(Kind.REFUND, "y", "x", Decimal(6), "EUR")))
    assert problems(run(theirs)) == [Problem.CHARGE_UNKNOWN]
    theirs.books.append((now, ProviderTransaction(Kind.DISPUTE, "z", "x", Decimal(1), "EUR")))
    assert problems(run(theirs)) == []


def test_a_charge_that_the_provider_will_not_speak_of(run):
    """It cannot be shown that the money went back, so it is found."""

    class Shy(Bank):
        def transactions_of(self, charge):
            raise ProviderFault("ask us in writing")

    theirs = Shy()
    theirs.books = [
        (Clock.source(), ProviderTransaction(Kind.CAPTURE, "x", "x", Decimal(7), "EUR"))
    ]
    assert problems(run(theirs)) == [Problem.CHARGE_UNKNOWN]


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Kind.REFUND, Problem.REFUND_NOT_BOOKED),
        (Kind.DISPUTE, Problem.DISPUTE_NOT_BOOKED),
        (Kind.DISPUTE_REVERSED, Problem.DISPUTE_NOT_BOOKED),
    ],
)
def test_money_went_and_we_do_not_know(sale, bank, run, kind, problem):
    """By hand at the provider, or by a bank: shown with the payment that it is of."""
    payment, theirs = sale(), bank()
    ((at, capture), _) = theirs.books
    theirs.books.append((at, replace(capture, kind=kind, reference="x", amount=Decimal(5))))
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.reference) == (problem, "x")
    assert str(finding.payment_id) == payment["id"]


def test_a_booked_dispute_is_compared(sale, bank, run, sql):
    """As all entries are."""
    sale()
    sql(
        "INSERT INTO ledger_entries (payment_id, order_id, kind, debit, credit, amount, currency,"
        " provider, provider_reference, at) SELECT payment_id, order_id, 'dispute', 'disputed',"
        " 'provider', amount, currency, provider, provider_reference, at FROM ledger_entries"
        " WHERE kind = 'capture'"
    )
    theirs = bank()
    assert problems(run(theirs)) == []
    theirs.forget(Kind.DISPUTE)
    assert problems(run(theirs)) == [Problem.DISPUTE_MISSING]


def test_a_provider_that_is_not_set_up(sale, run):
    """Its entries could not be compared, and this is not kept quiet."""
    sale()
    other = Bank()
    other.name = "stripe"
    (finding,) = run(other).findings
    assert (finding.problem, finding.provider) == (Problem.NOT_COMPARED, "simulator")


def test_findings_are_bounded(sale, bank, run, monkeypatch):
    """The first are listed, the others counted."""
    monkeypatch.setattr(reconciliation, "MAX_FINDINGS", 3)
    for _ in range(4):
        sale()
    report = run(Bank())
    assert (len(report.findings), report.more, report.counts.total()) == (3, 5, 8)


def test_a_provider_that_does_not_answer(sale, run):
    """Nothing is known then, not even that all is well."""

    class Silent(Bank):
        def transactions(self, since, until):
            raise ProviderTimeout

    with pytest.raises(Unavailable, match="simulator"):
        run(Silent())
