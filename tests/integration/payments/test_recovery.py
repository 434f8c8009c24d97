"""What is interrupted is brought to its one end by the sweep."""

import eventlet
import pytest

from chassis.errors import Conflict
from payments.charges import commands as charges
from payments.providers import Providers
from payments.providers.simulator import Simulator
from payments.service import PaymentsService
from tests.model.provider import Provider
from tests.support import run_timer


@pytest.fixture
def crashed(pay, crash_before):
    """`crashed(owner, name)`: a charge that ended before that function ran."""

    def charge(owner, name, **kwargs):
        crash_before(owner, name)
        with pytest.raises(Exception):  # noqa: B017, PT011 -- whatever a crash looks like from outside
            pay(**kwargs)

    return charge


@pytest.fixture
def sweep(service):
    """`sweep()`: one round of the sweep, to its end."""
    return lambda: run_timer(service, "sweep")


def test_a_lost_answer_is_asked_for(pay, status, sql, told, eventually):
    """A time-out is an unknown: the payment waits, the sweep asks, the buyer is charged once."""
    payment = pay("tok_timeout")
    assert payment["status"] == "pending"
    assert pay("tok_timeout")["id"] == payment["id"]
    eventually(lambda: status() == ["succeeded"])
    assert len(sql("SELECT 1 FROM simulator_charges")) == 1
    assert len(sql("SELECT 1 FROM ledger_entries")) == 1
    assert [event for event, _ in told()] == ["payment_succeeded"]


def test_a_second_charge_waits_for_the_unknown(pay, clock):
    """While we do not know, no other charge of the order is begun."""
    pay("tok_timeout")
    with pytest.raises(Conflict) as fault:
        pay(key="2")
    assert fault.value.code in ("payment_active", "already_paid")


def test_a_crash_after_the_provider_charged_is_settled_once(
    by_hand, crashed, status, sql, told, clock, sweep
):
    """Charged there and unknown here: the sweep finds out, books and tells once."""
    crashed(charges, "settle")
    assert status() == ["pending"]
    assert sql("SELECT status FROM simulator_charges") == [{"status": "succeeded"}]
    clock.advance(seconds=10)
    sweep()
    assert status() == ["succeeded"]
    clock.advance(minutes=10)  # longer than the sweep ever pauses
    sweep()
    assert len(sql("SELECT 1 FROM ledger_entries")) == 1
    assert len(told()) == 1


def test_a_repeat_after_a_crash_picks_the_charge_up(by_hand, crashed, pay, sql, clock):
    """Nobody had asked the provider yet: the same key asks now, under the same provider key."""
    crashed(Simulator, "create")
    assert pay()["status"] == "pending"  # somebody might still be at it
    clock.advance(seconds=11)
    assert pay()["status"] == "succeeded"
    assert len(sql("SELECT 1 FROM simulator_charges")) == 1


def test_a_repeat_after_a_crash_looks_before_it_charges(by_hand, crashed, pay, clock, monkeypatch):
    """The provider had charged: its books answer, and it is not asked to charge again."""
    crashed(charges, "settle")
    monkeypatch.setattr(Simulator, "create", None)
    clock.advance(seconds=11)
    assert pay()["status"] == "succeeded"


def test_a_charge_that_never_arrived_fails_in_the_end(
    by_hand, crashed, pay, status, told, clock, sweep
):
    """The provider knows nothing: not at once, but after the time that is set, it has failed, and
    the order can be paid again."""
    crashed(Simulator, "create")
    clock.advance(seconds=20)
    sweep()
    assert status() == ["pending"]
    clock.advance(seconds=300)
    sweep()
    assert status() == ["failed"]
    assert told()[0][1]["failure_code"] == "not_received"
    assert pay(key="2")["status"] == "succeeded"


def test_a_challenge_that_nobody_passed_fails(pay, status, told, clock, eventually):
    """The buyer walked away: the order is free for another try."""
    pay("tok_3ds")
    clock.advance(seconds=601)
    eventually(lambda: status() == ["failed"])
    assert told()[0][1]["failure_code"] == "authentication_expired"
    assert pay(key="2")["status"] == "succeeded"


@pytest.fixture
def given_up(pay, slow_provider, clock, status, eventually):
    """A charge that still hangs when we have given it up; sending to it lets it arrive."""
    hanging = eventlet.spawn(pay)
    eventually(lambda: status() == ["pending"])
    clock.advance(seconds=311)
    eventually(lambda: status() == ["failed"])
    return slow_provider, hanging


def test_money_that_comes_late_is_booked(given_up, status, told):
    """It was taken after we had given up: the payment succeeds after all."""
    let_go, hanging = given_up
    let_go.send()
    assert hanging.wait()["status"] == "succeeded"
    assert status() == ["succeeded"]
    assert [event for event, _ in told()] == ["payment_failed", "payment_succeeded"]


def test_money_that_comes_late_for_a_paid_order_goes_back(
    given_up, pay, status, sql, told, eventually
):
    """Another payment has taken its place: the late one is booked and given back at once, and the
    others hear nothing of it."""
    let_go, hanging = given_up
    assert pay(key="2")["status"] == "succeeded"
    let_go.send()
    hanging.wait()
    back = "SELECT 1 FROM payments WHERE superseded AND refunded = captured"
    eventually(lambda: sql(back))
    assert status() == ["succeeded", "failed"]
    assert [event for event, _ in told()] == ["payment_failed", "payment_succeeded"]
    kinds = sql("SELECT kind, amount FROM ledger_entries ORDER BY id")
    assert [entry["kind"] for entry in kinds] == ["capture", "capture", "refund"]
    assert sum(row["refunded"] for row in sql("SELECT refunded FROM simulator_charges")) == 100


def test_money_that_comes_late_does_not_pay_for_another(given_up, pay, status):
    """The other payment is not even decided: what goes back is no success to anybody."""
    let_go, hanging = given_up
    assert pay("tok_3ds", key="2")["status"] == "requires_action"
    let_go.send()
    late = hanging.wait()
    assert (late["status"], late["failure_code"]) == ("failed", "paid_twice")
    assert status() == ["requires_action", "failed"]


def test_a_repeat_asks_the_provider_that_it_was_begun_with(
    by_hand, crashed, pay, clock, monkeypatch
):
    """Also when new payments go to another one by then: that has no charge of this one."""
    crashed(charges, "settle")
    other = Provider()
    monkeypatch.setattr(
        "payments.service.configured",
        lambda settings, db, clock, external_call: Providers(
            other, Simulator(db, clock, settings["simulator"])
        ),
    )
    clock.advance(seconds=10)
    assert pay()["status"] == "succeeded"
    assert other.charges == {}


def test_another_amount_than_asked_for_is_never_booked(by_hand, status, sql, crashed, clock, sweep):
    """A provider that speaks of other money is not believed."""
    crashed(charges, "settle")
    sql("UPDATE simulator_charges SET currency = 'USD'")
    clock.advance(seconds=10)
    sweep()
    assert status() == ["pending"]
    assert sql("SELECT 1 FROM ledger_entries") == []
    sql("UPDATE simulator_charges SET currency = 'EUR'")
    clock.advance(minutes=5)
    sweep()
    assert status() == ["succeeded"]


def test_one_that_goes_wrong_does_not_stop_the_others(
    pay, payments, sql, clock, monkeypatch, eventually
):
    """The sweep goes on to the next payment, and comes back to the first later."""
    first = pay("tok_timeout", order_id="00000000-0000-4000-8000-000000000001")
    second = pay("tok_timeout", order_id="00000000-0000-4000-8000-000000000002")
    real = Simulator.look_up

    def look_up(self, charge):
        if first["id"] in charge.key:
            raise RuntimeError
        return real(self, charge)

    monkeypatch.setattr(Simulator, "look_up", look_up)
    get = payments.get
    eventually(lambda: get(payment_id=second["id"])["status"] == "succeeded")
    assert get(payment_id=first["id"])["status"] == "pending"
    monkeypatch.setattr(Simulator, "look_up", real)
    clock.advance(minutes=1)
    eventually(lambda: get(payment_id=first["id"])["status"] == "succeeded")


def test_many_sweeps_at_once_settle_once(
    by_hand, crashed, service, start, status, sql, told, clock
):
    """Three instances share the work; the payment is booked and told once."""
    crashed(charges, "settle")
    instances = [service, *start(PaymentsService, PaymentsService)]
    clock.advance(seconds=10)
    for sweeping in [eventlet.spawn(run_timer, one, "sweep") for one in instances]:
        sweeping.wait()
    assert status() == ["succeeded"]
    assert len(sql("SELECT 1 FROM ledger_entries")) == 1
    assert len(told()) == 1


def test_no_transaction_is_open_while_the_provider_is_asked(pay, sql, monkeypatch):
    """A slow provider holds no lock and no connection."""
    seen, real = [], Simulator.create

    def create(self, order, note):
        seen.append(
            sql(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'payments' AND state LIKE 'idle in transaction%'"
            )
        )
        return real(self, order, note)

    monkeypatch.setattr(Simulator, "create", create)
    pay()
    assert seen == [[]]
