"""Parcels: what leaves, once, and what that makes of the order."""

import contextlib
import uuid

import pytest

from chassis.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed
from orders.fulfilments import commands
from orders.order import queries as order_queries
from tests.integration.orders.world import STAFF, crash


@pytest.fixture
def paid(place, pay, product):
    """`paid(3, 2)`: a paid order with so many units of each of two products."""

    def make(*quantities, stock=None):
        order = place(*[(product(stock=stock or units), units) for units in quantities])
        pay(order)
        return order

    return make


@pytest.fixture
def fulfil(call):
    """`fulfil(order, {1: 3}, key="k")`: a parcel with three units of its first line."""

    def send(order, items=None, **request):
        if items is not None:
            items = [{"line": line, "quantity": units} for line, units in items.items()]
        request = {"actor": STAFF, "items": items} | request
        return call.orders.fulfil(order_id=order["id"], **request)

    return send


@pytest.fixture
def counters(sql):
    """`counters(order)`: (shipped, cancelled) of each line."""

    def look(order):
        query = "SELECT shipped, cancelled FROM order_lines WHERE order_id = :id ORDER BY line"
        return [(row["shipped"], row["cancelled"]) for row in sql("orders", query, id=order["id"])]

    return look


@pytest.fixture
def units(sql):
    """`units(order)`: of each line, how many units are in parcels that have left."""

    def look(order):
        query = (
            "SELECT line, sum(quantity) AS units FROM fulfilment_lines JOIN fulfilments"
            " ON id = fulfilment_id WHERE fulfilments.order_id = :id"
            " AND state IN ('shipped', 'delivered') GROUP BY line"
        )
        return {row["line"]: int(row["units"]) for row in sql("orders", query, id=order["id"])}

    return look


def is_refused(outcome, code):
    return isinstance(outcome, Conflict) and outcome.code == code


def test_a_part_of_what_is_all_reserved_is_shipped(paid, fulfil, state, counters, told):
    """Five are there, all five are this order's: three of them leave, then the rest."""
    order = paid(5)
    parcel = fulfil(order, {1: 3}, carrier="DHL", tracking_number="00340")
    assert (parcel["state"], parcel["location"]) == ("shipped", "MAIN")
    assert parcel["items"] == [{"line": 1, "quantity": 3}]
    assert (state(order), counters(order)) == (("partially_shipped", "paid"), [(3, 0)])
    rest = fulfil(order)
    assert rest["items"] == [{"line": 1, "quantity": 2}]
    assert (state(order), counters(order)) == (("shipped", "paid"), [(5, 0)])
    first, last = [facts for event, facts in told(order) if event == "fulfilment_shipped"]
    assert (first["complete"], last["complete"]) == (False, True)
    assert (first["carrier"], first["tracking_number"]) == ("DHL", "00340")
    assert [line["quantity"] for line in first["lines"] + last["lines"]] == [3, 2]


def test_two_clerks_do_not_ship_the_same_units(paid, fulfil, together, counters, units, told):
    """Three of five each, at once: one parcel leaves, the other finds too little."""
    order = paid(5)
    outcomes = together(
        lambda: fulfil(order, {1: 3}, key="one"), lambda: fulfil(order, {1: 3}, key="two")
    )
    (refused,) = [one for one in outcomes if isinstance(one, Exception)]
    assert is_refused(refused, "nothing_left_to_ship")
    assert refused.data == {"lines": [{"line": 1, "requested": 3, "left": 2}]}
    assert (counters(order), units(order)) == ([(3, 0)], {1: 3})
    assert [event for event, _ in told(order)].count("fulfilment_shipped") == 1


def test_one_key_is_one_parcel(paid, fulfil, together, counters, call):
    """At once and later, from whichever clerk; for other items it is refused."""
    order = paid(5)
    outcomes = together(*[lambda: fulfil(order, {1: 1}, key="k")] * 3)
    other = {**STAFF, "user_id": str(uuid.uuid4())}
    outcomes.append(fulfil(order, {1: 1}, key="k", actor=other))
    assert len({parcel["id"] for parcel in outcomes}) == 1
    assert sorted(parcel["replayed"] for parcel in outcomes) == [False, True, True, True]
    assert counters(order) == [(1, 0)]
    with pytest.raises(Invalid) as reused:
        fulfil(order, {1: 2}, key="k")
    assert reused.value.code == "idempotency_key_reused"


def test_what_is_being_packed_is_taken(paid, fulfil, call, state, counters):
    """Nobody else packs it, and it has not left; a parcel that is cancelled frees its units."""
    order = paid(5)
    packed = fulfil(order, {1: 4}, state="packing")
    assert (state(order), counters(order)) == (("processing", "paid"), [(0, 0)])
    with pytest.raises(Conflict) as refused:
        fulfil(order, {1: 2})
    assert refused.value.data["lines"] == [{"line": 1, "requested": 2, "left": 1}]
    cancelled = call.orders.cancel_fulfilment(fulfilment_id=packed["id"], actor=STAFF)
    assert cancelled["state"] == "cancelled"
    assert fulfil(order, {1: 5})["state"] == "shipped"
    assert (state(order), counters(order)) == (("shipped", "paid"), [(5, 0)])


def test_a_packed_parcel_leaves_later(paid, fulfil, call, state, counters, told):
    """With how it travels; then it arrives, and the order with it."""
    order = paid(2)
    parcel = fulfil(order, {1: 2}, state="packing")
    this = {"fulfilment_id": parcel["id"], "actor": STAFF}
    with pytest.raises(Conflict):
        call.orders.update_fulfilment(**this, state="delivered")
    sent = call.orders.update_fulfilment(**this, state="shipped", carrier="DHL", version=1)
    assert (sent["state"], sent["carrier"], state(order)[0]) == ("shipped", "DHL", "shipped")
    with pytest.raises(PreconditionFailed):
        call.orders.update_fulfilment(**this, tracking_number="1", version=1)
    with pytest.raises(Conflict):
        call.orders.cancel_fulfilment(**this)
    there = call.orders.update_fulfilment(**this, state="delivered")
    assert there["shipped_at"] <= there["delivered_at"]
    assert (state(order), counters(order)) == (("delivered", "paid"), [(2, 0)])
    assert [event for event, _ in told(order)][2:] == ["fulfilment_shipped", "fulfilment_delivered"]


def test_how_a_parcel_travels_is_put_right(paid, fulfil, call):
    """What is not sent stays; null and empty text remove."""
    how = {"carrier": "DHL", "tracking_number": "1", "tracking_url": "https://dhl.example/1"}
    parcel = fulfil(paid(1), **how)

    def change(**sent):
        changed = call.orders.update_fulfilment(fulfilment_id=parcel["id"], actor=STAFF, **sent)
        return {name: changed[name] for name in how}

    assert change(tracking_number="2") == how | {"tracking_number": "2"}
    assert change(tracking_number=None) == how | {"tracking_number": None}
    assert change(tracking_url="") == {"carrier": "DHL"} | dict.fromkeys([*how][1:])
    assert change(state="delivered") == {"carrier": "DHL"} | dict.fromkeys([*how][1:])
    assert change(carrier=" ") == dict.fromkeys(how)
    with pytest.raises(Invalid):
        change()


def test_an_order_has_arrived_with_its_last_parcel(paid, fulfil, call, state, told):
    """The first may arrive before the second has left."""
    order = paid(1, 2)
    parcels = [fulfil(order, {1: 1})["id"]]
    call.orders.update_fulfilment(fulfilment_id=parcels[0], state="delivered", actor=STAFF)
    assert state(order)[0] == "partially_shipped"
    parcels.append(fulfil(order)["id"])
    assert state(order)[0] == "shipped"
    call.orders.update_fulfilment(fulfilment_id=parcels[1], state="delivered", actor=STAFF)
    assert state(order)[0] == "delivered"
    arrived = [facts["complete"] for event, facts in told(order) if event.endswith("_delivered")]
    assert arrived == [False, True]


def test_shipping_the_whole_order_sends_all_that_is_left(paid, fulfil, call, state, counters):
    """What is packed already, and a parcel of the rest; delivering it is for all of them."""
    order = paid(3, 2)
    packed = fulfil(order, {1: 1}, state="packing")["id"]
    fulfil(order, {2: 1})
    call.orders.update(order_id=order["id"], status="shipped", actor=STAFF)
    assert (state(order)[0], counters(order)) == ("shipped", [(3, 0), (2, 0)])
    parcels = call.orders.list_fulfilments(order_id=order["id"], actor=STAFF)["items"]
    assert len(parcels) == 3
    assert parcels[0]["id"] == packed
    assert parcels[2]["items"] == [{"line": 1, "quantity": 2}, {"line": 2, "quantity": 1}]
    call.orders.update(order_id=order["id"], status="delivered", actor=STAFF)
    parcels = call.orders.list_fulfilments(order_id=order["id"], actor=STAFF)["items"]
    assert {parcel["state"] for parcel in parcels} == {"delivered"}
    assert state(order)[0] == "delivered"


@pytest.mark.parametrize("items", [{1: 6}, {2: 1, 1: 6}])
def test_more_than_is_left_is_not_shipped(paid, fulfil, counters, items):
    """All of it or nothing."""
    order = paid(5, 1)
    with pytest.raises(Conflict) as refused:
        fulfil(order, items)
    assert refused.value.code == "nothing_left_to_ship"
    assert refused.value.data["lines"] == [{"line": 1, "requested": 6, "left": 5}]
    assert counters(order) == [(0, 0), (0, 0)]


def test_of_what_has_all_left_nothing_is_left(paid, fulfil, call, counters, state):
    """On its way or there; a line that it has not is told as ever."""
    order = paid(2)
    parcel = fulfil(order)
    for status in ("shipped", "delivered"):
        for items, lines in ((None, []), ({1: 1}, [{"line": 1, "requested": 1, "left": 0}])):
            with pytest.raises(Conflict) as refused:
                fulfil(order, items)
            assert is_refused(refused.value, "nothing_left_to_ship")
            assert refused.value.data == {"lines": lines}
        with pytest.raises(Invalid):
            fulfil(order, {2: 1})
        assert (state(order), counters(order)) == ((status, "paid"), [(2, 0)])
        if status == "shipped":
            of_parcel = {"fulfilment_id": parcel["id"], "actor": STAFF}
            call.orders.update_fulfilment(**of_parcel, state="delivered")


def test_two_clerks_send_all_of_it(paid, fulfil, together, counters, told):
    """At once: one parcel leaves, for the other nothing is left."""
    order = paid(5)
    outcomes = together(
        lambda: fulfil(order, {1: 5}, key="one"), lambda: fulfil(order, {1: 5}, key="two")
    )
    (refused,) = [one for one in outcomes if isinstance(one, Exception)]
    assert is_refused(refused, "nothing_left_to_ship")
    assert counters(order) == [(5, 0)]
    assert [event for event, _ in told(order)].count("fulfilment_shipped") == 1


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"line": 9, "quantity": 1}],
        [{"line": 0, "quantity": 1}],
        [{"line": 1, "quantity": 0}],
        [{"line": 1, "quantity": 1001}],
        [{"line": 1}],
        [{"line": "1", "quantity": 1}],
        [{"line": 1, "quantity": 1, "product_id": 1}],
    ],
    ids=str,
)
def test_bad_items_are_refused(paid, call, counters, items):
    """With what is wrong; nothing has left."""
    order = paid(1)
    for method in ("fulfil", "cancel_items"):
        with pytest.raises(Invalid) as refused:
            getattr(call.orders, method)(order_id=order["id"], items=items, actor=STAFF)
        assert set(refused.value.errors) == {"items"}
    assert counters(order) == [(0, 0)]


def test_an_unpaid_order_and_a_refunded_one_are_not_shipped(
    place, product, pay, fulfil, call, state, eventually
):
    """Not even packed."""
    order = place((product(), 1))
    for how in ("packing", "shipped"):
        with pytest.raises(Conflict) as refused:
            fulfil(order, state=how)
        assert refused.value.code == "invalid_transition"
    payment = pay(order)
    packed = fulfil(order, state="packing")
    call.payments.refund(payment_id=payment["id"], reason="sorry", actor=STAFF)
    assert eventually(lambda: state(order) == ("processing", "refunded"))
    with pytest.raises(Conflict):
        call.orders.update_fulfilment(fulfilment_id=packed["id"], state="shipped", actor=STAFF)
    call.orders.cancel(order_id=order["id"], actor=STAFF)


def test_an_order_that_is_cancelled_takes_its_packed_parcels_along(
    paid, fulfil, call, buyer, state, counters, told, eventually
):
    """The buyer changes their mind while a clerk packs: the parcel does not leave, and nobody tells
    them that it is packed again."""
    order = paid(2)
    packed = fulfil(order, {1: 1}, state="packing")
    call.orders.cancel(order_id=order["id"], actor=buyer)
    assert counters(order) == [(0, 2)]
    with pytest.raises(Conflict):
        call.orders.update_fulfilment(fulfilment_id=packed["id"], state="shipped", actor=STAFF)
    assert [event for event, _ in told(order)][2:] == ["order_cancelled", "refund_due"]
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))


def test_what_has_left_in_part_is_not_cancelled_whole(paid, fulfil, call, buyer, state):
    """By nobody; the rest can be cancelled by the unit."""
    order = paid(2)
    fulfil(order, {1: 1})
    for actor in (buyer, STAFF):
        with pytest.raises(Conflict):
            call.orders.cancel(order_id=order["id"], actor=actor)
    assert state(order) == ("partially_shipped", "paid")


def test_parcels_are_the_staffs_and_shown_to_the_buyer(paid, fulfil, call, buyer):
    """Strangers find nothing; buyers see theirs and change nothing."""
    order = paid(2)
    parcels = [fulfil(order, {1: 1})["id"] for _ in range(2)]
    of_order = {"order_id": order["id"]}
    stranger = {"user_id": str(uuid.uuid4()), "role": "customer"}
    shown = call.orders.list_fulfilments(**of_order, actor=buyer, limit=1)
    assert [parcel["id"] for parcel in shown["items"]] == parcels[:1]
    shown = call.orders.list_fulfilments(**of_order, actor=buyer, cursor=shown["next"])
    assert ([parcel["id"] for parcel in shown["items"]], shown["next"]) == (parcels[1:], None)
    assert call.orders.get_fulfilment(fulfilment_id=parcels[0], actor=buyer)["id"] == parcels[0]
    this = {"fulfilment_id": parcels[0]}
    with pytest.raises(NotFound):
        call.orders.list_fulfilments(**of_order, actor=stranger)
    for actor, parcel in ((stranger, parcels[0]), (STAFF, str(uuid.uuid4()))):
        with pytest.raises(NotFound):
            call.orders.get_fulfilment(fulfilment_id=parcel, actor=actor)
    for actor in (buyer, stranger):
        with pytest.raises(Forbidden):
            fulfil(order, {1: 1}, actor=actor)
        with pytest.raises(Forbidden):
            call.orders.update_fulfilment(**this, carrier="x", actor=actor)
        with pytest.raises(Forbidden):
            call.orders.cancel_fulfilment(**this, actor=actor)
        items = [{"line": 1, "quantity": 1}]
        with pytest.raises(Forbidden):
            call.orders.cancel_items(**of_order, items=items, actor=actor)


def test_a_crash_before_the_relay_ships_once(
    paid, fulfil, at, counters, units, told, eventually, sql
):
    """What is committed is told by the sweep; the clerk's repeat finds the parcel."""
    order = paid(3)
    at(commands.SAVED, crash)
    with contextlib.suppress(Fault):  # the broker may deliver the call once more
        fulfil(order, {1: 2}, key="k")
    assert fulfil(order, {1: 2}, key="k")["replayed"]
    assert (counters(order), units(order)) == ([(2, 0)], {1: 2})
    unsent = "SELECT 1 FROM outbox WHERE sent_at IS NULL"
    assert eventually(lambda: not sql("orders", unsent), timeout=15)
    assert [event for event, _ in told(order)].count("fulfilment_shipped") == 1


def test_the_lock_is_taken_before_anything_is_counted(paid, fulfil, before, together, counters):
    """A clerk who comes in between the look and the count is seen."""
    order = paid(5)
    outcome = []

    def rival():
        outcome.extend(together(lambda: fulfil(order, {1: 3}, key="rival")))

    before(order_queries, "lock_visible", rival)
    with pytest.raises(Conflict):
        fulfil(order, {1: 3}, key="slow")
    assert outcome[0]["state"] == "shipped"
    assert counters(order) == [(3, 0)]
