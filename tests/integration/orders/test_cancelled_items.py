"""Units of a paid order that will not be shipped, and their money, to the cent."""

import contextlib
import uuid

import pytest

from chassis.errors import Conflict, Fault, Invalid
from orders.cancellation import commands
from tests.integration.orders.world import STAFF, crash

#: unit price × quantity less discount, without tax, and with 21 % of it.
LINES = [
    ("9.99", 3, "3.00", "26.97", "5.66", "32.63"),
    ("4.95", 1, "0.50", "4.45", "0.94", "5.39"),
    ("0.37", 2, "0.07", "0.67", "0.14", "0.81"),
]
_LINE = (
    "UPDATE order_lines SET discount = :discount, net = :net, tax = :tax, total = :total"
    " WHERE order_id = :id AND line = :line"
)
_ORDER = (
    "UPDATE orders SET discount = 3.57, net = 32.09, tax = 6.74, total = 38.83,"
    " prices_include_tax = false WHERE id = :id"
)


@pytest.fixture
def taxed(place, product, pay, sql):
    """A paid order of 38.83 with a discount and tax."""
    order = place(*[(product(price=price, stock=10), units) for price, units, *_ in LINES])
    sql("orders", _ORDER, id=order["id"])
    for line, (_, _, discount, net, tax, total) in enumerate(LINES, 1):
        amounts = {"discount": discount, "net": net, "tax": tax, "total": total}
        sql("orders", _LINE, id=order["id"], line=line, **amounts)
    pay(order)
    return order


@pytest.fixture
def cancel(call):
    """`cancel(order, {1: 2}, key="k")`: the order, without two units of its first line."""

    def cancel_items(order, items, **request):
        items = [{"line": line, "quantity": units} for line, units in items.items()]
        request = {"items": items, "actor": STAFF} | request
        return call.orders.cancel_items(order_id=order["id"], **request)

    return cancel_items


@pytest.fixture
def refunded(call, eventually):
    """`refunded(order, "21.75")`: so much of its money goes back, and no more."""

    def check(order, amount):
        def is_back():
            (payment,) = call.payments.list(order_id=order["id"], actor=STAFF)["items"]
            return payment["refunded"] == amount

        return eventually(is_back)

    return check


def ship(call, order, items=None, **request):
    items = items and [{"line": line, "quantity": units} for line, units in items.items()]
    return call.orders.fulfil(order_id=order["id"], items=items, actor=STAFF, **request)


def test_what_is_left_of_a_line_is_cancelled(taxed, call, cancel, refunded, state, told, sql):
    """One of three is shipped, and worth 10.88; for the other two 21.75 go back. With that, all
    that is left has been shipped, and can arrive."""
    ship(call, taxed, {1: 1, 2: 1, 3: 2})
    assert state(taxed)[0] == "partially_shipped"
    after = cancel(taxed, {1: 2})
    assert (after["status"], after["items"][0]["cancelled"]) == ("shipped", 2)
    assert refunded(taxed, "21.75")
    (event,) = [facts for type, facts in told(taxed) if type == "order_items_cancelled"]
    assert (event["amount"], event["lines"][0]["quantity"]) == ("21.75", 2)
    (line,) = sql(
        "orders", "SELECT refunded FROM order_lines WHERE order_id = :id AND line = 1",
        id=taxed["id"],
    )  # fmt: skip
    assert str(line["refunded"]) == "21.75"
    call.orders.update(order_id=taxed["id"], status="delivered", actor=STAFF)
    assert state(taxed) == ("delivered", "partially_refunded")


def test_one_by_one_all_cents_go_back(taxed, call, cancel, refunded, state):
    """10.88, 10.87, 10.88 for the first line; with the last units the order is cancelled."""
    back = 0
    for cents in (1088, 1087, 1088):
        cancel(taxed, {1: 1})
        back += cents
        assert refunded(taxed, f"{back / 100:.2f}")
    cancel(taxed, {3: 1})
    assert refunded(taxed, "33.04")
    after = cancel(taxed, {2: 1, 3: 1})
    assert after["status"] == "cancelled"
    assert refunded(taxed, "38.83")


def test_a_repeat_under_a_key_cancels_once(taxed, cancel, refunded, together, told):
    """At once and later, from whichever clerk; for other items the key is refused."""
    other = {**STAFF, "user_id": str(uuid.uuid4())}
    outcomes = together(
        *[lambda: cancel(taxed, {1: 1}, key="k")] * 2,
        lambda: cancel(taxed, {1: 1}, key="k", actor=other),
    )
    outcomes.append(cancel(taxed, {1: 1}, key="k", actor=other))
    assert sorted(one["replayed"] for one in outcomes) == [False, True, True, True]
    assert {one["items"][0]["cancelled"] for one in outcomes} == {1}
    with pytest.raises(Invalid) as reused:
        cancel(taxed, {1: 2}, key="k")
    assert reused.value.code == "idempotency_key_reused"
    assert refunded(taxed, "10.88")
    assert [event for event, _ in told(taxed)].count("refund_due") == 1


def test_a_key_is_of_one_order(place, product, pay, cancel):
    """The same clerk may use it for another."""
    for _ in range(2):
        order = place((product(), 2))
        pay(order)
        after = cancel(order, {1: 1}, key="k")
        assert (after["replayed"], after["items"][0]["cancelled"]) == (False, 1)


def test_a_crash_after_the_commit_refunds_once(taxed, cancel, at, refunded):
    """What is committed is told by the sweep, and the repeat finds it done."""
    at(commands.CANCELLED, crash)
    with contextlib.suppress(Fault):  # the broker may deliver the call once more
        cancel(taxed, {1: 2}, key="k")
    assert cancel(taxed, {1: 2}, key="k")["replayed"]
    assert refunded(taxed, "21.75")


def test_what_is_shipped_or_packed_is_not_cancelled(taxed, call, cancel, state):
    """Nor more than there is."""
    ship(call, taxed, {1: 1})
    ship(call, taxed, {1: 1}, state="packing")
    for units in (2, 3):
        with pytest.raises(Conflict) as refused:
            cancel(taxed, {1: units})
        assert refused.value.code == "nothing_left_to_ship"
        assert refused.value.data == {"lines": [{"line": 1, "requested": units, "left": 1}]}
    assert state(taxed) == ("partially_shipped", "paid")


def test_packing_and_cancelling_at_once_share_the_units(taxed, call, cancel, together, sql):
    """Two of three each: one of them finds too little."""
    outcomes = together(
        lambda: ship(call, taxed, {1: 2}, key="ship"), lambda: cancel(taxed, {1: 2}, key="cancel")
    )
    (refused,) = [one for one in outcomes if isinstance(one, Exception)]
    assert refused.code == "nothing_left_to_ship"
    (line,) = sql(
        "orders",
        "SELECT shipped + cancelled AS gone FROM order_lines WHERE order_id = :id AND line = 1",
        id=taxed["id"],
    )
    assert line["gone"] == 2


def test_what_went_back_by_hand_does_not_go_back_twice(
    taxed, call, cancel, refunded, eventually, state, sql
):
    """Of 38.83 30.00 were given back; 8.83 are left to give for units that were 22.16, and no more
    is counted at their lines."""
    (payment,) = call.payments.list(order_id=taxed["id"], actor=STAFF)["items"]
    call.payments.refund(payment_id=payment["id"], amount="30.00", reason="sorry", actor=STAFF)
    assert refunded(taxed, "30.00")
    assert eventually(lambda: state(taxed)[1] == "partially_refunded")  # orders has heard of it
    cancel(taxed, {1: 2, 3: 1})
    assert refunded(taxed, "38.83")
    asked = "SELECT sum(refunded) AS asked FROM order_lines WHERE order_id = :id"
    assert [str(row["asked"]) for row in sql("orders", asked, id=taxed["id"])] == ["8.83"]


@pytest.mark.parametrize("how", ["pending", "cancelled"])
def test_only_of_what_is_paid(place, product, call, cancel, how):
    """An unpaid order is cancelled whole."""
    order = place((product(), 2))
    if how == "cancelled":
        call.orders.cancel(order_id=order["id"], actor=STAFF)
    with pytest.raises(Conflict) as refused:
        cancel(order, {1: 1}, key=str(uuid.uuid4()))
    assert refused.value.code == "invalid_transition"


@pytest.mark.parametrize("how", ["shipped", "delivered"])
def test_of_what_has_left_nothing_is_left_to_cancel(place, product, pay, call, cancel, state, how):
    """On its way or there."""
    order = place((product(), 2))
    pay(order)
    ship(call, order)
    if how == "delivered":
        call.orders.update(order_id=order["id"], status="delivered", actor=STAFF)
    with pytest.raises(Conflict) as refused:
        cancel(order, {1: 1})
    assert refused.value.code == "nothing_left_to_ship"
    assert refused.value.data == {"lines": [{"line": 1, "requested": 1, "left": 0}]}
    assert state(order) == (how, "paid")


def test_of_a_free_order_nothing_goes_back(place, product, cancel, told, state):
    """Its items are cancelled all the same."""
    order = place((product(price="0.00"), 2))
    assert cancel(order, {1: 1})["status"] == "processing"
    assert [event for event, _ in told(order)] == [
        "order_placed", "order_paid", "order_items_cancelled"
    ]  # fmt: skip
    assert cancel(order, {1: 1})["status"] == "cancelled"


def test_what_costs_nothing_is_sent_when_all_money_went_back(
    place, product, pay, call, cancel, state, eventually
):
    """The kettle of 10.00 is cancelled, its gift is kept; of a kettle that is kept, nothing goes
    back but by hand, and then nothing is sent."""
    order = place((product(price="10.00", stock=5), 1), (product(price="0.00", stock=5), 2))
    pay(order)
    cancel(order, {1: 1})
    assert eventually(lambda: state(order) == ("processing", "refunded"))
    ship(call, order, {2: 1})
    assert state(order)[0] == "partially_shipped"
    ship(call, order)
    assert state(order) == ("shipped", "refunded")


def test_what_was_paid_back_by_hand_is_not_sent(
    place, product, pay, call, refunded, state, eventually
):
    """As long as there is a unit left that costs something; its gift neither."""
    order = place((product(price="10.00", stock=5), 1), (product(price="0.00", stock=5), 1))
    pay(order)
    (payment,) = call.payments.list(order_id=order["id"], actor=STAFF)["items"]
    call.payments.refund(payment_id=payment["id"], amount="10.00", reason="sorry", actor=STAFF)
    assert eventually(lambda: state(order) == ("processing", "refunded"))
    for items in ({1: 1}, {2: 1}, None):
        with pytest.raises(Conflict) as refused:
            ship(call, order, items)
        assert refused.value.code == "invalid_transition"
