"""A payment that waits for its buyer is cancelled: for another means, or with its order."""

import eventlet
import pytest

from chassis.errors import Conflict, Forbidden
from contracts.payments.errors import AlreadyPaid, PaymentActive
from payments.charges import commands as charges
from payments.errors import ProviderTimeout
from payments.providers.simulator import Simulator


@pytest.fixture
def cancel(payments, order):
    """`cancel()`: the order is cancelled, so nothing is to be paid; whether none is open."""
    return lambda **changes: payments.cancel(order_id=order["order_id"], **changes)["done"]


@pytest.fixture
def charged(sql):
    """`charged()`: the states of the charges in the provider's books, as they were made."""
    wanted = "SELECT status FROM simulator_charges ORDER BY created_at"
    return lambda: [row["status"] for row in sql(wanted)]


@pytest.fixture
def no_sweep(monkeypatch):
    """Nobody looks after what is interrupted, until `sweep` is called on again."""
    with monkeypatch.context() as patch:
        patch.setattr("payments.jobs.sweep", lambda context: None)
        yield patch


def test_another_means_replaces_the_one_that_waits(pay, payments, charged, told, order):
    """It is cancelled at the provider, its way to the bank is gone, and nobody is told to pay
    again; the money comes once."""
    waiting = pay("tok_3ds")
    assert waiting["action_url"]
    assert pay(key="2")["status"] == "succeeded"
    replaced = payments.get(payment_id=waiting["id"])
    assert (replaced["status"], replaced["failure_code"]) == ("failed", "replaced")
    assert replaced["action_url"] is None
    assert charged() == ["failed", "succeeded"]
    assert [event for event, _ in told()] == ["payment_cancelled", "payment_succeeded"]
    assert pay("tok_3ds") == replaced


def test_the_same_means_again_is_a_new_payment(pay, status):
    """Who has closed the bank's page gets another one."""
    first, second = pay("tok_3ds"), pay("tok_3ds", key="2")
    assert second["action_url"] not in (None, first["action_url"])
    assert status() == ["requires_action", "failed"]


def test_a_means_that_does_not_exist_replaces_nothing(pay, status):
    """What is refused before anybody is asked leaves the other as it was."""
    pay("tok_3ds")
    with pytest.raises(Exception, match="invalid"):
        pay("tok_unheard_of", key="2")
    assert status() == ["requires_action"]


def test_a_buyer_who_has_passed_meanwhile_has_paid(pay, payments, no_sweep, clock, status, charged):
    """The success counts, and the other means is not charged."""
    waiting = pay("tok_3ds_passes")
    clock.advance(seconds=3)
    with pytest.raises(Conflict) as fault:
        pay(key="2")
    assert fault.value.code == AlreadyPaid.code
    assert payments.get(payment_id=waiting["id"])["status"] == "succeeded"
    assert (status(), charged()) == (["succeeded"], ["succeeded"])


def test_one_that_is_just_being_charged_is_not_replaced(pay, slow_provider, status, eventually):
    """Its money may come at this moment."""
    charging = eventlet.spawn(pay)
    eventually(lambda: status() == ["pending"])
    with pytest.raises(Conflict) as fault:
        pay(key="2")
    assert fault.value.code == PaymentActive.code
    slow_provider.send()
    assert charging.wait()["status"] == "succeeded"
    assert status() == ["succeeded"]


def test_several_other_means_at_once_are_one_payment(pay, payments, status, charged, sql):
    """Each sees the one that waits; one takes its place, the others are told."""
    for number in range(5):
        order_id = f"00000000-0000-4000-8000-00000000000{number}"
        pay("tok_3ds", order_id=order_id)

        def other(key, order_id=order_id):
            try:
                return pay(key=key, order_id=order_id)["status"]
            except Exception as error:
                return error.code

        came = [each.wait() for each in [eventlet.spawn(other, key) for key in "2345"]]
        assert came.count("succeeded") == 1
        assert set(came) <= {"succeeded", "payment_active", "already_paid"}
        found = payments.list(order_id=order_id)["items"]
        assert [one["status"] for one in found] == ["succeeded", "failed"]
    assert charged().count("succeeded") == 5


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_while_it_is_cancelled(pay, no_sweep, crash_before, status, charged, told, clock,
                                       eventually, step):  # fmt: skip
    """Whether the provider was asked or not: the sweep cancels it, and the order can be paid."""
    pay("tok_3ds")
    if step == "before":
        crash_before(Simulator, "cancel")
    else:
        crash_before(charges, "settle")
    with pytest.raises(Exception, match="internal"):
        pay(key="2")
    assert status() == ["requires_action"]
    assert charged() == ["requires_action" if step == "before" else "failed"]
    no_sweep.undo()
    clock.advance(seconds=11)
    eventually(lambda: status() == ["failed"], timeout=10)
    assert [event for event, _ in told()] == ["payment_cancelled"]
    assert pay(key="3")["status"] == "succeeded"
    assert charged() == ["failed", "succeeded"]


def test_a_provider_that_does_not_answer_is_asked_later(
    pay, status, monkeypatch, eventually, clock
):
    """Nothing takes the place of what may still be paid."""

    def nobody(self, charge):
        raise ProviderTimeout

    pay("tok_3ds")
    with monkeypatch.context() as away:
        away.setattr(Simulator, "cancel", nobody)
        with pytest.raises(Conflict) as fault:
            pay(key="2")
        assert fault.value.code == PaymentActive.code
    clock.advance(seconds=11)
    eventually(lambda: status() == ["failed"], timeout=10)


def test_a_cancelled_order_cancels_what_waits(pay, payments, cancel, charged, told):
    """Once; and a repeat finds nothing more to do."""
    waiting = pay("tok_3ds")
    assert cancel()
    assert cancel()
    found = payments.get(payment_id=waiting["id"])
    assert (found["status"], found["failure_code"]) == ("failed", "order_cancelled")
    assert found["action_url"] is None
    assert charged() == ["failed"]
    ((event, facts),) = told()
    assert (event, facts["failure_code"]) == ("payment_cancelled", "order_cancelled")


def test_a_cancelled_order_keeps_money_that_has_come(pay, cancel, status):
    """It is given back as any other, when orders says so."""
    pay()
    assert cancel()
    assert status() == ["succeeded"]


def test_an_order_that_is_cancelled_while_it_is_charged(
    pay, payments, cancel, slow_provider, status, eventually, clock
):
    """What then waits for its buyer shows no way to pay, and is cancelled soon."""
    charging = eventlet.spawn(pay, "tok_3ds")
    eventually(lambda: status() == ["pending"])
    assert not cancel()
    slow_provider.send()
    assert charging.wait()["action_url"] is None
    clock.advance(seconds=11)
    eventually(lambda: status() == ["failed"], timeout=10)


def test_customers_cancel_no_payments(cancel, order):
    with pytest.raises(Forbidden):
        cancel(actor={"user_id": order["user_id"], "role": "customer"})
