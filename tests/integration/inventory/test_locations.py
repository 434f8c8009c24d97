"""Stock at several locations: what is promised from where, what moves, what is closed."""

import datetime
import itertools
import uuid

import eventlet
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid, NotFound
from products.stock import locations
from tests.integration import events
from tests.support import run_timer

ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}


@pytest.fixture
def location(inventory):
    """`location("AMS", country="NL")`: a new one."""

    def make(code, **fields):
        fields = {"name": code, "priority": 2} | fields
        return inventory.create_location(code=code, actor=ADMIN, **fields)

    return make


@pytest.fixture
def stocked(location, product, inventory):
    """`stocked(A=10, B=15)`: a variant with so many there, beside none at MAIN."""
    made = set()

    def make(**counts):
        kettle = product(stock=0)
        for code, count in counts.items():
            if code not in made:
                location(code)
                made.add(code)
            inventory.adjust(
                variant_id=kettle, location=code, on_hand=count, reason="x", actor=ADMIN
            )
        return kettle

    return make


@pytest.fixture
def there(inventory):
    """`there(variant_id)`: (on hand, reserved) of each location that has any."""

    def look(variant_id):
        levels = inventory.get(variant_id=variant_id)["locations"]
        return {
            level["location"]: (level["on_hand"], level["reserved"])
            for level in levels
            if level["on_hand"]
        }

    return look


def places(answer):
    return {line["location"]: line["quantity"] for line in answer["allocation"]}


def test_one_location_that_has_everything(stocked, reserve, there):
    """It ships all; never more than there is at one (10 at A, 15 at B, an order of 13)."""
    kettle = stocked(A=10, B=15)
    assert places(reserve((kettle, 13))) == {"B": 13}
    assert places(reserve((kettle, 10))) == {"A": 10}
    assert there(kettle) == {"A": (10, 10), "B": (15, 13)}


def test_else_few_of_them(stocked, reserve, there):
    """Those that have the most; a repeat gets the same answer."""
    kettle, order = stocked(A=10, B=5), str(uuid.uuid4())
    held = reserve((kettle, 13), order_id=order)
    assert places(held) == {"A": 10, "B": 3}
    assert reserve((kettle, 13), order_id=order) == held
    assert there(kettle) == {"A": (10, 10), "B": (5, 3)}
    with pytest.raises(Conflict) as short:
        reserve((kettle, 3))
    assert short.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "requested": 3, "available": 2}
    ]


def test_the_country_comes_first(location, inventory, stocked, clock):
    """Then the priority, then the code."""
    location("AMS", country="NL", priority=9)
    kettle = stocked(B=5)
    inventory.adjust(variant_id=kettle, location="AMS", on_hand=5, reason="x", actor=ADMIN)
    for country, place in (("NL", "AMS"), ("DE", "B"), (None, "B")):
        held = inventory.reserve(
            order_id=str(uuid.uuid4()),
            lines=[{"variant_id": kettle, "quantity": 1}],
            expires_at=(clock() + datetime.timedelta(minutes=5)).isoformat(),
            country=country,
        )
        assert places(held) == {place: 1}


def test_no_country_is_no_reason(location, engine):
    """To prefer a location without one: it goes by priority then."""
    location("AMS", country="NL", priority=0)
    location("HUB", country=None, priority=9)
    with Session(engine) as session:
        assert locations.ranked(session, None) == ["AMS", "MAIN", "HUB"]
        assert locations.ranked(session, "DE") == ["AMS", "MAIN", "HUB"]


def test_20_buyers_of_13(stocked, reserve, there):
    """25 in all are one order."""
    kettle = stocked(A=10, B=15)

    def buy():
        try:
            return reserve((kettle, 13))["state"]
        except Conflict as refused:
            return refused.code

    outcomes = [thread.wait() for thread in [eventlet.spawn(buy) for _ in range(20)]]
    assert sorted(outcomes) == ["out_of_stock"] * 19 + ["reserved"]
    assert sum(reserved for _, reserved in there(kettle).values()) == 13


def test_crossing_orders_do_not_block_each_other(stocked, reserve):
    """a@B, b@A against b@A, a@B, in any order of the lines: no deadlock."""
    one, other = stocked(A=30, B=30), stocked(A=30, B=30)
    ways = itertools.islice(itertools.cycle([((one, 1), (other, 1)), ((other, 1), (one, 1))]), 60)
    threads = [eventlet.spawn(reserve, *way) for way in ways]
    assert {thread.wait()["state"] for thread in threads} == {"reserved"}


def test_a_location_that_is_closed(config, inventory, call, stocked, reserve, there, eventually):
    """Takes no new orders and shows nothing as available; what it has promised, it ships."""
    kettle, order = stocked(A=5), str(uuid.uuid4())
    reserve((kettle, 2), order_id=order)
    inventory.commit(order_id=order)
    closed = inventory.update_location(code="A", active=False, actor=ADMIN)
    assert (closed["active"], closed["version"]) == (False, 2)
    assert inventory.get(variant_id=kettle)["available"] == 0
    assert call.products.get(product_id=kettle)["available"] == 0
    with pytest.raises(Conflict):
        reserve((kettle, 1))
    parcel = events.parcel(order, kettle, 2, "A")
    for _ in range(2):  # told anew, as after a crash
        events.publish(config["AMQP_URI"], "orders", "fulfilment_shipped", parcel)
    assert eventually(lambda: there(kettle) == {"A": (3, 0)})
    kinds = [m["kind"] for m in inventory.movements(variant_id=kettle)["items"]]
    assert kinds.count("ship") == 1


def test_a_transfer_is_received_once(inventory, stocked, there):
    """By its key; a second one finds that it is over."""
    kettle = stocked(A=5, B=1)
    items = [{"variant_id": kettle, "quantity": 4}]
    send = {"from_": "A", "to": "B", "items": items, "actor": ADMIN}
    sent = inventory.send_transfer(key="one", **send)
    assert inventory.send_transfer(key="one", **send) == sent | {"replayed": True}
    assert there(kettle) == {"A": (1, 0), "B": (1, 0)}
    about = {"transfer_id": sent["id"], "actor": ADMIN}
    part = [{"variant_id": kettle, "quantity": 1}]
    for replayed in (False, True):
        got = inventory.receive_transfer(items=part, key="part", **about)
        assert (got["state"], got["replayed"]) == ("sent", replayed)
        assert there(kettle) == {"A": (1, 0), "B": (2, 0)}
    with pytest.raises(Conflict) as more:
        inventory.receive_transfer(items=items, **about)
    assert more.value.code == "not_on_the_way"
    assert inventory.receive_transfer(key="rest", **about)["state"] == "received"
    assert there(kettle) == {"A": (1, 0), "B": (5, 0)}
    for late in (inventory.receive_transfer, inventory.cancel_transfer):
        with pytest.raises(Conflict) as over:
            late(**about)
        assert over.value.code == "transfer_closed"


def test_a_cancelled_transfer_comes_back(inventory, stocked, there):
    """What had arrived stays."""
    kettle = stocked(A=5, B=0)
    items = [{"variant_id": kettle, "quantity": 4}]
    sent = inventory.send_transfer(from_="A", to="B", items=items, actor=ADMIN)
    about = {"transfer_id": sent["id"], "actor": ADMIN}
    inventory.receive_transfer(items=[{"variant_id": kettle, "quantity": 1}], **about)
    for _ in range(2):
        assert inventory.cancel_transfer(**about)["state"] == "cancelled"
        assert there(kettle) == {"A": (4, 0), "B": (1, 0)}


def test_a_transfer_is_cancelled_twice_at_once(inventory, stocked, there):
    """Both are told that it is cancelled, and it comes back once."""
    kettle = stocked(A=5, B=0)
    for _ in range(5):
        items = [{"variant_id": kettle, "quantity": 4}]
        sent = inventory.send_transfer(from_="A", to="B", items=items, actor=ADMIN)
        about = {"transfer_id": sent["id"], "actor": ADMIN}
        threads = [eventlet.spawn(inventory.cancel_transfer, **about) for _ in range(4)]
        assert {thread.wait()["state"] for thread in threads} == {"cancelled"}
        assert there(kettle) == {"A": (5, 0)}


def test_a_key_is_that_of_one_transfer(inventory, stocked, there):
    """Whatever differs, the reason too."""
    kettle = stocked(A=5, B=0)
    items = [{"variant_id": kettle, "quantity": 1}]
    send = {"from_": "A", "to": "B", "items": items, "key": "one", "actor": ADMIN}
    inventory.send_transfer(reason="season", **send)
    with pytest.raises(Invalid) as reused:
        inventory.send_transfer(reason="sale", **send)
    assert reused.value.code == "idempotency_key_reused"
    assert there(kettle) == {"A": (4, 0)}


def test_what_cannot_be_sent(inventory, stocked, reserve, there):
    """What is promised, what is nowhere, to where it is; nothing half done."""
    kettle = stocked(A=5, B=0)
    reserve((kettle, 3))
    for wrong, code in (
        ({"quantity": 3}, "out_of_stock"),
        ({"to": "A"}, "invalid"),
        ({"to": "NOWHERE"}, "invalid"),
        ({"variant_id": 999}, "out_of_stock"),
    ):
        item = {"variant_id": kettle, "quantity": 1} | {
            name: value for name, value in wrong.items() if name != "to"
        }
        with pytest.raises((Conflict, Invalid)) as refused:
            inventory.send_transfer(from_="A", to=wrong.get("to", "B"), items=[item], actor=ADMIN)
        assert refused.value.code == code
    assert there(kettle) == {"A": (5, 3)}
    with pytest.raises(NotFound):
        inventory.get_transfer(transfer_id=str(uuid.uuid4()), actor=ADMIN)


def test_an_order_is_shipped_from_elsewhere(inventory, stocked, reserve, there):
    """By staff, as far as there is something free there and the order holds it."""
    kettle, order = stocked(A=5, B=2), str(uuid.uuid4())
    reserve((kettle, 4), order_id=order)
    move = {"variant_id": kettle, "quantity": 2, "from_": "A", "to": "B"}
    found = inventory.relocate(order_id=order, items=[move], actor=ADMIN)
    assert {one["location"]: one["open"] for one in found["items"]} == {"A": 2, "B": 2}
    assert there(kettle) == {"A": (5, 2), "B": (2, 2)}
    for code in ("out_of_stock", "not_held"):
        wrong = move | {"quantity": 1 if code == "out_of_stock" else 3}
        with pytest.raises(Conflict) as refused:
            inventory.relocate(order_id=order, items=[wrong], actor=ADMIN)
        assert refused.value.code == code
        assert refused.value.data["lines"][0]["product_id"] == kettle


def test_what_lies_at_closed_locations_is_sold_out(inventory, stocked, call):
    """For the filter, too: as a product that there is nothing of."""
    stocked(B=1)
    kettle = stocked(A=5)

    def listed(**query):
        return [each["id"] for each in call.products.list(**query)["items"]]

    assert (kettle in listed(in_stock=True), kettle in listed(in_stock=False)) == (True, False)
    inventory.update_location(code="A", active=False, actor=ADMIN)
    assert (kettle in listed(in_stock=True), kettle in listed(in_stock=False)) == (False, True)
    assert call.products.get(product_id=kettle)["available"] == 0


def test_crossing_relocations_do_not_block_each_other(inventory, stocked, reserve, there):
    """To places where there is nothing yet, in any order of the items: all are refused."""
    one, other = stocked(A=5), stocked(A=5)
    for number in range(5):
        inventory.create_location(code=f"E{number}", name="x", priority=9, actor=ADMIN)
        orders = [str(uuid.uuid4()) for _ in range(2)]
        for order in orders:
            reserve((one, 1), (other, 1), order_id=order)
        moves = [
            {"variant_id": each, "quantity": 1, "from_": "A", "to": f"E{number}"}
            for each in (one, other)
        ]

        def relocate(order, items):
            with pytest.raises(Conflict) as refused:
                inventory.relocate(order_id=order, items=items, actor=ADMIN)
            return refused.value.code

        ways = zip(orders, (moves, moves[::-1]), strict=True)
        threads = [eventlet.spawn(relocate, *way) for way in ways]
        assert {thread.wait() for thread in threads} == {"out_of_stock"}
        for order in orders:
            inventory.release(order_id=order)


def test_a_code_is_taken_once(location, inventory):
    """A repeat under the same key is no second one."""
    made = location("AMS", key="one")
    assert location("AMS", key="one") == made | {"replayed": True}
    with pytest.raises(Conflict) as taken:
        location("AMS")
    assert taken.value.code == "location_exists"
    assert [one["code"] for one in inventory.list_locations()["items"]] == ["MAIN", "AMS"]


def test_counting_where_it_is(stocked, inventory, there):
    """Nobody has to say where: what is counted is all that there is, as the answer shows it."""
    kettle = stocked(A=27, B=20)
    change = {"variant_id": kettle, "reason": "counted", "actor": ADMIN}
    assert inventory.adjust(on_hand=48, **change)["on_hand"] == 48
    assert there(kettle) == {"A": (28, 0), "B": (20, 0)}
    inventory.adjust(delta=-1, **change)
    inventory.adjust(on_hand=20, **change)
    assert there(kettle) == {"B": (20, 0)}
    inventory.adjust(on_hand=0, **change)
    inventory.adjust(delta=3, **change)
    assert there(kettle) == {"MAIN": (3, 0)}


@pytest.mark.parametrize("change", [{"on_hand": 5}, {"delta": -28}])
def test_counting_less_than_is_where_it_is_said_to_be(stocked, inventory, there, change):
    """The refusal names that location, and how another one is named."""
    kettle = stocked(A=27, B=20)
    with pytest.raises(Conflict) as refused:
        inventory.adjust(variant_id=kettle, reason="counted", actor=ADMIN, **change)
    assert refused.value.code == "stock_reserved"
    assert refused.value.data == {"location": "A", "on_hand": 27, "reserved": 0}
    assert "A has 27" in refused.value.detail
    assert "?location=" in refused.value.detail
    assert there(kettle) == {"A": (27, 0), "B": (20, 0)}
    inventory.adjust(variant_id=kettle, location="B", on_hand=5, reason="counted", actor=ADMIN)
    assert there(kettle) == {"A": (27, 0), "B": (5, 0)}


def test_keys_end_after_a_day(location, inventory, service, engine, clock):
    """Then they are cleaned up, and the same key is a new request."""
    clock.stop()
    location("AMS", key="one")
    clock.advance(seconds=24 * 3600 - 1)
    run_timer(service, "purge")
    assert location("AMS", key="one")["replayed"] is True
    clock.advance(seconds=1)
    run_timer(service, "purge")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT key FROM request_keys")).all() == []
    with pytest.raises(Conflict):
        location("AMS", key="one")
