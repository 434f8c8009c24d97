"""Two books side by side: what is wrong between them, and nothing else."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payments.enums import Problem
from payments.providers.port import Kind, ProviderTransaction
from payments.reconciliation.comparison import ADVICE, Entry, Owner, Sum, compare

TEN = Decimal(10)
SOMEBODY = Owner(uuid.UUID(int=1), uuid.UUID(int=2), settling=False)


def transaction(kind=Kind.CAPTURE, number=1, amount=TEN, currency="EUR"):
    return ProviderTransaction(kind, f"{kind}-{number}", f"capture-{number}", amount, currency)


def entry(kind=Kind.CAPTURE, number=1, amount=TEN, currency="EUR"):
    return Entry(
        number, kind, f"{kind}-{number}", f"capture-{number}", Sum(amount, currency),
        uuid.UUID(int=number), uuid.UUID(int=-number % 2**128),
    )  # fmt: skip


def found(entries, transactions, owners=()):
    return list(compare("bank", entries, transactions, dict(owners)))


@pytest.mark.parametrize("kind", Kind)
def test_the_same_on_both_sides(kind):
    """Also when it is listed twice: nothing is wrong."""
    assert found([entry(kind)], [transaction(kind), transaction(kind)]) == []


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Kind.CAPTURE, Problem.CHARGE_NOT_BOOKED),
        (Kind.REFUND, Problem.REFUND_NOT_BOOKED),
        (Kind.DISPUTE, Problem.DISPUTE_NOT_BOOKED),
        (Kind.DISPUTE_REVERSED, Problem.DISPUTE_NOT_BOOKED),
    ],
)
def test_only_the_provider_has_it(kind, problem):
    """Shown with the payment that it belongs to; not while that one is settling."""
    moved = transaction(kind)
    (finding,) = found([], [moved], {moved: SOMEBODY}.items())
    assert (finding.problem, finding.provider) == (problem, "bank")
    assert (finding.reference, finding.charge) == (moved.reference, moved.charge)
    assert (finding.payment_id, finding.order_id) == (SOMEBODY.payment_id, SOMEBODY.order_id)
    assert (finding.ours, finding.theirs) == (None, Sum(TEN, "EUR"))
    assert found([], [moved], {moved: replace(SOMEBODY, settling=True)}.items()) == []


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Kind.CAPTURE, Problem.CHARGE_MISSING),
        (Kind.REFUND, Problem.REFUND_MISSING),
        (Kind.DISPUTE, Problem.DISPUTE_MISSING),
        (Kind.DISPUTE_REVERSED, Problem.DISPUTE_MISSING),
    ],
)
def test_only_we_have_it(kind, problem):
    """Shown with what we have booked."""
    booked = entry(kind)
    (finding,) = found([booked], [])
    assert (finding.problem, finding.reference) == (problem, booked.reference)
    assert finding.advice == ADVICE[problem]
    assert (finding.payment_id, finding.order_id) == (booked.payment_id, booked.order_id)
    assert (finding.ours, finding.theirs) == (Sum(TEN, "EUR"), None)


def test_a_charge_of_nobody():
    """The capture is shown; what became of it later is no news to us."""
    (finding,) = found([], [transaction(kind) for kind in Kind])
    assert (finding.problem, finding.reference) == (Problem.CHARGE_UNKNOWN, "capture-1")
    assert (finding.payment_id, finding.theirs) == (None, Sum(TEN, "EUR"))


@pytest.mark.parametrize(
    "theirs", [{"amount": Decimal("9.99")}, {"amount": Decimal("10.001")}, {"currency": "USD"}]
)
@pytest.mark.parametrize("kind", Kind)
def test_both_have_it_in_another_way(kind, theirs):
    """Both amounts are shown, and it is neither missing nor unknown."""
    (finding,) = found([entry(kind)], [transaction(kind, **theirs)])
    assert finding.problem == Problem.AMOUNT_DIFFERS
    assert finding.ours == Sum(TEN, "EUR")
    assert finding.theirs == Sum(theirs.get("amount", TEN), theirs.get("currency", "EUR"))


def test_a_dispute_and_its_end_have_one_name():
    """They are two transactions all the same."""
    lost = replace(transaction(Kind.DISPUTE), reference="dp")
    won = replace(transaction(Kind.DISPUTE_REVERSED), reference="dp")
    booked = replace(entry(Kind.DISPUTE), reference="dp")
    assert found([booked], [lost]) == []
    (finding,) = found([booked], [lost, won], {won: SOMEBODY}.items())
    assert (finding.problem, finding.reference) == (Problem.DISPUTE_NOT_BOOKED, "dp")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Kind),
            st.sampled_from(("same", "same", "ours", "theirs", "differs", "settling")),
            st.decimals(Decimal("0.01"), 1000, places=2),
        ),
        max_size=30,
    ),
    st.randoms(),
)
def test_any_books(lines, random):
    """Whatever the books, in whatever order: each line that is wrong is found, once, as what it is,
    and no other."""
    entries, transactions, owners, expected = [], [], {}, set()
    for number, (kind, state, amount) in enumerate(lines):
        booked, moved = entry(kind, number, amount), transaction(kind, number, amount)
        if state == "differs":
            moved = replace(moved, amount=amount + 1)
        if state in ("same", "ours", "differs"):
            entries.append(booked)
        if state != "ours":
            transactions += [moved] * random.choice((1, 1, 2))
        if state in ("theirs", "settling"):
            owners[moved] = replace(SOMEBODY, settling=state == "settling")
        if state in ("ours", "theirs", "differs"):
            expected.add((booked.reference, state))
    random.shuffle(transactions)
    got = [
        (finding.reference, _state(finding.problem))
        for finding in found(entries, transactions, owners.items())
    ]
    assert sorted(got) == sorted(expected)


def _state(problem):
    if problem is Problem.AMOUNT_DIFFERS:
        return "differs"
    return "ours" if problem.endswith("_missing") else "theirs"


def test_each_problem_has_advice():
    """Nobody is told of a thing without what to do about it."""
    assert set(ADVICE) == set(Problem)
    assert all(advice.endswith(".") for advice in ADVICE.values())
