"""What is judged when: not what is young, and no difference between two clocks."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from chassis.clock import Clock
from contracts.payments.enums import Problem
from payments.errors import ProviderTimeout
from payments.providers.port import Kind, ProviderTransaction
from payments.providers.simulator import Simulator
from payments.reconciliation.comparison import Sum
from tests.integration.payments.reconciliation.conftest import DAY, MINUTE, Bank, problems


def test_what_is_young_is_not_judged(sale, bank, run):
    """Neither what only they have, nor what only we have, for five minutes."""
    sale()
    theirs = bank()
    theirs.forget(Kind.REFUND)
    now = Clock.source()
    theirs.books.append((now, ProviderTransaction(Kind.CAPTURE, "x", "x", Decimal(7), "EUR")))
    assert problems(run(theirs, ahead=4 * MINUTE)) == []
    wrong = problems(run(theirs, ahead=6 * MINUTE))
    assert sorted(wrong) == [Problem.CHARGE_UNKNOWN, Problem.REFUND_MISSING]


def test_booked_on_another_day_than_it_moved(sale, bank, run):
    """The sweep books late, and clocks differ: that alone is not wrong, also at the borders."""
    sale()
    theirs = bank()
    for moved in (-3 * DAY, -DAY, -MINUTE, MINUTE):
        shifted = Bank()
        shifted.books = [(at + moved, transaction) for at, transaction in theirs.books]
        assert problems(run(shifted)) == []
        assert problems(run(shifted, since=Clock.source() - MINUTE / 2)) == []


def test_a_difference_is_one_finding(sale, bank, run):
    """Also when both days of a late booking show it."""
    sale()
    theirs = bank()
    theirs.change(Kind.REFUND, amount=Decimal(1))
    theirs.books = [(at - DAY, transaction) for at, transaction in theirs.books]
    report = run(theirs)
    assert (problems(report), report.counts.total()) == ([Problem.AMOUNT_DIFFERS], 1)


def test_outside_the_time(sale, bank, run):
    """What was before or after is not this run's."""
    sale()
    now = Clock.source()
    theirs = bank()
    theirs.forget(Kind.REFUND)
    assert problems(run(theirs, since=now + MINUTE)) == []
    assert problems(run(theirs, until=now - MINUTE)) == []
    assert run(theirs, until=now - MINUTE).movements == 0


def _payment(sql, status, minutes):
    """A payment of that state, begun so long ago, that nobody looks after."""
    begun = Clock.source() - minutes * MINUTE
    later = Clock.source() + 30 * DAY
    (row,) = sql(
        "INSERT INTO payments (id, order_id, user_id, key, provider, provider_reference, status,"
        " amount, currency, created_at, calling_until, next_check_at) VALUES (:id, :id, :id, '1',"
        " 'simulator', :id, :status, 9, 'EUR', :begun, :later, :later) RETURNING id",
        id=uuid.uuid4(), status=status, begun=begun, later=later,
    )  # fmt: skip
    return row["id"]


@pytest.mark.parametrize(
    ("status", "minutes", "found"),
    [
        ("pending", 11, [Problem.PAYMENT_PENDING]),
        ("pending", 9, []),
        ("requires_action", 11, []),
        ("requires_action", 24 * 60 + 11, [Problem.PAYMENT_PENDING]),
        ("failed", 11, []),
        ("pending", 40 * 24 * 60, [Problem.PAYMENT_PENDING]),
    ],
)
def test_payments_without_an_answer(run, sql, status, minutes, found):
    """Shown once the provider should have said something; a buyer has a day."""
    payment_id = _payment(sql, status, minutes)
    report = run(Bank(), ahead=0 * DAY)
    assert problems(report) == found
    assert [finding.payment_id for finding in report.findings] == [payment_id] * len(found)


def test_a_charge_that_settles_is_not_lost(run, sql):
    """Money that came for a payment whose buyer was still busy: the sweep will hear of it."""
    payment_id = _payment(sql, "requires_action", 60)
    theirs = Bank()
    charge = str(payment_id)
    moved = ProviderTransaction(Kind.CAPTURE, charge, charge, Decimal(9), "EUR")
    theirs.books = [(Clock.source() - 50 * MINUTE, moved)]
    assert problems(run(theirs, ahead=0 * DAY)) == []
    sql("UPDATE payments SET status = 'failed'")
    assert problems(run(theirs, ahead=0 * DAY)) == [Problem.CHARGE_NOT_BOOKED]


def test_refunds_without_an_answer(pay, payments, run, bank, monkeypatch, sql):
    """Shown when the provider keeps silent for long; what it has done in silence is not lost before
    that."""

    def no_answer(self, order):
        raise ProviderTimeout

    monkeypatch.setattr(Simulator, "refund", no_answer)
    payment = pay()
    payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
    (refund,) = sql("SELECT id FROM refunds")
    theirs = bank()
    ((at, capture),) = theirs.books
    facts = {"kind": Kind.REFUND, "reference": "r", "amount": Decimal(30)}
    done = replace(capture, **facts, key=f"refund-{refund['id']}")
    theirs.books.append((at, done))
    assert problems(run(theirs, ahead=9 * MINUTE)) == []
    report = run(theirs, ahead=11 * MINUTE)
    assert sorted(problems(report)) == [Problem.REFUND_NOT_BOOKED, Problem.REFUND_PENDING]
    (pending,) = (each for each in report.findings if each.problem is Problem.REFUND_PENDING)
    assert (pending.refund_id, str(pending.payment_id)) == (refund["id"], payment["id"])
    assert pending.ours == Sum(Decimal(30), "EUR")
