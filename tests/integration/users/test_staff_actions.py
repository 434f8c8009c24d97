"""What staff do in the other services, in the audit trail."""

import uuid

import pytest

from orders.service import OrdersService
from payments.service import PaymentsService
from products.service import InventoryService, ProductsService
from tests.integration.events import publish
from tests.integration.users import people
from tests.support import eventually

STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}
ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}
ADDRESS = people.ADDRESS | {"name": "Zdenka Novak"}


@pytest.fixture
def shop(service, start, call):
    """RPC to all services that staff use, as a request from a network."""
    start(
        ProductsService, InventoryService, OrdersService, PaymentsService,
        payments={"provider": "simulator"},
    )  # fmt: skip
    return call.with_data(request_id="request-1", network="203.0.113.0/24")


@pytest.fixture
def trail(users, admin):
    """`trail(count, action=...)`: so many entries, the oldest first."""

    def wait(count, **wanted):
        def found():
            items = users.list_audit(actor=admin, **wanted)["items"]
            return len(items) >= count and items

        return eventually(found)[::-1]

    return wait


def said(entry):
    """An entry without what all have in common."""
    names = ("action", "target", "target_id", "user_id", "detail")
    return tuple(entry[name] for name in names)


def test_the_catalog(shop, trail):
    """Prices as they were and are; of other fields, which they are."""
    products = shop.products
    lamp = products.create(name="Lamp", price="10.00", currency="EUR", stock=2, actor=ADMIN)
    lamp_id = lamp["id"]
    products.update(product_id=lamp_id, price="12.50", name="Lamp", actor=ADMIN)
    products.update(product_id=lamp_id, description="Bright", price="12.50", actor=ADMIN)
    products.update(product_id=lamp_id, name="Lamp", actor=ADMIN)  # it is called so already
    category = products.create_category(name="Lamps", actor=ADMIN)["id"]
    products.update_category(category_id=category, name="Lights", actor=ADMIN)
    products.delete_category(category_id=category, actor=ADMIN)
    products.delete(product_id=lamp_id, actor=ADMIN)

    entries = trail(7, actor_id=ADMIN["user_id"])

    lamp, category = ("product", str(lamp_id), None), ("category", str(category), None)
    assert [said(one) for one in entries] == [
        ("product_created", *lamp, {"price": "10.00", "currency": "EUR", "stock": 2}),
        ("product_changed", *lamp, {"fields": ["price"], "old_price": "10.00", "price": "12.50"}),
        ("product_changed", *lamp, {"fields": ["description"]}),
        ("category_created", *category, {}),
        ("category_changed", *category, {"fields": ["name"]}),
        ("category_deleted", *category, {}),
        ("product_deleted", *lamp, {}),
    ]
    assert {(one["actor_role"], one["network"], one["request_id"]) for one in entries} == {
        ("admin", "203.0.113.0/24", "request-1"),
    }
    only = trail(4, target="product", target_id=str(lamp_id))
    assert {one["target_id"] for one in only} == {str(lamp_id)}
    assert len(only) == 4


def test_the_stock(shop, trail):
    """What was counted of which variant of the product, without the words about it."""
    variants = [{"options": {"Size": size}, "stock": 5} for size in "ML"]
    shirt = shop.products.create(name="Shirt", price="10.00", variants=variants)
    large = shirt["variants"][1]["id"]
    shop.inventory.adjust(variant_id=large, delta=-2, reason="Anna tore them", actor=STAFF)
    shop.inventory.adjust(variant_id=large, on_hand=9, reason="counted", actor=STAFF)
    about = "stock_adjusted", "product", str(shirt["id"]), None
    which = {"variant_id": large, "location": "MAIN"}
    assert [said(one) for one in trail(2, actor_id=STAFF["user_id"])] == [
        (*about, which | {"delta": -2, "on_hand": 3}),
        (*about, which | {"delta": 6, "on_hand": 9}),
    ]


def _ordered(shop, buyer, product, **pay):
    items = [{"product_id": product, "quantity": 1}]
    order = shop.orders.place(user_id=buyer["user_id"], items=items, shipping_address=ADDRESS)
    if pay:
        pay = shop.orders.pay(order_id=order["id"], actor=buyer, **pay)
    return order["id"], pay


def test_orders_and_refunds(shop, trail, users, service):
    """Who shipped, cancelled, readdressed, hid and refunded, and whose order it was; what the buyer
    does is in nobody's trail."""
    buyer = {"user_id": str(uuid.uuid4()), "role": "customer"}
    lamp = shop.products.create(name="Lamp", price="10.00", currency="EUR", stock=5)["id"]
    paid, payment = _ordered(shop, buyer, lamp, method={"type": "card", "token": "tok_visa"})
    own, _ = _ordered(shop, buyer, lamp)
    shop.orders.cancel(order_id=own, reason="Changed my mind", actor=buyer)
    other, _ = _ordered(shop, buyer, lamp)
    shop.orders.update(order_id=other, shipping_address=ADDRESS | {"line1": "X"}, actor=STAFF)
    shop.orders.cancel(order_id=other, reason="Zdenka called", actor=STAFF)
    for status in ("shipped", "delivered"):
        shop.orders.update(order_id=paid, status=status, actor=STAFF)
    refund = {"payment_id": payment["id"], "amount": "1.50", "reason": "Zdenka called", "key": "k"}
    for _ in range(2):  # the second is a repeat
        shop.payments.refund(**refund, actor=STAFF)
    shop.orders.hide(order_id=other, actor=ADMIN)

    entries = trail(6, user_id=buyer["user_id"])

    whose = buyer["user_id"]
    assert sorted(said(one)[:4] for one in entries) == sorted(
        [
            ("order_address_changed", "order", other, whose),
            ("order_cancelled", "order", other, whose),
            ("fulfilment_shipped", "order", paid, whose),
            ("fulfilment_delivered", "order", paid, whose),
            ("refund_requested", "payment", payment["id"], whose),
            ("order_hidden", "order", other, whose),
        ]
    )
    details = {one["action"]: one["detail"] for one in entries}
    (parcel,) = shop.orders.list_fulfilments(order_id=paid, actor=STAFF)["items"]
    assert details["fulfilment_delivered"] == {"fulfilment_id": parcel["id"]}
    asked = details["refund_requested"]
    assert asked | {"amount": "1.50", "currency": "EUR", "order_id": paid} == asked
    stored = str(people.rows(service, "SELECT row_to_json(a)::text FROM audit_entries a"))
    for word in ("Zdenka", "Graz", "8010", "mind"):
        assert word not in stored


def test_an_event_that_comes_twice_is_one_entry(service, config, trail, users, admin):
    """The inbox knows it; and one of a service that is newer than this one is kept as well."""
    event_id = str(uuid.uuid4())
    acted = {
        "action": "door_painted", "actor_id": STAFF["user_id"], "actor_role": "staff",
        "target": "door", "target_id": "7", "user_id": None, "network": None,
        "detail": {"colour": "red"},
    }  # fmt: skip
    for _ in range(2):
        publish(config["AMQP_URI"], "orders", "staff_acted", acted, event_id)
    publish(config["AMQP_URI"], "orders", "staff_acted", acted | {"target_id": "8"})
    trail(2, actor_id=STAFF["user_id"])
    items = users.list_audit(actor=admin, actor_id=STAFF["user_id"])["items"]
    assert sorted(one["target_id"] for one in items) == ["7", "8"]
    assert items[0]["detail"] == {"colour": "red"}
