"""An order after its payment: delivery, cancelling, refunds, and who may do what."""

import pytest

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from tests.integration.orders.world import ADDRESS, ADMIN, STAFF

ELSEWHERE = {**ADDRESS, "city": "Kiel"}


@pytest.fixture
def update(call, buyer):
    """`update(order, actor=STAFF, status="shipped")`: the order afterwards."""

    def change(order, actor=None, **fields):
        return call.orders.update(order_id=order["id"], actor=actor or buyer, **fields)

    return change


def test_staff_bring_an_order_to_its_end(place, pay, product, update, told):
    """Paid, shipped, delivered; each step grows the version, and is told: once it is paid, by its
    parcel."""
    order = place((product(), 1))
    pay(order)
    shipped = update(order, STAFF, status="shipped")
    delivered = update(order, STAFF, status="delivered", version=shipped["version"])
    assert (shipped["status"], delivered["status"]) == ("shipped", "delivered")
    assert (shipped["version"], delivered["version"]) == (3, 4)
    assert [event for event, _ in told(order)] == [
        "order_placed", "order_paid", "fulfilment_shipped", "fulfilment_delivered"
    ]  # fmt: skip


@pytest.mark.parametrize("status", ["processing", "partially_shipped", "shipped", "delivered"])
def test_an_unpaid_order_goes_nowhere(place, product, update, status):
    """Not even staff move on what is not paid."""
    with pytest.raises(Conflict) as refused:
        update(place((product(), 1)), STAFF, status=status)
    assert refused.value.code == "invalid_transition"


def test_customers_do_not_set_a_status(place, pay, product, update):
    """Not on their own order either."""
    order = place((product(), 1))
    pay(order)
    with pytest.raises(Forbidden):
        update(order, status="shipped")


def test_the_address_can_change_while_pending(place, pay, product, update):
    """By its owner, until the order is paid."""
    order = place((product(), 1))
    assert update(order, shipping_address=ELSEWHERE)["shipping_address"]["city"] == "Kiel"
    pay(order)
    with pytest.raises(Conflict):
        update(order, shipping_address=ADDRESS)


def test_a_stale_version_is_refused(place, product, update):
    """What was changed since it was looked at is not overwritten."""
    order = place((product(), 1))
    update(order, shipping_address=ELSEWHERE, version=1)
    with pytest.raises(PreconditionFailed):
        update(order, shipping_address=ADDRESS, version=1)


def test_an_update_of_nothing_is_refused(place, product, update):
    """It says what could be sent."""
    with pytest.raises(Invalid):
        update(place((product(), 1)))


def test_a_cancelled_order_gives_back_its_stock(place, product, call, buyer, stock, eventually):
    """Unpaid: no money moves. A second cancel finds nothing to do."""
    kettle = product(stock=2)
    order = place((kettle, 2))
    cancelled = call.orders.cancel(order_id=order["id"], reason="too dear", actor=buyer)
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "too dear")
    assert eventually(lambda: stock(kettle) == (2, 0))
    with pytest.raises(Conflict) as refused:
        call.orders.cancel(order_id=order["id"], actor=buyer)
    assert refused.value.code == "invalid_transition"


def test_a_cancelled_paid_order_gives_back_stock_and_money(
    place, pay, product, call, buyer, stock, state, told, eventually
):
    """All of both, once."""
    kettle = product(stock=2)
    order = place((kettle, 2))
    pay(order)
    call.orders.cancel(order_id=order["id"], actor=buyer)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    assert eventually(lambda: stock(kettle) == (2, 0))
    events = [event for event, _ in told(order)]
    assert events == ["order_placed", "order_paid", "order_cancelled", "refund_due"]


def test_cancelling_at_once_gives_back_once(
    place, pay, product, call, buyer, stock, state, told, together, eventually
):
    """Of four cancels one counts."""
    kettle = product(stock=2)
    order = place((kettle, 2))
    pay(order)
    answers = together(*[lambda: call.orders.cancel(order_id=order["id"], actor=buyer)] * 4)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    assert eventually(lambda: stock(kettle) == (2, 0))
    assert [event for event, _ in told(order)].count("refund_due") == 1


def test_a_shipped_order_cannot_be_cancelled(place, pay, product, update, call, buyer):
    """By nobody."""
    order = place((product(), 1))
    pay(order)
    update(order, STAFF, status="shipped")
    for actor in (buyer, STAFF):
        with pytest.raises(Conflict):
            call.orders.cancel(order_id=order["id"], actor=actor)


def test_a_refund_shows_on_the_order(place, pay, product, call, state, update, eventually):
    """In part, then in full; what was refunded in full is not shipped."""
    order = place((product(price="10.00"), 1))
    payment = pay(order)
    call.payments.refund(payment_id=payment["id"], amount="4.00", reason="scratch", actor=STAFF)
    assert eventually(lambda: state(order) == ("processing", "partially_refunded"))
    call.payments.refund(payment_id=payment["id"], reason="broken", actor=STAFF)
    assert eventually(lambda: state(order) == ("processing", "refunded"))
    with pytest.raises(Conflict):
        update(order, STAFF, status="shipped")
    call.orders.cancel(order_id=order["id"], actor=STAFF)
    assert state(order) == ("cancelled", "refunded")


def test_a_cancel_after_a_partial_refund_returns_the_rest(
    place, pay, product, call, state, told, eventually
):
    """Never more than was paid."""
    order = place((product(price="10.00"), 1))
    payment = pay(order)
    call.payments.refund(payment_id=payment["id"], amount="4.00", reason="scratch", actor=STAFF)
    eventually(lambda: state(order) == ("processing", "partially_refunded"))
    call.orders.cancel(order_id=order["id"], actor=STAFF)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    assert told(order)[-1][1]["amount"] == "6.00"
    assert call.payments.get(payment_id=payment["id"])["refunded"] == "10.00"


def test_only_admins_hide_and_only_what_is_finished(place, product, call, buyer):
    """A hidden order is gone for everybody, with its timeline."""
    order = place((product(), 1))
    for actor in (buyer, STAFF):
        with pytest.raises(Forbidden):
            call.orders.hide(order_id=order["id"], actor=actor)
    with pytest.raises(Conflict):
        call.orders.hide(order_id=order["id"], actor=ADMIN)
    call.orders.cancel(order_id=order["id"], actor=buyer)
    assert call.orders.hide(order_id=order["id"], actor=ADMIN) is None
    for actor in (buyer, ADMIN):
        for method in ("get", "timeline", "cancel"):
            with pytest.raises(NotFound):
                getattr(call.orders, method)(order_id=order["id"], actor=actor)
        assert call.orders.list(actor=actor)["items"] == []
