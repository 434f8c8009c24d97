"""A process dies by kill -9 between two steps, at each of them, and what it was at comes to an end.

`points.py` lists where. The processes are the real ones; see `hook/` for how they die.
"""

import functools
import uuid

import eventlet
import pytest

from chassis.errors import Fault, Interrupted
from chassis.steps import Step
from contracts.inventory.errors import OutOfStock
from shop.packages import load_services
from tests.chaos.crash import books
from tests.chaos.crash.points import (
    AGAIN,
    CHECKOUT,
    INTERRUPTED,
    PLACED,
    POINTS,
    REPEAT,
    ROWS,
    UNTOLD_REPEAT,
    UNTOLD_SWEEP,
)
from tests.integration.orders.world import ADDRESS, ADMIN, STAFF
from tests.support import eventually

#: What was called, so what queue the call waits in when nobody is there to take it.
QUEUES = {
    "orders": "rpc-orders",
    "payments": "rpc-payments",
    "products": "rpc-inventory",
}
NEWS = "evt-payments-payment_succeeded--orders.on_payment_succeeded"


class Buyer:
    """Somebody who wants the last one of something."""

    def __init__(self, shop):
        self.shop = shop
        self.user_id = str(uuid.uuid4())
        self.key = uuid.uuid4().hex
        self.product = shop.call.products.create(name="Lamp", price="10.00", stock=1)["id"]

    def place(self, key=None):
        items = [{"product_id": self.product, "quantity": 1}]
        self.order = self.shop.call.orders.place(
            user_id=self.user_id, items=items, shipping_address=ADDRESS, key=key or self.key
        )

    def give_away(self):
        self.shop.call.products.update(product_id=self.product, price="0.00")

    def place_free(self):
        self.place()

    def pay(self, key=None, token="tok_visa"):
        self.payment = self.shop.call.orders.pay(
            **self.mine,
            method={"type": "card", "token": token},
            key=key or self.key,
        )

    def hold_briefly(self):
        """The hold on its stock may be over before inventory hears of the payment."""
        self.shop.sql(
            "orders",
            "UPDATE orders SET held_until = expires_at WHERE id = :id",
            id=self.order["id"],
        )

    def lose_the_hold(self):
        """Somebody has given its stock back."""
        self.shop.call.inventory.release(order_id=self.order["id"])

    def pay_with_a_brief_hold(self):
        self.pay()

    def pay_with_a_lost_hold(self):
        self.pay()

    def walk_away(self):
        """The bank asks, and nobody answers."""
        self.pay(f"{self.key}-abandoned", "tok_3ds")

    def pay_otherwise(self):
        self.pay()

    def cancel(self):
        self.shop.call.orders.cancel(**self.mine)

    def cancel_waiting(self):
        self.cancel()

    def ship(self):
        """A clerk sends it."""
        self.shop.call.orders.fulfil(order_id=self.order["id"], key=self.key, actor=STAFF)

    def give_up(self):
        """A clerk cannot find it."""
        units = {"items": [{"line": 1, "quantity": 1}], "key": self.key, "actor": STAFF}
        self.shop.call.orders.cancel_items(order_id=self.order["id"], **units)

    def open_a_second_place(self):
        inventory = self.shop.call.inventory
        if len(inventory.list_locations()["items"]) == 1:
            inventory.create_location(code="AMS", name="Amsterdam", actor=ADMIN)

    def transfer(self):
        """A clerk moves it to the other place."""
        items = [{"variant_id": self.product, "quantity": 1}]
        way = {"from_": "MAIN", "to": "AMS"}
        self.sent = self.shop.call.inventory.send_transfer(
            items=items, key=self.key, actor=STAFF, **way
        )

    def take_in(self):
        """Another clerk puts it on the shelf there."""
        self.shop.call.inventory.receive_transfer(
            transfer_id=self.sent["id"], key=self.key, actor=STAFF
        )

    def refund(self):
        self.shop.call.payments.refund(
            payment_id=self.payment["id"], reason="scratched", key=self.key, actor=STAFF
        )

    def expire(self):
        self.shop.sql(
            "orders",
            "UPDATE orders SET expires_at = created_at WHERE id = :id",
            id=self.order["id"],
        )

    def leave(self):
        """A checkout that nobody takes up again."""
        self.shop.arm(INTERRUPTED)
        self.go_away_from(INTERRUPTED, eventlet.spawn(self.place))
        self.shop.start(INTERRUPTED.package)

    def undo(self):
        self.shop.advance(CHECKOUT)

    def go_away_from(self, point, calling):
        """Wait no longer: what was asked for is forgotten, also by the broker."""
        self.shop.died(point)
        calling.kill()
        if point.package in QUEUES and point.does not in ("undo", "expire"):
            self.shop.forget(QUEUES[point.package])

    def miss_the_news(self):
        """The event that the money has come is lost."""
        (event,) = self.shop.sql(
            "payments",
            "SELECT event_id FROM outbox WHERE payload->>'order_id' = :id",
            id=self.order["id"],
        )
        self.shop.lose(NEWS)
        self.shop.lost.add(event.event_id)

    @property
    def mine(self):
        actor = {"user_id": self.user_id, "role": "customer"}
        return {"order_id": self.order["id"], "actor": actor}


#: What goes before.
BEFORE = {
    "place": (),
    "place_free": (Buyer.give_away,),
    "pay": (Buyer.place,),
    "pay_with_a_brief_hold": (Buyer.place, Buyer.hold_briefly),
    "pay_with_a_lost_hold": (Buyer.place, Buyer.lose_the_hold),
    "expire": (Buyer.place,),
    "cancel": (Buyer.place, Buyer.pay),
    "refund": (Buyer.place, Buyer.pay),
    "ship": (Buyer.place, Buyer.pay),
    "give_up": (Buyer.place, Buyer.pay),
    "transfer": (Buyer.open_a_second_place,),
    "take_in": (Buyer.open_a_second_place, Buyer.transfer),
    "pay_otherwise": (Buyer.place, Buyer.walk_away),
    "cancel_waiting": (Buyer.place, Buyer.walk_away),
    "undo": (Buyer.leave,),
}


@pytest.fixture
def buyer(shop):
    """Somebody in a shop where nothing else is under way."""
    buyer = Buyer(shop)
    yield buyer
    shop.revive()
    eventually(lambda: books.at_rest(shop), timeout=20)


def test_each_declared_step_is_a_point_of_death():
    """No step without a crash at it, and no crash at a step that is not there any more."""
    load_services()
    steps = [point.at for point in POINTS]
    assert {step.partition(":")[0] for step in steps} == set(Step.declared)
    entrypoints = {
        f"{service.name}.{method}" for service in load_services() for method in dir(service)
    }
    assert {step.partition(":")[2] for step in steps} - {""} <= entrypoints


@pytest.mark.parametrize("row", ROWS)
def test_a_death_between_two_steps_leaves_nothing_half_done(shop, buyer, row):
    """Who repairs it brings it to the one end, where order, stock, money and timeline agree."""
    point, who, seconds, end = ROWS[row]
    for step in BEFORE[point.does]:
        step(buyer)
    is_under_way = point.does in ("undo", "pay_otherwise", "cancel_waiting")
    eventually(lambda: is_under_way or books.at_rest(shop), timeout=20)
    if point.package == "notifications":
        eventually(lambda: books.mails_are_out(shop), timeout=20)
    act = functools.partial(getattr(Buyer, point.does), buyer)
    echo, times = point.echo or (point.at, 1)
    times += shop.reached(echo)
    shop.arm(point)
    calling = eventlet.spawn(act)
    if who == AGAIN:
        shop.died(point)
    else:
        buyer.go_away_from(point, calling)
    if who in (UNTOLD_SWEEP, UNTOLD_REPEAT):
        buyer.miss_the_news()
    shop.start(point.package)
    shop.advance(seconds)
    if who == AGAIN:
        calling.wait()
        eventually(lambda: shop.reached(echo) >= times, timeout=20)
    elif who in (REPEAT, UNTOLD_REPEAT):
        act()
    eventually(lambda: books.has_ended(shop, buyer.key, buyer.product, end), timeout=20)
    eventually(lambda: books.at_rest(shop), timeout=20)
    assert books.has_ended(shop, buyer.key, buyer.product, end)
    _sell(buyer, end)
    if point.package == "notifications":
        eventually(lambda: books.mails_are_out(shop), timeout=20)


def test_a_command_without_a_key_is_not_done_again(shop, buyer):
    """The order was made when its maker died; the next process can't know, and says so."""
    buyer.key = None
    shop.arm(PLACED)
    calling = eventlet.spawn(buyer.place)
    shop.died(PLACED)
    shop.start(PLACED.package)
    with pytest.raises(Fault) as told:
        calling.wait()
    assert told.value.code == Interrupted.code
    made = shop.sql("orders", "SELECT id FROM orders WHERE user_id = :id", id=buyer.user_id)
    assert len(made) == 1


def _sell(buyer, end):
    """What came to nothing left the one piece for sale, once; also what has come from elsewhere."""
    if end == "on the way":
        buyer.take_in()
        end = "nothing"
    again = uuid.uuid4().hex
    if end in ("nothing", "expired", "cancelled", "cancelled unpaid", "given up", "out of stock"):
        buyer.place(again)
    if end not in ("paid", "paid otherwise", "given away", "refunded", "shipped"):
        buyer.pay(again)
    with pytest.raises(Fault) as sold_out:
        buyer.place("one more")
    assert sold_out.value.code == OutOfStock.code
