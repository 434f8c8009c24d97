"""Placing an order."""

import datetime
import uuid

import eventlet
import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.database import database_of
from chassis.errors import Conflict, Fault, Invalid, NotFound, Unavailable
from orders.checkout import commands as checkout_commands
from orders.service import CartsService, OrdersService
from products.service import InventoryService
from tests.integration.orders.world import ADDRESS, UsersStandIn
from tests.support import run_timer, until_rival_waits


def test_an_order_has_the_prices_of_the_shop_and_holds_its_stock(place, product, stock, told, call):
    """Server prices, merged lines, reserved stock, one event; nothing is paid yet."""
    kettle, mug = product("19.99", 5), product("4.50", 5)
    skus = [call.products.get(product_id=each)["sku"] for each in (kettle, mug)]
    order = place((kettle, 1), (mug, 2), (kettle, 1))

    assert order["items"] == [
        {"line": 1, "variant_id": kettle, "product_id": kettle, "sku": skus[0], "name": "Kettle",
         "options": {}, "quantity": 2, "unit_price": "19.99", "line_total": "39.98",
         "discount": "0.00", "net": "39.98", "tax": "0.00", "total": "39.98",
         "tax_class": "standard", "cancelled": 0, "shipped": 0},
        {"line": 2, "variant_id": mug, "product_id": mug, "sku": skus[1], "name": "Kettle",
         "options": {}, "quantity": 2, "unit_price": "4.50", "line_total": "9.00",
         "discount": "0.00", "net": "9.00", "tax": "0.00", "total": "9.00",
         "tax_class": "standard", "cancelled": 0, "shipped": 0},
    ]  # fmt: skip
    amounts = ("subtotal", "discount", "shipping", "shipping_tax", "net", "tax", "total")
    assert [order[name] for name in amounts] == ["48.98", *3 * ["0.00"], "48.98", "0.00", "48.98"]
    assert (order["taxes"], order["shipping_method"]) == ([], None)
    assert (order["total"], order["currency"]) == ("48.98", "EUR")
    assert (order["status"], order["payment_status"]) == ("pending", "unpaid")
    assert (order["version"], order["replayed"]) == (1, False)
    assert order["shipping_address"] == ADDRESS
    assert (stock(kettle), stock(mug)) == ((5, 2), (5, 2))
    ((event, facts),) = told(order)
    assert (event, facts["total"], facts["cause"]) == ("order_placed", "48.98", "placed")


def test_a_price_that_has_changed_stops_the_order(place, product, stock):
    """The buyer is told which line, what they were shown and what it costs now."""
    kettle, mug = product("19.99"), product("4.50")
    with pytest.raises(Conflict) as changed:
        place(
            items=[
                {"product_id": kettle, "quantity": 1, "price": "18.00"},
                {"product_id": mug, "quantity": 1, "price": "4.50"},
            ]
        )
    assert changed.value.code == "price_changed"
    assert changed.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "sent": "18.00", "current": "19.99"}
    ]
    assert stock(kettle) == (5, 0)


def test_another_total_than_expected_stops_the_order(place, product):
    """What is charged is what the buyer has seen."""
    kettle = product("19.99")
    with pytest.raises(Conflict) as changed:
        place((kettle, 2), expected_total="19.99")
    assert changed.value.code == "price_changed"
    assert place((kettle, 2), expected_total="39.98")["total"] == "39.98"


def test_a_price_is_an_amount_and_a_currency(place, product, call):
    """A price or total without one is in the shop's; the same number in another is another."""
    kettle = product("10.00")
    call.products.update(product_id=kettle, price="10.00", currency="KWD")
    items = [{"product_id": kettle, "quantity": 1, "price": "10.00"}]
    differ = {"sent_currency": "EUR", "current_currency": "KWD"}
    for currency in ({}, {"currency": "EUR"}):
        with pytest.raises(Conflict) as changed:
            place(items=items, **currency)
        assert changed.value.code == "price_changed"
        assert changed.value.data["lines"][0].items() >= differ.items()
        with pytest.raises(Conflict) as changed:
            place((kettle, 1), expected_total="10.00", **currency)
        assert changed.value.code == "price_changed"
        assert changed.value.data.items() >= differ.items()
    with pytest.raises(Conflict) as changed:
        place((kettle, 1), currency="EUR")
    assert changed.value.code == "price_changed"
    assert place(items=items, expected_total="10.00", currency="KWD")["currency"] == "KWD"
    assert place((kettle, 1))["currency"] == "KWD"


def test_products_of_two_currencies_are_no_order(place, product, stock):
    """They are named; nothing is held."""
    kettle, mug = product("10.00"), product("10.00", currency="USD")
    with pytest.raises(Invalid) as refused:
        place((kettle, 1), (mug, 1))
    assert refused.value.code == "mixed_currencies"
    assert [line["currency"] for line in refused.value.data["lines"]] == ["EUR", "USD"]
    assert stock(kettle) == (5, 0)


def test_all_short_lines_are_named_and_nothing_is_held(place, product, stock):
    """All or nothing: one short line holds no stock of the others."""
    plenty, few, none = product(stock=9), product(stock=1), product(stock=0)
    with pytest.raises(Conflict) as refused:
        place((plenty, 2), (few, 2), (none, 1))
    assert refused.value.code == "out_of_stock"
    assert refused.value.data["lines"] == [
        {"variant_id": few, "product_id": few, "requested": 2, "available": 1},
        {"variant_id": none, "product_id": none, "requested": 1, "available": 0},
    ]
    assert (stock(plenty), stock(few)) == ((9, 0), (1, 0))


@pytest.mark.parametrize("key", [None, "once"])
def test_what_was_shown_comes_before_what_is_there(place, product, stock, sql, key):
    """Of a request that is wrong in several ways, each time the same one is told; none holds stock
    or leaves anything to be done, and the key is as new."""
    few, lots = product("4.50", stock=1), product("1.00", stock=500)
    dear = {"expected_total": "2.00", "key": key}
    for wanted, stops, code in (
        ([(few, 2)], dear, "price_changed"),
        ([(few, 2)], {"key": key}, "out_of_stock"),
        ([(lots, 300)], dear, "price_changed"),
        ([(lots, 300)], {"key": key}, "too_many_unpaid_units"),
        ([(few, 1), (lots, 600)], {"key": key}, "out_of_stock"),
        ([(few, 1)], dear, "price_changed"),
    ):
        with pytest.raises(Conflict) as refused:
            place(*wanted, **stops)
        assert refused.value.code == code
        assert (stock(few), stock(lots)) == ((1, 0), (500, 0))
    assert place((few, 1), key=key)["replayed"] is False
    for _ in range(9):
        place((lots, 1))
    for stops, code in ((dear, "price_changed"), ({}, "too_many_open_orders")):
        with pytest.raises(Conflict) as refused:
            place((lots, 1), **stops | {"key": None})
        assert refused.value.code == code


def test_a_refused_price_is_undone_when_inventory_is_back(
    place, product, before, clock, stock, sql, eventually
):
    """The buyer is told at once, and what is held for nothing is given back by the timer."""
    kettle = product("19.99", stock=1)

    def away():
        raise Unavailable

    before(InventoryService, "release", away)
    with pytest.raises(Conflict) as changed:
        place((kettle, 1), expected_total="20.00")
    assert changed.value.code == "price_changed"
    clock.advance(seconds=11)
    assert eventually(lambda: sql("orders", "SELECT * FROM checkouts") == [])
    assert stock(kettle) == (1, 0)


def test_an_unknown_product_is_refused(place, product, call):
    """Never made or deleted: the same answer."""
    gone = product()
    call.products.delete(product_id=gone)
    for unknown in (gone, 4711):
        with pytest.raises(Invalid) as refused:
            place((product(), 1), (unknown, 1))
        assert str(unknown) in refused.value.errors["items"][0]


def test_the_default_address_is_taken_when_none_is_sent(place, product):
    """Who has none either is asked for one."""
    assert place((product(), 1), shipping_address=None)["shipping_address"] == ADDRESS
    with pytest.raises(Invalid) as refused:
        place((product(), 1), shipping_address=None, user_id=UsersStandIn.HOMELESS)
    assert "shipping_address" in refused.value.errors


def test_a_repeat_answers_the_first_order(place, product, stock, told):
    """Whatever has changed meanwhile: one order, one reservation, one event."""
    kettle = product("19.99", 1)
    first = place((kettle, 1), key="once")
    again = place((kettle, 1), key="once")
    assert again == first | {"replayed": True}
    assert stock(kettle) == (1, 1)
    assert len(told(first)) == 1


def test_a_repeat_needs_nothing_that_the_first_needed(
    place, product, call, buyer, running, monkeypatch
):
    """Neither an address nor who knows it, nor the products; only what it asks has to be the
    same."""
    kettle = product("19.99", 1)
    first = place((kettle, 1), key="once", shipping_address=None)
    call.products.delete(product_id=kettle)
    monkeypatch.setattr(UsersStandIn, "HOMELESS", buyer["user_id"])
    again = first | {"replayed": True}
    assert place((kettle, 1), key="once", shipping_address=None) == again
    with pytest.raises(Fault) as refused:
        place((kettle, 1), key="once", shipping_address=None, currency="EUR")
    assert refused.value.code == "idempotency_key_reused"
    with pytest.raises(Invalid) as homeless:
        place((kettle, 1), key="other", shipping_address=None)
    assert "shipping_address" in homeless.value.errors
    for gone in ("users", "inventory", "products"):
        running[gone].stop()
    assert place((kettle, 1), key="once", shipping_address=None) == again


def test_a_key_is_for_one_request(place, product, buyer):
    """Another body under the same key is a mistake; another user's key is another key."""
    kettle = product()
    place((kettle, 1), key="once")
    with pytest.raises(Fault) as refused:
        place((kettle, 2), key="once")
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert place((kettle, 2), key="once", user_id=str(uuid.uuid4()))["replayed"] is False


def test_a_key_ends_after_a_day(by_hand, place, product, clock, sql, running):
    """The same key is a new order then, whether the clean-up has come by or not."""
    kettle = product(stock=9)
    first = place((kettle, 1), key="once")
    clock.advance(seconds=24 * 3600 - 1)
    assert place((kettle, 1), key="once")["id"] == first["id"]
    clock.advance(seconds=1)
    second = place((kettle, 1), key="once")
    assert second["id"] != first["id"]
    assert place((kettle, 1), key="once") == second | {"replayed": True}
    clock.advance(seconds=24 * 3600)
    run_timer(running["orders"], "purge")
    assert sql("orders", "SELECT 1 FROM orders WHERE idempotency_key IS NOT NULL") == []


def test_a_refused_order_does_not_use_up_its_key(place, product, call):
    """The same request under the same key succeeds when the stock has come."""
    kettle = product(stock=0)
    with pytest.raises(Conflict):
        place((kettle, 1), key="once")
    call.inventory.adjust(variant_id=kettle, delta=1, reason="delivery")
    assert place((kettle, 1), key="once")["status"] == "pending"


def test_one_key_at_the_same_instant_makes_one_order(place, product, stock, sql, together):
    """A double click on the last piece: everybody gets the same order, and it is reserved once."""
    for round_ in range(5):
        kettle = product(stock=1)
        clicks = [lambda k=kettle, r=round_: place((k, 1), key=f"click {r}")] * 4
        answers = together(*clicks)
        assert {answer["id"] for answer in answers} == {answers[0]["id"]}
        assert stock(kettle) == (1, 1)
    assert sql("orders", "SELECT count(*) AS n FROM orders") == [{"n": 5}]
    held = sql("products", "SELECT state, count(*) AS n FROM reservations GROUP BY state")
    assert held == [{"state": "reserved", "n": 5}]


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_price_that_changes_between_two_with_one_key(
    place, pay, product, at, call, stock, state, sql, eventually, is_paid
):
    """Who comes to the new price finds the order of the old one, and leaves it its stock."""
    kettle = product("19.99", stock=9)
    made = []

    def rival():
        made.append(place((kettle, 1), key="once", expected_total="19.99"))
        call.products.update(product_id=kettle, price="25.00")
        if is_paid:
            pay(made[0])

    at(checkout_commands.ENTERED, rival)
    order = place((kettle, 1), key="once", expected_total="19.99")
    assert (order["id"], order["total"]) == (made[0]["id"], "19.99")
    assert stock(kettle) == (9, 1)
    assert state(order) == (("processing", "paid") if is_paid else ("pending", "unpaid"))
    held = [{"state": "committed" if is_paid else "reserved"}]
    assert eventually(lambda: sql("products", "SELECT state FROM reservations") == held)


def test_stock_that_comes_between_two_with_one_key(place, product, before, call, stock, sql):
    """Who is refused finds the order that the other one has made by then."""
    kettle = product("19.99", stock=0)
    made = []

    def rival():
        call.inventory.adjust(variant_id=kettle, delta=9, reason="delivery")
        made.append(place((kettle, 1), key="once"))

    before(checkout_commands, "_abandon", rival)
    order = place((kettle, 1), key="once")
    assert order["id"] == made[0]["id"]
    assert stock(kettle) == (9, 1)
    assert sql("products", "SELECT state FROM reservations") == [{"state": "reserved"}]


def test_a_refused_call_that_is_delivered_again_holds_nothing(place, product, call, stock, sql):
    """The broker may have lost the acknowledgement of what inventory has refused."""
    kettle = product("19.99", stock=0)
    with pytest.raises(Conflict):
        place((kettle, 1))
    (row,) = sql("products", "SELECT order_id FROM reservations")
    assert sql("orders", "SELECT order_id FROM checkouts") == []
    call.inventory.adjust(variant_id=kettle, delta=9, reason="delivery")
    with pytest.raises(Conflict, match="released"):
        call.inventory.reserve(
            order_id=row["order_id"],
            lines=[{"variant_id": kettle, "quantity": 1}],
            expires_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1),
        )
    assert stock(kettle) == (9, 0)


def test_one_key_beside_orders_that_are_being_made(start, place, product, sql, together, stock):
    """At two instances, with some that come while the first is at each of its steps: one order
    for each key, and all its answers the same but that one is the first."""
    start(OrdersService)
    kettle = product(stock=100)
    for round_ in range(3):
        keys = [f"{round_} {n}" for n in range(3)] * 8

        def click(key, wait):
            eventlet.sleep(wait)
            return place((kettle, 1), key=key)

        clicks = [lambda k=key, w=n / 200: click(k, w) for n, key in enumerate(keys)]
        answers = together(*clicks)
        for key in set(keys):
            same = [answer for answer, its in zip(answers, keys, strict=True) if its == key]
            assert [answer.pop("replayed") for answer in same].count(False) == 1
            assert all(answer == same[0] for answer in same)
    assert sql("orders", "SELECT count(*) AS n FROM orders") == [{"n": 9}]
    assert stock(kettle) == (100, 9)


def test_a_key_is_known_while_its_checkout_becomes_an_order(
    place, product, at, sql, config, stock, eventually
):
    """The statement that does it is stopped half-way, with the checkout gone and no order there:
    who comes then gets the same order."""
    kettle = product(stock=9)
    engine = sa.create_engine(configuration.database_url(config, "orders"))
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect() as rival:

        def hold():
            """Until it is rolled back, nobody else writes an order of this number."""
            rival.execute(
                sa.text(
                    "INSERT INTO orders (id, number, user_id, status, payment_status, subtotal,"
                    " net, total, prices_include_tax, currency, shipping_address, fingerprint,"
                    " created_at, updated_at, expires_at, version)"
                    " SELECT gen_random_uuid(), number, gen_random_uuid(), 'pending',"
                    " 'unpaid', 0, 0, 0, true, 'EUR', '{}', '', now(), now(), now(), 1"
                    " FROM checkouts"
                )
            )

        at(checkout_commands.RESERVED, hold)
        first = eventlet.spawn(place, (kettle, 1), key="once")
        until_rival_waits(rival)
        second = eventlet.spawn(place, (kettle, 1), key="once")
        eventually(lambda: len(sql("orders", waiting)) == 2)
        rival.rollback()
    engine.dispose()
    order = first.wait()
    assert order["replayed"] is False
    assert second.wait() == order | {"replayed": True}
    assert stock(kettle) == (9, 1)


@pytest.mark.parametrize("is_cart", [False, True])
def test_an_order_is_a_few_statements(
    by_hand, start, place, product, call, buyer, running, is_cart
):
    """Each its own transaction: the cart is read, the checkout entered, the order made of it."""
    start(CartsService)
    kettle, seen = product(), []
    if is_cart:
        call.carts.add_item(user_id=buyer["user_id"], product_id=kettle, quantity=1)
    sa.event.listen(
        database_of(running["orders"]).engine,
        "before_cursor_execute",
        lambda _, cursor, statement, *rest: seen.append((cursor.connection.autocommit, statement)),
    )
    place(*[] if is_cart else [(kettle, 1)], key="once")
    steps = [alone for alone, sql in seen if "checkouts" in sql or "carts" in sql]
    assert steps == [True] * (2 + is_cart)


def test_two_requests_with_one_key_at_the_same_instant(place, product, stock, together):
    """One of them makes its order with its own lines, the other is told of the mistake."""
    for round_ in range(3):
        kettle = product(stock=9)
        one, two = together(
            lambda k=kettle, r=round_: place((k, 1), key=f"both {r}"),
            lambda k=kettle, r=round_: place((k, 2), key=f"both {r}"),
        )
        order, refused = (one, two) if isinstance(one, dict) else (two, one)
        assert refused.code == "idempotency_key_reused"
        assert stock(kettle) == (9, order["items"][0]["quantity"])


def test_many_buyers_and_few_pieces(place, product, stock, together):
    """Twelve buyers, five pieces: five orders, and the others are told what is left."""
    kettle = product(stock=5)
    answers = together(*[lambda: place((kettle, 1), user_id=str(uuid.uuid4())) for _ in range(12)])
    placed = [answer for answer in answers if isinstance(answer, dict)]
    assert len(placed) == 5
    assert {a.code for a in answers if not isinstance(a, dict)} == {"out_of_stock"}
    assert stock(kettle) == (5, 5)


def test_a_buyer_cannot_hold_the_whole_shop(start, call, buyer, product):
    """Unpaid orders per buyer are bounded; the bound is told."""
    from orders.service import OrdersService

    kettle = product(stock=5)
    start(OrdersService, orders={"max_open_orders": 2})
    request = {
        "user_id": buyer["user_id"],
        "items": [{"product_id": kettle, "quantity": 1}],
        "shipping_address": ADDRESS,
    }
    answers = []
    for _ in range(8):
        try:
            answers.append(call.orders.place(**request))
        except Conflict as refused:
            answers.append(refused.code)
    assert "too_many_open_orders" in answers


def test_someone_elses_order_does_not_exist(place, product, call):
    """For another customer it is the same as no order, in every method."""
    order = place((product(), 1))
    other = {"user_id": str(uuid.uuid4()), "role": "customer"}
    nobody = {"order_id": str(uuid.uuid4()), "actor": other}
    theirs = {"order_id": order["id"], "actor": other}
    address = {"shipping_address": ADDRESS}
    method = {"method": {"type": "card", "token": "tok_visa"}}
    for method_name, more in (
        ("get", {}),
        ("timeline", {}),
        ("cancel", {}),
        ("update", address),
        ("pay", method),
    ):
        refusals = []
        for arguments in (nobody, theirs):
            with pytest.raises(NotFound) as refused:
                getattr(call.orders, method_name)(**arguments, **more)
            refusals.append((refused.value.code, refused.value.detail))
        assert refusals[0] == refusals[1]
