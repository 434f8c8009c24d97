"""What lists can be narrowed and sorted by, over HTTP."""

import random
import string

import eventlet
import pytest

from tests.e2e.client import Client


@pytest.fixture(scope="module")
def shelf(shop):
    """Four products with a word of their own, that some have in the name and some not: `(word,
    {name: id})`, from the oldest to the newest."""
    word = "zither" + "".join(random.choices(string.ascii_lowercase, k=6))
    made = {}
    for name, price, stock, description in (
        ("Bow", "7.00", 0, f"For every {word}"),
        (f"{word.title()} small", "30.00", 2, ""),
        ("Case", "20.00", 5, f"Holds one {word}"),
        (f"{word.title()} large", "90.00", 0, ""),
    ):
        fields = {"name": name, "price": price, "stock": stock, "description": description}
        made[name.split()[-1]] = shop.product(**fields)["id"]
    return word, made


def found(shop, shelf, query, word=None):
    """The names of what a search of the shelf finds."""
    names = {product_id: name for name, product_id in shelf[1].items()}
    items = shop.nobody.pages(f"/api/products?search={word or shelf[0]}&limit=3&{query}")
    return [names[item["id"]] for item in items]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Bow", "Case", "large", "small"]),
        ("price", ["Bow", "Case", "small", "large"]),
        ("-price", ["large", "small", "Case", "Bow"]),
        ("-created_at", ["large", "Case", "small", "Bow"]),
    ],
)
def test_products_are_sorted(shop, shelf, sort, names):
    """By each of the keys, over all pages."""
    assert found(shop, shelf, f"sort={sort}") == names


def test_what_has_the_word_in_its_name_comes_first(shop, shelf):
    """By relevance, which a search has unless it asks for another order."""
    names = found(shop, shelf, "sort=relevance")
    assert set(names[:2]) == {"small", "large"}
    assert set(names[2:]) == {"Bow", "Case"}
    assert found(shop, shelf, "") == names


def test_a_typing_error_finds_it_too(shop, shelf):
    """Two letters in the wrong order."""
    word = shelf[0].replace("zither", "ztiher")
    assert {"small", "large"} <= set(found(shop, shelf, "", word))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("min_price=20.00", {"small", "Case", "large"}),
        ("max_price=20.00", {"Bow", "Case"}),
        ("min_price=10&max_price=30", {"small", "Case"}),
        ("currency=EUR&max_price=20.00", {"Bow", "Case"}),
        ("currency=JPY&max_price=20.00", set()),
        ("in_stock=true", {"small", "Case"}),
        ("in_stock=false", {"Bow", "large"}),
    ],
)
def test_products_are_filtered(shop, shelf, query, names):
    """Both ends of a range are in it."""
    assert set(found(shop, shelf, query)) == names


@pytest.fixture(scope="module")
def history(shop):
    """A buyer's three orders, the oldest first: paid, cancelled, pending."""
    buyer, product = shop.customer(), shop.product()
    paid, cancelled, pending = (shop.order(buyer, product) for _ in range(3))
    shop.pay(buyer, paid)
    buyer.post(f"/api/orders/{cancelled['id']}/cancel", {})
    return buyer, [paid, cancelled, pending]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [2, 1, 0]),
        ("status=pending", [2]),
        ("status=cancelled", [1]),
        ("status=processing", [0]),
        ("payment_status=paid", [0]),
        ("payment_status=unpaid", [2, 1]),
        ("status=pending&payment_status=paid", []),
        ("from={second}", [2, 1]),
        ("to={second}", [0]),
        ("from={second}&to={third}", [1]),
    ],
)
def test_orders_are_filtered(shop, history, query, places):
    """By their state and time, from a moment on and before another: for the owner, for staff who
    name the owner, and under the owner's path."""
    buyer, orders = history
    moments = {
        name: o["created_at"] for name, o in zip(("second", "third"), orders[1:], strict=True)
    }
    query = query.format(**moments).replace("+", "%2B")
    staff = shop.employee("staff")
    for person, path in (
        (buyer, f"/api/orders?{query}"),
        (staff, f"/api/orders?user_id={buyer.user_id}&{query}"),
        (staff, f"/api/orders/user/{buyer.user_id}?{query}"),
    ):
        listed = [order["id"] for order in person.pages(f"{path}&limit=2")]
        assert listed == [orders[place]["id"] for place in places]


def test_staff_see_everybodys_orders(shop, history):
    """And a customer none but the own."""
    other = shop.customer()
    mine = shop.order(other, shop.product())["id"]
    newest = shop.employee("staff").get("/api/orders?limit=100")["items"]
    assert {order["user_id"] for order in newest} >= {other.user_id, history[0].user_id}
    assert [order["id"] for order in other.get("/api/orders")["items"]] == [mine]


def test_two_adds_at_once_both_count(shop):
    """Of the same product, and of others, into one cart."""
    buyer, chair, lamp = shop.customer(), shop.product(), shop.product()
    wanted = [chair["id"], lamp["id"]] * 4

    def add(product_id):
        client = Client(shop.url, buyer.token)
        return client.post("/api/carts/add_item", {"product_id": product_id, "quantity": 2})

    list(eventlet.GreenPool().imap(add, wanted))
    lines = {line["product_id"]: line["quantity"] for line in buyer.get("/api/carts")["items"]}
    assert lines == {chair["id"]: 8, lamp["id"]: 8}
