"""Shipping over HTTP: zones and methods for admins, quotes for buyers.

Everybody else's orders need no method, so what is set up here is taken away again."""

import uuid

import pytest

from chassis.fields import MAX_MONEY
from tests.e2e.client import ADDRESS

ZONES, METHODS = "/api/shipping-zones", "/api/shipping-methods"


@pytest.fixture
def zone(shop):
    """A zone where `ADDRESS` is, while the test lasts."""
    members = [{"country": ADDRESS["country"]}]
    made = shop.admin.post(ZONES, {"name": f"Home {uuid.uuid4()}", "members": members}, 201)
    yield made
    shop.admin.delete(f"{ZONES}/{made['id']}")


def parcel(zone, **fields):
    return {"zone_id": zone["id"], "code": "standard", "name": "Parcel", "price": "4.95"} | fields


def test_a_zone_with_its_methods(shop, zone):
    """Made, found, changed and listed; a stale tag is refused."""
    admin, path = shop.admin, f"{ZONES}/{zone['id']}"
    assert admin.get(path) == zone
    tag = admin.answer.headers["ETag"]
    assert admin.patch(path, {"name": f"Near {zone['id']}"}, headers={"If-Match": tag})
    admin.patch(path, {"name": "Far"}, 412, headers={"If-Match": tag})
    method = admin.post(METHODS, parcel(zone), 201)
    assert admin.answer.headers["Location"] == f"{METHODS}/{method['id']}"
    changed = admin.patch(f"{METHODS}/{method['id']}", {"free_from": "50.00"})
    assert (changed["free_from"], changed["version"]) == ("50.00", 2)
    assert admin.get(f"{METHODS}/{method['id']}") == changed
    assert admin.get(f"{METHODS}?zone_id={zone['id']}")["items"] == [changed]
    assert zone["id"] in [one["id"] for one in admin.get(f"{ZONES}?limit=100")["items"]]


def test_sent_twice_it_is_made_once(shop, zone):
    """Under its key, which says so; another body under it is refused."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (shop.admin.post(METHODS, parcel(zone), 201, headers=key) for _ in range(2))
    assert first == again
    assert shop.admin.answer.headers["Idempotent-Replayed"] == "true"
    shop.admin.post(METHODS, parcel(zone, price="1.00"), 422, headers=key)
    assert shop.admin.post(METHODS, parcel(zone), 409)["code"] == "already_exists"


def test_a_second_zone_of_the_same_addresses(shop, zone):
    """Is a conflict that names what is in the way."""
    whole = {"name": str(uuid.uuid4()), "members": [{"country": ADDRESS["country"]}]}
    problem = shop.admin.post(ZONES, whole, 409)
    assert problem["code"] == "zones_overlap"
    assert [one["zone_id"] for one in problem["members"]] == [zone["id"]]


def test_what_makes_no_sense_is_named(shop, zone):
    """By the field; nothing is made."""
    for fields, faulty in (
        ({"zone_id": str(uuid.uuid4())}, "zone_id"),
        ({"min_weight_g": -1}, "min_weight_g"),
        ({"min_weight_g": 2, "max_weight_g": 1}, "max_weight_g"),
        ({"price": str(MAX_MONEY + 1)}, "price"),
        ({"price": "4.50", "currency": "JPY"}, "price"),
    ):
        problem = shop.admin.post(METHODS, parcel(zone, **fields), 422)
        assert list(problem["errors"]) == [faulty]
    for member in ({"country": "XX"}, {"country": "DE", "postal_from": "2", "postal_to": "1"}):
        problem = shop.admin.post(ZONES, {"name": "Wrong", "members": [member]}, 422)
        assert all(name.startswith("members.0") for name in problem["errors"]), problem
    assert shop.admin.get(f"{METHODS}?zone_id={zone['id']}")["items"] == []


def test_customers_and_staff_keep_away(shop, zone):
    """The quotes are what they see of it."""
    for person in (shop.customer(), shop.employee("staff")):
        person.get(ZONES, 403)
        person.post(METHODS, parcel(zone), 403)
        person.delete(f"{ZONES}/{zone['id']}", 403)
    shop.nobody.get("/api/carts/shipping", 401)


def test_quotes_for_the_cart(shop, zone):
    """The cheapest first; free from so much on."""
    buyer, chair = shop.customer(address=ADDRESS), shop.product(price="25.00")
    path, line = "/api/carts/shipping", {"product_id": chair["id"], "quantity": 1}
    buyer.post("/api/carts/add_item", line)
    assert buyer.get(path) == {"items": []}
    shop.admin.post(METHODS, parcel(zone, free_from="50.00", min_days=1, max_days=3), 201)
    shop.admin.post(METHODS, parcel(zone, code="express", price="4.00"), 201)
    quotes = buyer.get(path)
    assert [(one["code"], one["price"]) for one in quotes["items"]] == [
        ("express", "4.00"), ("standard", "4.95"),
    ]  # fmt: skip
    buyer.post("/api/carts/add_item", line)
    assert [(one["code"], one["price"]) for one in buyer.get(path)["items"]] == [
        ("standard", "0.00"), ("express", "4.00"),
    ]  # fmt: skip
    homeless = shop.customer()
    assert homeless.get(path, 422)["code"] == "address_needed"


def test_an_order_is_shipped_as_was_quoted(shop, zone):
    """By the method that it names, for the price that was shown; the order keeps both."""
    shop.admin.post(METHODS, parcel(zone, free_from="50.00"), 201)
    buyer, chair = shop.customer(address=ADDRESS), shop.product(price="20.00")
    buyer.post("/api/carts/add_item", {"product_id": chair["id"], "quantity": 2})
    (quote,) = buyer.get("/api/carts/shipping")["items"]
    problem = buyer.post("/api/orders", {"shipping_method": "pigeon"}, 422)
    assert (problem["code"], problem["methods"]) == ("unknown_shipping_method", ["standard"])
    assert list(problem["errors"]) == ["shipping_method"]
    buyer.post("/api/orders", {"shipping_method": "No such form"}, 422)
    body = {"shipping_method": quote["code"], "expected_total": "40.00"}
    assert buyer.post("/api/orders", body, 409)["code"] == "cart_changed"
    order = buyer.post("/api/orders", body | {"expected_total": "44.95"}, 201)
    assert (order["shipping"], order["total"]) == (quote["price"], "44.95")
    assert (order["shipping_method"], order["shipping_name"]) == ("standard", "Parcel")
    assert shop.pay(buyer, order)["amount"] == "44.95"
    abroad = {"line1": "Ring 1", "city": "Wien", "postal_code": "1010", "country": "AT"}
    problem = buyer.patch(f"/api/orders/{order['id']}", {"shipping_address": abroad}, 409)
    assert problem["code"] == "invalid_transition"
    items = [{"product_id": chair["id"], "quantity": 1}]
    body = {"items": items, "shipping_method": "standard"}
    assert (
        buyer.post("/api/orders", body | {"shipping_address": abroad}, 422)["code"] == "no_shipping"
    )
    unpaid = buyer.post("/api/orders", body, 201)
    problem = buyer.patch(f"/api/orders/{unpaid['id']}", {"shipping_address": abroad}, 409)
    assert problem["code"] == "address_changes_price"
