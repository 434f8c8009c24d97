"""Variants in carts and orders, over HTTP."""

import pytest

from tests.e2e.client import ADDRESS


@pytest.fixture
def shirt(shop):
    """A product in two sizes, 5 of each, at 10.00."""
    sizes = [{"options": {"Size": size}, "stock": 5} for size in "SL"]
    return shop.product(name="Shirt", stock=0, variants=sizes)


def test_a_product_with_several_variants_is_chosen(shop, shirt):
    """In the cart and in an order; the problem names what there is. A variant is its own name."""
    buyer = shop.customer(address=ADDRESS)
    small, large = shirt["variants"]
    product = {"product_id": shirt["id"], "quantity": 1}
    for refused in (
        buyer.post("/api/carts/add_item", product, 409),
        buyer.post("/api/orders", {"items": [product]}, 409),
    ):
        assert refused["code"] == "choose_variant"
        assert str(small["id"]) in str(refused)
        assert "'Size': 'L'" in str(refused)
    cart = buyer.post("/api/carts/add_item", {"variant_id": large["id"], "quantity": 2})
    (item,) = cart["items"]
    assert (item["variant_id"], item["options"]) == (large["id"], {"Size": "L"})
    order = buyer.post("/api/orders", {}, 201)
    assert [(one["sku"], one["options"]) for one in order["items"]] == [
        (large["sku"], {"Size": "L"})
    ]
    shown = shop.nobody.get(f"/api/products/{shirt['id']}")["variants"]
    assert [one["available"] for one in shown] == [5, 3]


def test_a_new_price_of_the_product_shows_in_carts(shop, shirt):
    """Of the variants that inherit it; those with a price of their own stay as they were."""
    buyer = shop.customer()
    own, inherits = shirt["variants"]
    shop.admin.patch(f"/api/variants/{own['id']}", {"price": "11.00"})
    for variant in (own, inherits):
        buyer.post("/api/carts/add_item", {"variant_id": variant["id"], "quantity": 1})
    shop.admin.patch(f"/api/products/{shirt['id']}", {"price": "12.00"})
    items = {item["variant_id"]: item for item in buyer.get("/api/carts")["items"]}
    assert (items[own["id"]]["unit_price"], items[own["id"]]["price_changed"]) == ("11.00", False)
    changed = items[inherits["id"]]
    assert (changed["unit_price"], changed["price_changed"]) == ("12.00", True)


def test_a_variant_that_is_deleted_while_somebody_holds_it(shop, shirt):
    """The order ends as it would have; in a cart there are none left; it can't be ordered."""
    buyer, other = shop.customer(address=ADDRESS), shop.customer(address=ADDRESS)
    small = {"variant_id": shirt["variants"][0]["id"], "quantity": 1}
    order = buyer.post("/api/orders", {"items": [small]}, 201)
    other.post("/api/carts/add_item", small)
    shop.admin.delete(f"/api/variants/{small['variant_id']}")
    (item,) = other.get("/api/carts")["items"]
    assert (item["available"], item["options"]) == (0, {"Size": "S"})
    assert other.post("/api/orders", {}, None)["code"] in ("invalid", "out_of_stock")
    assert shop.pay(buyer, order)["status"] == "succeeded"
    assert shop.nobody.get(f"/api/products/{shirt['id']}")["available"] == 5
