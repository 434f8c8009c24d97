"""What is remembered of products and lists: never for long, and never at the till."""

import time
import uuid

import eventlet
import pytest

from chassis.broker.inbound import Inbound
from chassis.events.broadcast import Broadcast
from products.service import ProductsService
from tests.e2e.client import ADDRESS
from tests.e2e.shop import another_door
from tests.support import eventually

#: Seconds: much longer than a broadcast takes, much less than an answer is remembered.
SOON = 2.5


@pytest.fixture(scope="module")
def other(shop):
    """A second gateway."""
    with another_door(shop) as door:
        yield door


@pytest.fixture
def nobody_is_told(monkeypatch):
    """All broadcasts are lost."""
    monkeypatch.setattr(Broadcast, "_send", lambda *args: None)


@pytest.fixture
def asked(monkeypatch):
    """Names of the calls that products has got."""
    names = []
    for name in ("get", "list"):
        method = getattr(ProductsService, name)

        def note(self, *args, _name=name, _method=method, **kwargs):
            names.append(_name)
            return _method(self, *args, **kwargs)

        monkeypatch.setattr(ProductsService, name, note)
    return names


def path_of(product):
    return f"/api/products/{product['id']}"


def word():
    """One that no other product has."""
    return "q" + uuid.uuid4().hex[:10]


def shown(client, product):
    return client.get(path_of(product))


def found(client, query):
    return [item["id"] for item in client.get(f"/api/products?{query}")["items"]]


def test_equal_reads_are_asked_once(shop, asked):
    """A detail and a list, in whatever way they are written."""
    name = word()
    product = shop.product(name=name)
    for _ in range(3):
        shown(shop.nobody, product)
        shop.nobody.get(path_of(product) + "/")
        shop.nobody.get(f"/api/products?search={name}&limit=20")
        shop.nobody.get(f"/api/products?search={name}")
    assert asked == ["get", "list"]
    shop.customer().get(path_of(product))
    assert asked == ["get", "list"]


def test_who_changes_something_sees_it_at_once(shop, nobody_is_told):
    """Over the same gateway the next answer is the new one, broadcast or not."""
    name = word()
    product = shop.product(name=name)
    for step in range(1, 20):
        price = f"{step}.50"
        shop.admin.patch(path_of(product), {"price": price})
        assert shown(shop.nobody, product)["price"] == price
        (item,) = shop.nobody.get(f"/api/products?search={name}")["items"]
        assert item["price"] == price
    assert found(shop.nobody, f"search={name}&max_price=5") == []
    second = shop.product(name=name)
    assert found(shop.nobody, f"search={name}") == [second["id"], product["id"]]
    shop.admin.put(path_of(product), {"name": "Stool", "price": "2.00"})
    assert found(shop.nobody, f"search={name}") == [second["id"]]
    assert shown(shop.nobody, product)["name"] == "Stool"
    shop.admin.patch(f"/api/inventory/{product['id']}", {"on_hand": 3, "reason": "counted"})
    assert shown(shop.nobody, product)["available"] == 3
    shop.admin.delete(path_of(second))
    shop.nobody.get(path_of(second), 404)
    assert found(shop.nobody, f"search={name}") == []


def test_another_gateway_hears_of_it(shop, other):
    """Within moments, of all that can change: what is shown, who is in a list, who has gone."""
    name = word()
    product = shop.product(name=name)
    assert shown(other, product)["price"] == "10.00"
    assert found(other, f"search={name}") == [product["id"]]
    began = time.monotonic()
    shop.admin.patch(path_of(product), {"price": "11.00"})
    eventually(lambda: shown(other, product)["price"] == "11.00", SOON)
    (item,) = other.get(f"/api/products?search={name}")["items"]
    assert item["price"] == "11.00"
    assert time.monotonic() - began < SOON
    second = shop.product(name=name)
    eventually(lambda: found(other, f"search={name}") == [second["id"], product["id"]], SOON)
    shop.admin.delete(path_of(second))
    eventually(lambda: found(other, f"search={name}") == [product["id"]], SOON)
    other.get(path_of(second), 404)


def test_categories_are_heard_of(shop, other):
    """Their names, and what a list by category has when one moves."""
    top = shop.admin.post("/api/categories", {"name": word()}, 201)
    below = shop.admin.post("/api/categories", {"name": word()}, 201)
    product = shop.product(category_id=below["id"])
    own, query = f"/api/categories/{below['id']}", f"category={top['slug']}"

    def names(client):
        return {one["name"] for one in client.get("/api/categories")["items"]}

    for client in (shop.nobody, other):
        assert found(client, query) == []
        assert client.get(own)["name"] in names(client)
    change = {"name": word(), "slug": below["slug"], "parent_id": top["id"]}
    shop.admin.put(own, change)
    for client, patience in ((shop.nobody, 0), (other, SOON)):
        eventually(lambda client=client: found(client, query) == [product["id"]], patience)
        assert client.get(own)["name"] == change["name"]
        assert change["name"] in names(client)
    shop.admin.delete(path_of(product))
    shop.admin.delete(own)
    for client, patience in ((shop.nobody, 0), (other, SOON)):
        eventually(lambda client=client: change["name"] not in names(client), patience)
        client.get(own, 404)


def test_stock_follows_an_order(shop, other):
    """In details and lists: it goes with the order, and comes back with its cancellation."""
    name, buyer = word(), shop.customer()
    product = shop.product(name=name, stock=3)

    def stock(client):
        (item,) = client.get(f"/api/products?search={name}")["items"]
        assert item["available"] == shown(client, product)["available"]
        return item["available"], found(client, f"search={name}&in_stock=true") != []

    for client in (shop.nobody, other):
        assert stock(client) == (3, True)
    order = shop.order(buyer, product, 3)
    assert stock(shop.nobody) == (0, False)
    eventually(lambda: stock(other) == (0, False), SOON)
    shop.pay(buyer, order)
    assert stock(other) == (0, False)
    buyer.post(f"/api/orders/{order['id']}/cancel", {})
    for client in (shop.nobody, other):
        eventually(lambda client=client: stock(client) == (3, True), SOON)


def test_an_order_is_seen_at_once_by_whoever_placed_it(shop, nobody_is_told):
    """Over the same gateway, broadcast or not."""
    product, buyer = shop.product(stock=3), shop.customer()
    assert shown(buyer, product)["available"] == 3
    shop.order(buyer, product, 2)
    assert shown(buyer, product)["available"] == 1


def test_a_sale_leaves_other_answers_alone(shop, asked):
    """Only what shows the product is asked for again."""
    name = word()
    shop.product(name=name)
    sold, kept, buyer = shop.product(), shop.product(), shop.customer()
    shown(buyer, kept)
    found(buyer, f"search={name}")
    asked.clear()
    shop.order(buyer, sold)
    # Time for a broadcast that would forget too much. That one has come cannot be seen from
    # outside: the gateway that took the order has forgotten what it must already.
    eventlet.sleep(0.2)
    shown(buyer, kept)
    found(buyer, f"search={name}")
    assert asked == []


def seconds_out_of_date(shop, door, patience):
    """For how long a price is shown there that has changed."""
    product = shop.product()
    shown(door, product)
    began = time.monotonic()
    shop.admin.patch(path_of(product), {"price": "11.00"})
    assert shown(door, product)["price"] == "10.00"
    eventually(lambda: shown(door, product)["price"] == "11.00", patience)
    return time.monotonic() - began


def test_without_broadcasts_nothing_is_shown_for_long(shop, nobody_is_told):
    """When an invalidation is lost, age ends it."""
    with another_door(shop, read_cache={"max_age_seconds": 1}) as other:
        assert seconds_out_of_date(shop, other, patience=3) < 1.5


def test_the_default_is_five_seconds_at_most(shop, other, nobody_is_told):
    """As the contract says, even for what is asked for all the time."""
    assert seconds_out_of_date(shop, other, patience=8) < 5.3


def test_a_lost_connection_forgets_everything(shop, other, nobody_is_told):
    """What was told meanwhile was told to nobody."""
    product = shop.product()
    shown(other, product)
    shop.admin.patch(path_of(product), {"price": "11.00"})
    assert shown(other, product)["price"] == "10.00"
    inbound = next(e for e in other.gateway.extensions if isinstance(e, Inbound))
    inbound._connection.drop()
    eventually(lambda: other.get(path_of(product), None).get("price") == "11.00", SOON)


def test_no_cache_goes_past_it(shop, other, nobody_is_told):
    """For who asks, and from then on for all."""
    product = shop.product()
    shown(other, product)
    shop.admin.patch(path_of(product), {"price": "11.00"})
    assert shown(other, product)["price"] == "10.00"
    fresh = other.get(path_of(product), headers={"Cache-Control": "no-cache"})
    assert fresh["price"] == shown(other, product)["price"] == "11.00"


def test_tags_hold_for_remembered_answers(shop, asked):
    """304 as long as the product is the same, and not a moment longer."""
    product = shop.product()
    shown(shop.nobody, product)
    tag = {"If-None-Match": shop.nobody.answer.headers["ETag"]}
    for _ in range(3):
        shop.nobody.get(path_of(product), 304, headers=tag)
    assert asked == ["get"]
    shop.admin.patch(path_of(product), {"price": "11.00"})
    assert shop.nobody.get(path_of(product), headers=tag)["price"] == "11.00"


def test_a_page_of_a_list_leads_to_the_next(shop):
    """Also when it is remembered."""
    name = word()
    products = [shop.product(name=name)["id"] for _ in range(5)]
    for _ in range(2):
        items = shop.nobody.pages(f"/api/products?search={name}&limit=2")
        assert [item["id"] for item in items] == products[::-1]


def test_nothing_remembered_is_charged(shop, other, nobody_is_told):
    """A buyer who is shown an old price is told so at checkout, or pays the new one knowingly."""
    product, buyer = shop.product(), shop.customer()
    shown(other, product)
    shop.admin.patch(path_of(product), {"price": "11.00"})
    assert shown(other, product)["price"] == "10.00"
    other.token = buyer.token
    item = {"product_id": product["id"], "quantity": 1}
    order = {"shipping_address": ADDRESS, "items": [item | {"price": "10.00"}]}
    assert other.post("/api/orders", order, 409)["code"] == "price_changed"
    assert shown(other, product)["price"] == "10.00"
    assert other.post("/api/orders", order | {"items": [item]}, 201)["total"] == "11.00"
    assert shown(other, product)["price"] == "11.00"
    other.post("/api/carts/add_item", item)
    shop.admin.patch(path_of(product), {"price": "12.00"})
    assert shown(other, product)["price"] == "11.00"
    assert other.get("/api/carts")["total"] == "12.00"
    other.token = None


def test_an_outdated_stock_sells_nothing(shop, other, nobody_is_told):
    """Orders ask inventory, whatever a gateway shows."""
    product, buyer = shop.product(stock=1), shop.customer()
    shown(other, product)
    shop.order(buyer, product)
    assert shown(other, product)["available"] == 1
    other.token = shop.customer().token
    item = {"product_id": product["id"], "quantity": 1}
    order = {"shipping_address": ADDRESS, "items": [item]}
    assert other.post("/api/orders", order, 409)["code"] == "out_of_stock"
    other.token = None


def test_a_crowd_is_one_read(shop, asked):
    """Fifty who come at once, when nothing is remembered."""
    product = shop.product()
    clients = [type(shop.nobody)(shop.url) for _ in range(50)]
    pool = eventlet.GreenPool(50)
    assert {one["id"] for one in pool.imap(lambda c: shown(c, product), clients)} == {product["id"]}
    assert asked == ["get"]
