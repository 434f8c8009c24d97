"""Our ledger and the provider's books: they agree, or it is said what is wrong."""

import contextlib
import datetime
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from nameko.testing.services import entrypoint_hook
from structlog.testing import capture_logs

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import Forbidden, Invalid, ProviderFault, Unavailable
from payments import booked, reconciliation
from payments.comparison import Problem, Sum
from payments.errors import ProviderTimeout
from payments.providers import Providers
from payments.providers.port import Kind, Movement
from payments.providers.simulator import Simulator
from payments.reconciliation import Reconciliation
from payments.settings import PaymentsSettings
from tests.integration.payments.conftest import STAFF

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}


@pytest.fixture(autouse=True)
def _always_adds_up():
    """Not here: the books are wrong on purpose."""


class Bank:
    """A provider that has the books which a test gives it: movements with their times."""

    name = "simulator"

    def __init__(self):
        self.books = []
        self.asked = []

    def movements(self, since, until):
        return (movement for at, movement in self.books if since <= at < until)

    def movements_of(self, charge):
        self.asked.append(charge)
        found = [movement for _, movement in self.books if movement.charge == charge]
        if not found:
            raise ProviderFault("no such charge")
        return found

    def change(self, kind, **facts):
        """Its movements of that kind are otherwise."""
        self.books = [
            (at, replace(movement, **facts) if movement.kind is kind else movement)
            for at, movement in self.books
        ]

    def forget(self, kind):
        """It has no movements of that kind."""
        self.books = [(at, movement) for at, movement in self.books if movement.kind is not kind]


@pytest.fixture
def sale(pay, payments):
    """`sale()`: an order that was paid 100.00 and got 30.00 back; its payment."""

    def sell():
        payment = pay(order_id=str(uuid.uuid4()))
        payments.refund(payment_id=payment["id"], amount="30.00", reason="x")
        return payment

    return sell


@pytest.fixture
def bank(sql):
    """`bank()`: with the same movements as our ledger."""

    def open_books():
        bank = Bank()
        for row in sql(
            "SELECT entry.*, payments.provider_reference AS charge FROM ledger_entries AS entry"
            " JOIN payments ON payments.id = payment_id ORDER BY entry.id"
        ):
            movement = Movement(
                Kind(row["kind"]), row["provider_reference"], row["charge"], row["amount"],
                row["currency"],
            )  # fmt: skip
            bank.books.append((row["at"], movement))
        return bank

    return open_books


@pytest.fixture
def run(service, config):
    """`run(bank)`: the report of the last two days, an hour from now."""
    engine = sa.create_engine(configuration.database_url(config, "payments"))

    @contextlib.contextmanager
    def read():
        with engine.connect() as connection:
            yield connection

    def reconcile(bank, ahead=60 * MINUTE, **times):
        now = Clock.source() + ahead
        comparing = Reconciliation(read, Providers(bank), now, PaymentsSettings().load({}))
        return comparing.run(**{"since": now - 2 * DAY, "until": now} | times)

    yield reconcile
    engine.dispose()


def problems(report):
    return [finding.problem for finding in report.findings]


def test_books_that_agree(sale, bank, run):
    """Nothing is found in whatever many movements, and no charge has to be asked for."""
    for _ in range(3):
        sale()
    theirs = bank()
    report = run(theirs)
    assert (report.movements, problems(report), report.more) == (6, [], 0)
    assert theirs.asked == []


def test_in_many_batches(sale, bank, run, monkeypatch):
    """However few are read together, each is looked at, and no other."""
    monkeypatch.setattr(booked, "BATCH", 2)
    made = [sale() for _ in range(5)]
    theirs = bank()
    assert (run(theirs).movements, problems(run(theirs))) == (10, [])
    theirs.forget(Kind.REFUND)
    report = run(theirs)
    assert problems(report) == [Problem.REFUND_MISSING] * 5
    assert [str(each.payment_id) for each in report.findings] == [each["id"] for each in made]


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
    theirs.books = [(hour, Movement(Kind.CAPTURE, charge, charge, Decimal(100), "EUR", key))]
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.charge) == (Problem.CHARGE_NOT_BOOKED, charge)
    assert str(finding.payment_id) == payment["id"]


@pytest.mark.parametrize("key", [None, "payment-1", f"payment-{uuid.uuid4()}", "refund-1"])
def test_a_charge_of_nobody(run, key):
    """Found while any of it is left; what was given back to whom it came from is nobody's worry."""
    theirs, now = Bank(), Clock.source()
    theirs.books = [(now, Movement(Kind.CAPTURE, "x", "x", Decimal(7), "EUR", key))]
    (finding,) = run(theirs).findings
    assert (finding.problem, finding.reference) == (Problem.CHARGE_UNKNOWN, "x")
    theirs.books.append((now, Movement(Kind.REFUND, "y", "x", Decimal(6), "EUR")))
    assert problems(run(theirs)) == [Problem.CHARGE_UNKNOWN]
    theirs.books.append((now, Movement(Kind.DISPUTE, "z", "x", Decimal(1), "EUR")))
    assert problems(run(theirs)) == []


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


def test_what_is_young_is_not_judged(sale, bank, run):
    """Neither what only they have, nor what only we have, for five minutes."""
    sale()
    theirs = bank()
    theirs.forget(Kind.REFUND)
    now = Clock.source()
    theirs.books.append((now, Movement(Kind.CAPTURE, "x", "x", Decimal(7), "EUR")))
    assert problems(run(theirs, ahead=4 * MINUTE)) == []
    wrong = problems(run(theirs, ahead=6 * MINUTE))
    assert sorted(wrong) == [Problem.CHARGE_UNKNOWN, Problem.REFUND_MISSING]


def test_booked_on_another_day_than_it_moved(sale, bank, run):
    """The sweep books late, and clocks differ: that alone is not wrong, also at the borders."""
    sale()
    theirs = bank()
    for moved in (-3 * DAY, -DAY, -MINUTE, MINUTE):
        shifted = Bank()
        shifted.books = [(at + moved, movement) for at, movement in theirs.books]
        assert problems(run(shifted)) == []
        assert problems(run(shifted, since=Clock.source() - MINUTE / 2)) == []


def test_a_difference_is_one_finding(sale, bank, run):
    """Also when both days of a late booking show it."""
    sale()
    theirs = bank()
    theirs.change(Kind.REFUND, amount=Decimal(1))
    theirs.books = [(at - DAY, movement) for at, movement in theirs.books]
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
    moved = Movement(Kind.CAPTURE, charge, charge, Decimal(9), "EUR")
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
        def movements(self, since, until):
            raise ProviderTimeout

    with pytest.raises(Unavailable, match="simulator"):
        run(Silent())


# --- the call and the timer


def span(days=1):
    now = Clock.source()
    return {"since": (now - days * DAY).isoformat(), "until": now.isoformat()}


def test_the_call(sale, payments, sql, clock):
    """Against the simulator: nothing, then what somebody has done to its books."""
    payment = sale()
    clock.advance(minutes=6)
    report = payments.reconcile(**span(), actor=ADMIN)
    assert (report["movements"], report["findings"], report["more"]) == (2, [], 0)
    assert report["until"] < span()["until"]
    sql("UPDATE simulator_refunds SET amount = 29")
    (finding,) = payments.reconcile(**span(), actor=ADMIN)["findings"]
    assert (finding["problem"], finding["payment_id"]) == ("amount_differs", payment["id"])
    assert finding["ours"] == {"amount": "30.00", "currency": "EUR"}
    assert finding["theirs"] == {"amount": "29.00", "currency": "EUR"}
    assert finding["advice"].startswith("Both books")


def test_who_may_call(payments, order):
    """Admins and the system; not the staff, and not customers."""
    assert payments.reconcile(**span())["findings"] == []
    for who in (STAFF, {"user_id": order["user_id"], "role": "customer"}):
        with pytest.raises(Forbidden):
            payments.reconcile(**span(), actor=who)


@pytest.mark.parametrize("days", [0, -1, 31.001])
def test_a_time_that_is_no_time(payments, days):
    """It has to be one, of 31 days at most."""
    with pytest.raises(Invalid) as fault:
        payments.reconcile(**span(days))
    assert set(fault.value.errors) == {"until"}
    assert payments.reconcile(**span(31))["movements"] == 0


def test_the_timer_tells_the_log(service, sale, sql, clock):
    """How many of each problem, and nothing about whose."""
    sale(), sale()
    clock.advance(minutes=6)
    sql("UPDATE simulator_refunds SET amount = 29")
    with capture_logs() as lines, entrypoint_hook(service, "compare_books") as compare:
        compare()
    told = [line for line in lines if line["event"].startswith("reconcil")]
    assert [{k: v for k, v in line.items() if k != "log_level"} for line in told] == [
        {"event": "reconciliation_found", "problem": "amount_differs", "count": 2},
        {"event": "reconciled", "movements": 4, "findings": 2},
    ]
