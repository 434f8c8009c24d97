"""Lists and timelines."""

import uuid

import pytest

from chassis.errors import Invalid, NotFound
from tests.integration.orders.world import STAFF


def test_lists_show_ones_own_newest_first(place, product, call, buyer):
    """Page by page, each order once; the last page says so."""
    kettle = product(stock=50)
    placed = [place((kettle, 1))["id"] for _ in range(5)]
    place((kettle, 1), user_id=str(uuid.uuid4()))
    seen, cursor = [], None
    while True:
        page = call.orders.list(actor=buyer, limit=2, cursor=cursor)
        assert len(page["items"]) <= 2
        seen += [order["id"] for order in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == placed[::-1]


def test_lists_can_be_narrowed(place, pay, product, call, buyer):
    """By user, status, payment status and time; staff see everybody's."""
    kettle = product(stock=50)
    paid, unpaid = place((kettle, 1)), place((kettle, 1))
    other = place((kettle, 1), user_id=str(uuid.uuid4()))
    pay(paid)

    def ids(actor=STAFF, **filters):
        return {order["id"] for order in call.orders.list(actor=actor, **filters)["items"]}

    assert ids() == {paid["id"], unpaid["id"], other["id"]}
    assert ids(user_id=other["user_id"]) == {other["id"]}
    assert ids(status="processing") == ids(payment_status="paid") == {paid["id"]}
    assert ids(from_=other["created_at"]) == {other["id"]}
    assert ids(to=other["created_at"]) == {paid["id"], unpaid["id"]}
    assert ids(actor=buyer, user_id=buyer["user_id"]) == {paid["id"], unpaid["id"]}
    with pytest.raises(NotFound):
        ids(actor=buyer, user_id=other["user_id"])
    with pytest.raises(Invalid):
        ids(cursor="garbage")
    with pytest.raises(Invalid):
        ids(status="lost")


def test_the_timeline_tells_why(place, pay, product, call, buyer, state, eventually):
    """Order, stock and payment with their causes, in order, with the trace of the request."""
    order = place((product(), 1))
    pay(order, "tok_declined")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = call.with_data(traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    method = {"type": "card", "token": "tok_visa"}
    traced.orders.pay(order_id=order["id"], method=method, actor=buyer)

    def entries():
        return call.orders.timeline(order_id=order["id"], actor=buyer)["items"]

    # What other services tell comes when it comes; what this one does has its order.
    eventually(lambda: len(entries()) == 6)
    told = [
        (entry["kind"], entry["cause"], entry["actor"])
        for entry in entries()
        if entry["cause"] != "payment_failed"
    ]
    assert told == [
        ("order", "placed", "customer"),
        ("stock", "reserved", "system"),
        ("payment", "payment_succeeded", "system"),
        ("stock", "committed", "system"),
        ("order", "paid", "system"),
    ]
    (failed,) = [entry for entry in entries() if entry["cause"] == "payment_failed"]
    assert failed["detail"]["failure_code"] == "card_declined"
    paid = entries()[-1] if entries()[-1]["cause"] == "paid" else entries()[-2]
    assert paid["trace_id"] == trace
    assert paid["detail"] == {"before": "pending", "after": "processing"}
    assert buyer["user_id"] not in str(entries())
