"""Paying an order."""

import uuid

import pytest

from chassis.errors import Conflict, Internal, Invalid
from orders.payment import commands as payment_commands
from orders.payment import finishing
from payments.charges import commands as charges
from tests.integration.orders.world import STAFF, crash
from tests.support import eventually, run_timer


def test_a_paid_order_is_processing_and_its_stock_is_its_own(
    place, pay, product, stock, state, told, held, eventually
):
    """One call takes the money and tells the others, of whom inventory keeps the stock."""
    kettle = product(stock=3)
    order = place((kettle, 2))
    payment = pay(order)
    assert (payment["status"], payment["amount"]) == ("succeeded", "20.00")
    assert payment["order_id"] == order["id"]
    assert state(order) == ("processing", "paid")
    assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]
    assert eventually(lambda: held(order) == "committed")
    assert stock(kettle) == (3, 2)


def test_an_order_is_the_same_whoever_finishes_it(
    place, pay, product, at, state, told, sql, eventually
):
    """By the answer of the charge in one statement, by the event under the order's lock."""

    def written(order):
        (row,) = sql("orders", "SELECT * FROM orders WHERE id = :id", id=order["id"])
        own = {"id", "number", "payment_id", "created_at", "updated_at", "expires_at", "held_until"}
        same = {name: value for name, value in row.items() if name not in own}
        assert row["updated_at"] > row["created_at"]
        story = sql(
            "orders",
            "SELECT kind, cause, actor, detail - 'payment_id' - 'until' AS detail,"
            " trace_id IS NOT NULL AS traced FROM timeline WHERE order_id = :id ORDER BY id",
            id=order["id"],
        )
        events = [(event, payload["version"], sorted(payload)) for event, payload in told(order)]
        return same, story, events

    kettle = product(stock=2)
    by_answer, by_event = place((kettle, 1)), place((kettle, 1))
    pay(by_answer)
    at(payment_commands.CHARGED, crash)
    with pytest.raises(Internal):
        pay(by_event)
    assert eventually(lambda: state(by_event) == ("processing", "paid"))
    assert written(by_answer) == written(by_event)


def test_a_refund_that_is_heard_before_the_payment_counts(
    place, pay, product, call, at, before, state, sql, eventually
):
    """The money went back by hand between the charge and the end of the order."""
    order = place((product(price="10.00"), 1))

    def give_back():
        (payment,) = call.payments.list(order_id=order["id"], actor=STAFF)["items"]
        call.payments.refund(payment_id=payment["id"], amount="4.00", reason="x", actor=STAFF)
        eventually(lambda: sql("orders", "SELECT * FROM receipts"))

    def not_yet():
        raise ConnectionError

    before(finishing, "_conclude", not_yet)  # the event is a second later
    at(payment_commands.CHARGED, give_back)
    pay(order)
    assert eventually(lambda: state(order) == ("processing", "partially_refunded"))


def test_stock_whose_hold_may_be_over_soon_is_taken_at_once(
    place, pay, product, stock, state, told, brief
):
    """The answer to the payment comes after it."""
    kettle = product(stock=3)
    order = place((kettle, 2))
    brief(order)
    pay(order)
    assert (state(order), stock(kettle)) == (("processing", "paid"), (3, 2))
    assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]


def test_an_order_of_the_release_before_is_paid(place, pay, product, stock, state, sql):
    """It does not know until when its stock is held."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    sql("orders", "UPDATE orders SET held_until = NULL")
    pay(order)
    assert (state(order), stock(kettle)) == (("processing", "paid"), (1, 1))


def test_payments_knows_the_number_of_the_order(place, pay, product, sql):
    """What becomes of the money is told with the name that people know."""
    order = place((product(), 1))
    pay(order, "tok_declined")
    pay(order)
    told = sql(
        "payments", "SELECT type, payload->>'order_number' AS number FROM outbox ORDER BY id"
    )
    assert [(row["type"], row["number"]) for row in told] == [
        ("payment_failed", order["number"]),
        ("payment_succeeded", order["number"]),
    ]


def test_a_declined_payment_leaves_the_order_open(
    place, pay, product, state, stock, sql, eventually
):
    """The buyer may try again; the stock is still theirs."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    assert pay(order, "tok_declined")["failure_code"] == "card_declined"
    assert state(order) == ("pending", "unpaid")
    assert sql("orders", "SELECT paying_since FROM orders") == [{"paying_since": None}]
    assert pay(order)["status"] == "succeeded"
    assert eventually(lambda: stock(kettle) == (1, 1))


def test_paying_twice_at_once_takes_the_money_once(place, pay, product, state, sql, together, told):
    """Two clicks without a key: one payment; the other is told that there is one."""
    for _ in range(3):
        order = place((product(), 1))
        one, two = together(lambda o=order: pay(o), lambda o=order: pay(o))
        payments = sql("payments", "SELECT * FROM payments WHERE order_id = :id", id=order["id"])
        assert len(payments) == 1
        refused = two if isinstance(one, dict) else one
        assert refused.code in ("payment_active", "already_paid")
        assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]
        assert state(order) == ("processing", "paid")


def test_one_key_twice_at_once_is_one_payment(place, pay, product, sql, together):
    """Both clicks get the same payment."""
    order = place((product(), 1))
    clicks = together(*[lambda: pay(order, key="click")] * 3)
    assert {click["id"] for click in clicks} == {clicks[0]["id"]}
    assert len(sql("payments", "SELECT * FROM payments")) == 1


def test_a_repeat_after_the_end_gets_the_payment(place, pay, product):
    """Also when the order has been paid since; a new key then learns that it is paid."""
    order = place((product(), 1))
    declined = pay(order, "tok_declined", key="first")
    paid = pay(order, key="second")
    assert pay(order, key="second") == paid | {"replayed": True}
    assert pay(order, "tok_declined", key="first") == declined | {"replayed": True}
    with pytest.raises(Conflict) as refused:
        pay(order, key="third")
    assert refused.value.code == "already_paid"


def test_a_payment_key_is_for_one_request(place, pay, product):
    """Neither another method nor another order comes under it; another user's key is another."""
    order, other = place((product(), 1)), place((product(), 1))
    pay(order, "tok_declined", key="first")
    for refused in (
        lambda: pay(order, key="first"),
        lambda: pay(other, "tok_declined", key="first"),
    ):
        with pytest.raises(Invalid) as reused:
            refused()
        assert reused.value.code == "idempotency_key_reused"
    assert pay(order, key="first", actor=STAFF)["replayed"] is False


def test_a_payment_key_ends_after_a_day(place, pay, product, clock, sql, running):
    """Then it is a new request, which finds the order paid; old keys are cleaned up."""
    clock.stop()
    order = place((product(), 1))
    paid = pay(order, key="once")
    clock.advance(seconds=24 * 3600 - 1)
    run_timer(running["orders"], "purge")
    assert pay(order, key="once") == paid | {"replayed": True}
    clock.advance(seconds=1)
    with pytest.raises(Conflict) as refused:
        pay(order, key="once")
    assert refused.value.code == "already_paid"
    run_timer(running["orders"], "purge")
    assert sql("orders", "SELECT * FROM request_keys") == []


def test_a_cancelled_order_cannot_be_paid(place, pay, product, call, sql):
    """Nobody is charged for it; a key that was used before is told what it was told then."""
    order = place((product(), 1))
    declined = pay(order, "tok_declined", key="first")
    call.orders.cancel(order_id=order["id"])
    assert pay(order, "tok_declined", key="first") == declined | {"replayed": True}
    for key in ("second", None):
        with pytest.raises(Conflict) as refused:
            pay(order, "tok_declined", key=key)
        assert refused.value.code == "invalid_transition"
    assert len(sql("payments", "SELECT * FROM payments")) == 1


def test_a_payment_that_failed_in_time_is_repeated_late(
    by_hand, place, pay, product, clock, state, running
):
    """Its answer is the same when the time to pay is over, before and after the order has ended."""
    order = place((product(), 1))
    declined = pay(order, "tok_declined", key="first")
    clock.advance(seconds=1800)
    assert state(order) == ("pending", "unpaid")
    assert pay(order, "tok_declined", key="first") == declined | {"replayed": True}

    def is_cancelled():  # not while the event of the payment, for the timeline, has the row
        run_timer(running["orders"], "expire")
        return state(order) == ("cancelled", "unpaid")

    eventually(is_cancelled)
    assert pay(order, "tok_declined", key="first") == declined | {"replayed": True}


def test_a_payment_that_broke_off_before_the_charge_is_not_made_late(
    place, pay, product, call, at, sql
):
    """The key was taken and nobody was charged: after the order's end nobody is."""
    order = place((product(), 1))
    at(payment_commands.STARTED, crash)
    with pytest.raises(Internal):
        pay(order, key="first")
    call.orders.cancel(order_id=order["id"])
    with pytest.raises(Conflict) as refused:
        pay(order, key="first")
    assert refused.value.code == "invalid_transition"
    assert sql("payments", "SELECT * FROM payments") == []


def test_the_time_to_pay_ends_exactly(by_hand, place, pay, product, clock, state):
    """Not when a timer comes round, but when it is over; until then it has not ended."""
    clock.stop()
    order = place((product(), 1))
    clock.advance(seconds=1799)
    assert pay(order, "tok_declined")["failure_code"] == "card_declined"
    clock.advance(seconds=1)
    assert state(order) == ("pending", "unpaid")
    with pytest.raises(Conflict) as refused:
        pay(order)
    assert refused.value.code == "invalid_transition"


def test_staff_may_pay_for_a_customer(place, pay, product, buyer):
    """The payment is the owner's all the same."""
    assert pay(place((product(), 1)), actor=STAFF)["user_id"] == buyer["user_id"]


def test_a_wrong_method_is_the_senders_mistake(place, call, product, buyer):
    """Payments' words reach the caller; the order stays payable."""
    order = place((product(), 1))
    with pytest.raises(Invalid) as refused:
        call.orders.pay(order_id=order["id"], method={"type": "cash"}, actor=buyer)
    assert "method" in refused.value.errors


def test_a_cancel_just_before_the_money_comes(
    place, pay, product, state, before, call, stock, eventually
):
    """The charge is under way when the order is cancelled: the money goes back, once."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    before(charges, "settle", lambda: call.orders.cancel(order_id=order["id"]))
    assert pay(order)["status"] == "succeeded"
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    assert eventually(lambda: stock(kettle) == (1, 0))


def test_no_cancel_between_the_money_and_the_stock(place, pay, product, state, at, call, brief):
    """Money that has come is booked first; the cancel is asked to come again."""
    order = place((product(), 1))
    brief(order)
    refusals = []

    def cancel():
        with pytest.raises(Conflict) as refused:
            call.orders.cancel(order_id=order["id"])
        refusals.append(refused.value.code)

    at(finishing.ATTACHED, cancel)
    pay(order)
    assert refusals == ["payment_in_progress"]
    assert state(order) == ("processing", "paid")


def test_cancel_racing_pay(place, pay, product, state, call, together, sql, told, eventually):
    """However they cross: a processing order with its money, or a cancelled one without."""
    for _ in range(8):
        order = place((product(stock=1), 1))
        together(lambda o=order: pay(o), lambda o=order: call.orders.cancel(order_id=o["id"]))

        def settled(order=order):
            return state(order) in (
                ("processing", "paid"), ("cancelled", "refunded"), ("cancelled", "unpaid")
            )  # fmt: skip

        eventually(settled)
        due = [event for event, _ in told(order) if event == "refund_due"]
        assert len(due) == (state(order) == ("cancelled", "refunded"))


@pytest.mark.parametrize("is_brief", [True, False])
def test_stock_that_is_gone_when_the_money_comes(
    place, pay, product, call, state, told, eventually, brief, is_brief
):
    """A hold that is no more, and its piece sold to another: the order is cancelled, the money
    goes back, and the second buyer keeps the piece; also when that is noticed only after the order
    was paid."""
    kettle = product(stock=1)
    first = place((kettle, 1))
    if is_brief:
        brief(first)
    call.inventory.release(order_id=first["id"], reason="test")
    second = place((kettle, 1), user_id=str(uuid.uuid4()))
    assert pay(first)["status"] == "succeeded"
    assert eventually(lambda: state(first) == ("cancelled", "refunded"))
    assert call.orders.get(order_id=first["id"])["cancel_reason"] == "out_of_stock"
    paid = [] if is_brief else ["order_paid"]
    events = [event for event, _ in told(first)]
    assert events == ["order_placed", *paid, "order_cancelled", "refund_due"]
    assert pay(second, actor=STAFF)["status"] == "succeeded"
    assert state(second) == ("processing", "paid")


def test_an_unfinished_order_still_answers_with_its_payment(
    place, pay, product, state, at, eventually, brief
):
    """The money is there, so that is the answer; the event finishes the order."""
    order = place((product(), 1))
    brief(order)

    def away():
        raise ConnectionError

    at(finishing.ATTACHED, away)
    assert pay(order)["status"] == "succeeded"
    assert eventually(lambda: state(order) == ("processing", "paid"))


@pytest.mark.parametrize("change", [{"amount": "1.00"}, {"currency": "USD"}])
def test_money_that_does_not_match_goes_back(place, product, call, state, told, eventually, change):
    """An order is paid by its total in its currency, and by nothing else."""
    order = place((product(), 1))
    request = {"amount": order["total"], "currency": order["currency"]} | change
    payment = call.payments.charge(
        order_id=order["id"],
        user_id=order["user_id"],
        method={"type": "card", "token": "tok_visa"},
        key="direct",
        **request,
    )

    def returned():
        return call.payments.get(payment_id=payment["id"])["status"] == "refunded"

    assert eventually(returned)
    assert state(order) == ("pending", "unpaid")
    ((_, due),) = [event for event in told(order) if event[0] == "refund_due"]
    assert (due["reason"], due["amount"]) == ("amount_mismatch", request["amount"])


def test_money_for_no_order_goes_back(running, call, eventually):
    """Nobody keeps what belongs to no order."""
    payment = call.payments.charge(
        order_id=str(uuid.uuid4()),
        user_id=str(uuid.uuid4()),
        amount="5.00",
        currency="EUR",
        method={"type": "card", "token": "tok_visa"},
        key="stray",
    )
    assert eventually(lambda: call.payments.get(payment_id=payment["id"])["status"] == "refunded")
