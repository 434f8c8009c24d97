"""Giving money back: by staff and by the system, and never more than was taken."""

import uuid

import eventlet
import pytest
from nameko.testing.services import entrypoint_waiter

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, ProviderFault
from payments.providers.port import RefundReport
from payments.providers.simulator import Simulator
from tests.integration.events import publish
from tests.integration.payments.conftest import STAFF


@pytest.fixture
def payment(pay):
    """A payment of 100.00 that succeeded."""
    return pay()


@pytest.fixture
def refund(payments, payment):
    """`refund("30.00", key="a")`: staff give money of the payment back."""

    def give(amount=None, **kwargs):
        arguments = {"payment_id": payment["id"], "amount": amount, "reason": "broken"}
        return payments.refund(**arguments | {"actor": STAFF} | kwargs)

    return give


@pytest.fixture
def due(config, order, payments):
    """`due(event_id=..., amount=...)`: orders says that the order's money is due back."""

    def tell(event_id=None, **changes):
        (payment,) = payments.list(order_id=order["order_id"])["items"]
        facts = {"order_id": order["order_id"], "payment_id": payment["id"], "amount": "100.00"}
        facts |= {"currency": "EUR", "reason": "order_cancelled"} | changes
        return publish(config["AMQP_URI"], "orders", "refund_due", facts, event_id)

    return tell


def refunds_told(told):
    return [payload for event, payload in told() if event == "payment_refunded"]


def test_the_whole_amount_goes_back(refund, payment, order, told, sql):
    """Without an amount all of it; the ledger and the world know."""
    after = refund()
    assert (after["status"], after["refunded"]) == ("refunded", "100.00")
    assert refunds_told(told) == [
        {
            **order,
            "payment_id": payment["id"],
            "refunded_total": "100.00",
            "reason": None,
            "full": True,
        }
    ]
    (entry,) = sql("SELECT * FROM ledger_entries WHERE kind = 'refund'")
    assert str(entry["amount"]) == "100.00"
    (row,) = sql("SELECT * FROM refunds")
    assert (row["reason"], str(row["requested_by"])) == ("broken", STAFF["user_id"])


def test_a_refund_names_the_order_by_its_number(payments, pay, told):
    """One of before payments knew it has none."""
    for changes in ({}, {"order_id": str(uuid.uuid4()), "order_number": None}):
        payments.refund(payment_id=pay(**changes)["id"], amount="1.00", reason="x", actor=STAFF)
    named = [(event, facts["order_number"]) for event, facts in told() if "payment" in event]
    assert named == [
        ("payment_succeeded", "S-102-748-399"),
        ("payment_refunded", "S-102-748-399"),
        ("payment_succeeded", None),
        ("payment_refunded", None),
    ]


def test_parts_go_back_one_after_another(refund, told):
    """Each part is told with the sum so far; the last one makes it whole."""
    assert refund("30.00")["status"] == "partially_refunded"
    assert refund("0.01")["refunded"] == "30.01"
    assert refund()["status"] == "refunded"
    parts = [(f["amount"], f["refunded_total"], f["full"]) for f in refunds_told(told)]
    assert parts == [
        ("30.00", "30.00", False),
        ("0.01", "30.01", False),
        ("69.99", "100.00", True),
    ]


def test_more_than_is_left_is_refused(refund):
    """And the caller learns what is."""
    refund("60.00")
    with pytest.raises(Conflict) as fault:
        refund("40.01")
    assert fault.value.code == "refund_too_large"
    assert fault.value.data == {"refundable": "40.00"}
    refund("40.00")
    with pytest.raises(Conflict) as fault:
        refund()
    assert fault.value.code == "not_refundable"


def test_a_part_that_has_no_coins_is_refused(payments, pay, sql):
    """Half a yen of a payment in yen: nothing is promised that no provider could give."""
    yen = pay(currency="JPY")
    with pytest.raises(Invalid) as fault:
        payments.refund(payment_id=yen["id"], amount="0.50", reason="x")
    assert fault.value.errors == {"amount": ["JPY has 0 decimal places."]}
    assert sql("SELECT 1 FROM refunds") == []
    assert payments.refund(payment_id=yen["id"], amount="50", reason="x")["refunded"] == "50"


def test_refunds_at_once_never_exceed_the_capture(refund, sql, payments, payment):
    """Thirty times 30 of 100 at once: three get through."""

    def attempt(_):
        try:
            return refund("30.00")["id"]
        except Conflict as fault:
            return fault.code

    answers = list(eventlet.GreenPool(30).imap(attempt, range(30)))
    assert answers.count(payment["id"]) == 3
    assert set(answers) == {payment["id"], "refund_too_large"}
    assert payments.get(payment_id=payment["id"])["refunded"] == "90.00"
    assert sum(row["amount"] for row in sql("SELECT amount FROM simulator_refunds")) == 90


def test_the_same_key_gives_back_once(refund, sql):
    """One after another and at once: one refund, the same answer."""
    first = refund("30.00", key="a")
    again = list(eventlet.GreenPool(10).imap(lambda _: refund("30.00", key="a"), range(10)))
    assert again == [first | {"replayed": True}] * 10
    assert first["replayed"] is False
    assert len(sql("SELECT 1 FROM simulator_refunds")) == 1
    with pytest.raises(Invalid) as fault:
        refund("30.01", key="a")
    assert fault.value.code == "idempotency_key_reused"
    with pytest.raises(Invalid):
        refund(key="a")  # all that is left is not what was asked for, whatever it comes to


def test_a_refund_key_ends_after_a_day(refund, sql, clock):
    """The same key is a new refund then, and the clean-up leaves no old one."""
    refund("30.00", key="a")
    clock.advance(seconds=24 * 3600 - 1)
    assert refund("30.00", key="a")["refunded"] == "30.00"
    clock.advance(seconds=1)
    assert refund("30.00", key="a")["refunded"] == "60.00"
    assert len(sql("SELECT 1 FROM request_keys")) == 1


def test_without_a_key_every_call_is_a_refund(refund):
    """Two equal refunds may both be meant."""
    refund("30.00")
    assert refund("30.00")["refunded"] == "60.00"


def test_customers_give_nothing_back(refund, order):
    """Not even to themselves."""
    with pytest.raises(Forbidden):
        refund(actor={"user_id": order["user_id"], "role": "customer"})


def test_what_is_not_there_cannot_be_given_back(payments, pay):
    """Unknown payments, and payments of which nothing was taken."""
    with pytest.raises(NotFound):
        payments.refund(payment_id=str(uuid.uuid4()), reason="x")
    failed = pay("tok_declined")
    with pytest.raises(Conflict) as fault:
        payments.refund(payment_id=failed["id"], reason="x")
    assert fault.value.code == "not_refundable"


def test_a_refused_refund_frees_its_amount(refund, sql, told, payments, payment):
    """The provider says no: an error of the provider, nothing booked, the amount free again."""
    sql("UPDATE simulator_charges SET refunded = 80")
    for key in ("a", "a"):
        with pytest.raises(ProviderFault) as fault:
            refund("30.00", key=key)
        assert fault.value.code == "refund_refused"
    assert refunds_told(told) == []
    assert payments.get(payment_id=payment["id"])["refunded"] == "0.00"
    sql("UPDATE simulator_charges SET refunded = 0")
    assert refund()["status"] == "refunded"


def test_money_due_goes_back_once_per_event(service, payment, payments, due, told, sql, eventually):
    """The event comes three times, the money goes once."""
    event_id = due()
    eventually(lambda: payments.get(payment_id=payment["id"])["status"] == "refunded")
    for _ in range(2):
        with entrypoint_waiter(service, "on_refund_due"):
            due(event_id)
    assert len(refunds_told(told)) == 1
    assert len(sql("SELECT 1 FROM simulator_refunds")) == 1


def test_money_due_is_what_was_not_given_back_before(refund, due, payments, payment, eventually):
    """After a refund of 30 by staff, a cancelled order of 100 gets 70."""
    refund("30.00")
    due()
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == "100.00")


def test_two_events_for_one_order_give_back_once(due, payments, payment, sql, eventually):
    """Different events, the same money: it goes back once."""
    due()
    due()
    eventually(lambda: len(sql("SELECT 1 FROM inbox")) == 2)
    eventually(lambda: payments.get(payment_id=payment["id"])["status"] == "refunded")
    assert len(sql("SELECT 1 FROM simulator_refunds")) == 1


def test_a_part_due_is_a_part(due, payments, payment, eventually):
    """Never more than the event says."""
    due(amount="25.50")
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == "25.50")


def test_an_order_that_was_not_paid_gets_nothing(pay, due, sql, eventually):
    """Nothing was taken, so the event is done."""
    pay("tok_declined")
    due()
    eventually(lambda: len(sql("SELECT 1 FROM inbox")) == 1)
    assert sql("SELECT 1 FROM refunds") == []


def test_money_due_waits_for_a_refund_in_flight(
    service, payment, payments, due, sql, refund, monkeypatch, eventually
):
    """A refund of 30 is not settled and then fails: the order still gets its 100."""
    from payments.errors import ProviderTimeout

    def no_answer(self, order):
        raise ProviderTimeout

    monkeypatch.setattr(Simulator, "refund", no_answer)
    refund("30.00")
    with entrypoint_waiter(service, "on_refund_due"):
        due()
    assert len(sql("SELECT 1 FROM refunds")) == 1
    sql("UPDATE refunds SET status = 'failed'")
    sql("UPDATE payments SET refunding = 0")
    monkeypatch.undo()
    eventually(lambda: payments.get(payment_id=payment["id"])["refunded"] == "100.00")


def test_orders_hears_that_its_request_failed(
    payment, order, due, refund, told, eventually, monkeypatch
):
    """By the id of the request, once; of what staff ask for it hears nothing."""

    def refused(self, request):
        return RefundReport(done=False, failure_code="amount_too_large")

    monkeypatch.setattr(Simulator, "refund", refused)
    with pytest.raises(ProviderFault):
        refund("30.00")
    request = {"request_id": str(uuid.uuid4()), "amount": "40.00"}
    for _ in range(2):
        due(**request)
    failed = {
        **request,
        "order_id": order["order_id"],
        "payment_id": payment["id"],
        "currency": "EUR",
        "failure_code": "amount_too_large",
    }
    told_so = [("refund_failed", failed)]
    assert eventually(lambda: [one for one in told() if one[0] == "refund_failed"] == told_so)


@pytest.mark.parametrize(
    "changes",
    [{"amount": "-1"}, {"amount": "many"}, {"order_id": "7"}, {"currency": "euro"}, {"reason": ""}],
)
def test_an_event_without_sense_moves_nothing(
    payment, payments, due, sql, parked, eventually, changes
):
    """It is parked; the payment stays as it is."""
    due(**changes)
    eventually(lambda: parked("payments") == 1)
    assert payments.get(payment_id=payment["id"]) == payment
    assert sql("SELECT 1 FROM inbox") == []
