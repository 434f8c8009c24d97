"""A shop for the tests of carts and orders: real products, inventory and payments around them."""

import uuid

import eventlet
import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.steps import Step
from orders.service import OrdersService
from payments.service import PaymentsService
from products.service import InventoryService, ProductsService
from tests.integration.orders.world import ADDRESS, HELD, NotificationsStandIn, UsersStandIn
from tests.support import eventually


@pytest.fixture
def payments_service():
    """Who takes the money."""
    return PaymentsService


@pytest.fixture
def inventory_service():
    """Who holds the stock."""
    return InventoryService


@pytest.fixture
def orders_service():
    """Whose orders they are."""
    return OrdersService


@pytest.fixture
def orders_settings():
    """What is set in the section `orders`; what is not has its default."""
    return {}


@pytest.fixture
def running(start, clock, payments_service, inventory_service, orders_service, orders_settings):
    """The running services' containers by name, on a clock that tests can put forward."""
    services = (
        ProductsService,
        inventory_service,
        payments_service,
        UsersStandIn,
        NotificationsStandIn,
        orders_service,
    )
    containers = start(*services, **({"orders": orders_settings} if orders_settings else {}))
    return {container.service_name: container for container in containers}


@pytest.fixture
def buyer():
    """A customer, as the gateway names them."""
    return {"user_id": str(uuid.uuid4()), "role": "customer"}


@pytest.fixture
def product(running, call):
    """`product(price="10.00", stock=5)`: the id of a new product."""

    def create(price="10.00", stock=5, **fields):
        made = call.products.create(name="Kettle", price=price, stock=stock, **fields)
        return made["id"]

    return create


@pytest.fixture
def shirt(running, call):
    """`shirt("S", "M", stock=5)`: a product in these sizes; its id and those of the variants."""

    def create(*sizes, stock=5, **fields):
        variants = [{"options": {"Size": size}, "stock": stock} for size in sizes]
        fields = {"name": "Shirt", "price": "20.00"} | fields
        made = call.products.create(variants=variants, **fields)
        return made["id"], *(one["id"] for one in made["variants"])

    return create


@pytest.fixture
def ships(running, call):
    """`ships("standard", "4.95", free_from="50.00")`: the shop ships so, to a zone of `members`
    (Germany) or to the one with `zone_id`; the id of the zone."""

    def set_up(code="standard", price="4.95", members=None, zone_id=None, **fields):
        if zone_id is None:
            members = members or [{"country": "DE"}]
            name = f"To {uuid.uuid4()}"
            zone_id = call.orders.create_shipping_zone(name=name, members=members)["id"]
        call.orders.create_shipping_method(
            zone_id=zone_id, code=code, name=code.title(), price=price, **fields
        )
        return zone_id

    return set_up


@pytest.fixture
def stock(running, call):
    """`stock(product_id)`: (on hand, reserved)."""

    def look(product_id):
        found = call.inventory.get(variant_id=product_id)
        return found["on_hand"], found["reserved"]

    return look


@pytest.fixture
def held(sql):
    """`held(order)`: the state of its reservation."""

    def look(order):
        query = "SELECT state FROM reservations WHERE order_id = :id"
        (row,) = sql("products", query, id=order["id"])
        return row["state"]

    return look


@pytest.fixture
def place(running, call, buyer):
    """`place((product_id, quantity), ...)`: an order of those items."""

    def place_order(*items, **request):
        lines = [{"product_id": one, "quantity": quantity} for one, quantity in items]
        request = {"user_id": buyer["user_id"], "shipping_address": ADDRESS} | request
        return call.orders.place(**({"items": lines} if lines else {}) | request)

    return place_order


@pytest.fixture
def pay(running, call, buyer):
    """`pay(order)`, `pay(order, "tok_declined", key="k")`: the payment."""

    def pay_order(order, token="tok_visa", actor=None, **request):
        method = {"type": "card", "token": token}
        actor = actor or buyer
        return call.orders.pay(order_id=order["id"], method=method, actor=actor, **request)

    return pay_order


@pytest.fixture
def state(call):
    """`state(order)`: (status, payment status) now."""

    def look(order):
        now = call.orders.get(order_id=order["id"])
        return now["status"], now["payment_status"]

    return look


@pytest.fixture
def sql(running, config):
    """`sql("orders", "SELECT ...", name=value)`: rows of a service's database, as dicts."""
    engines = {}

    def run(package, statement, **values):
        if package not in engines:
            engines[package] = sa.create_engine(configuration.database_url(config, package))
        with engines[package].begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    yield run
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def brief(sql):
    """`brief(order)`: the hold on its stock may be over before inventory hears of the payment."""

    def shorten(order):
        sql("orders", "UPDATE orders SET held_until = expires_at WHERE id = :id", id=order["id"])

    return shorten


@pytest.fixture
def told(sql):
    """`told(order)`: the events about an order, in order: [(type, payload)]."""

    def look(order):
        rows = sql(
            "orders",
            "SELECT type, payload FROM outbox WHERE payload->>'order_id' = :id ORDER BY id",
            id=order["id"],
        )
        return [(row["type"], row["payload"]) for row in rows]

    return look


@pytest.fixture
def together():
    """`together(f, g, ...)`: call all at once; what each returned or raised."""

    def run(*calls):
        def outcome(function):
            try:
                return function()
            except Exception as error:
                return error

        return [thread.wait() for thread in [eventlet.spawn(outcome, one) for one in calls]]

    return run


@pytest.fixture
def adds_up(sql):
    """`adds_up()`: in the end every order has its stock and its money, and nobody else has any."""

    def check():
        orders = {row["id"]: row for row in sql("orders", "SELECT * FROM orders")}
        held = {
            row["order_id"]: row["state"]
            for row in sql("products", "SELECT order_id, state FROM reservations")
        }
        kept = {
            row["order_id"]: row["kept"]
            for row in sql(
                "payments",
                "SELECT order_id, sum(captured - refunded) AS kept FROM payments GROUP BY order_id",
            )
        }
        assert sql("orders", "SELECT * FROM checkouts") == []
        assert sql("orders", "SELECT * FROM outbox WHERE sent_at IS NULL") == []
        for order_id, order in orders.items():
            assert held.get(order_id) in HELD[order["status"]], (order["status"], held)
            is_kept = order["status"] != "cancelled"
            if order["payment_status"] == "paid":
                assert kept.get(order_id, 0) == (order["total"] if is_kept else 0)
            elif order["payment_status"] in ("unpaid", "refunded"):
                assert not kept.get(order_id)
            if order["status"] == "cancelled":
                assert not kept.get(order_id)
        for order_id, state in held.items():
            assert order_id in orders or state == "released"
        for order_id, amount in kept.items():
            assert order_id in orders or not amount
        wrong = sql(
            "products",
            "SELECT variant_id FROM stock s WHERE (on_hand, reserved) <> (SELECT"
            " coalesce(sum(delta_on_hand), 0), coalesce(sum(delta_reserved), 0)"
            " FROM movements m WHERE m.variant_id = s.variant_id AND m.location = s.location)",
        )
        assert wrong == []
        return True

    return lambda: eventually(check, timeout=15)


@pytest.fixture(autouse=True)
def _always_adds_up(request):
    """Whatever a test of the whole shop does, the books agree after it."""
    check = request.getfixturevalue("adds_up") if "running" in request.fixturenames else None
    yield
    if check is not None:
        check()


@pytest.fixture
def at(monkeypatch):
    """`at(step, action)`: `action` runs once, when a command reaches that step.

    It stands for a rival, or (when it raises) for a crash, at exactly that instant.
    """
    waiting = {}

    def watch(step, entrypoint):
        if step in waiting:
            waiting.pop(step)()

    monkeypatch.setattr(Step, "watch", watch)
    return waiting.__setitem__


@pytest.fixture
def before(monkeypatch):
    """`before(module, "function", action)`: `action` runs once, right before the next call."""

    def intervene(module, name, action):
        original = getattr(module, name)
        waiting = [action]

        def intervened(*args, **kwargs):
            if waiting:
                waiting.pop()()
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, intervened)

    return intervene
