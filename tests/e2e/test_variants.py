"""Variants in carts and orders, over HTTP."""

import eventlet
import pytest

from chassis.metrics.instruments import CALLS
from tests.e2e.client import ADDRESS, Client


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


def test_what_names_a_variant(shop, shirt):
    """Exactly one of the two ids, and one that there is; nothing is put in or held otherwise."""
    buyer, small = shop.customer(address=ADDRESS), shirt["variants"][0]["id"]
    both = {"variant_id": small, "product_id": shirt["id"]}
    for named in (both, {}, {"variant_id": 2**40}, {"product_id": 2**40}, {"variant_id": "x"}):
        item = named | {"quantity": 1}
        for path, body in (
            ("/api/carts/add_item", item),
            ("/api/orders", {"items": [item]}),
        ):
            assert buyer.post(path, body, 422)["errors"], (path, item)
    assert buyer.get("/api/carts")["items"] == []
    assert shop.admin.get(f"/api/inventory/{small}")["reserved"] == 0


def test_a_check_by_product_and_by_variant(shop, shirt):
    """Clients from before there were variants name the product, and are told of it."""
    chair, (small, _) = shop.product(stock=3), shirt["variants"]
    items = [
        {"product_id": chair["id"], "quantity": 3},
        {"variant_id": small["id"], "quantity": 6},
        {"product_id": 2**40, "quantity": 1},
    ]
    found = shop.nobody.post("/api/inventory/check", {"items": items})["items"]
    assert [(one["product_id"], one["variant_id"], one["available"]) for one in found] == [
        (chair["id"], chair["id"], True),
        (shirt["id"], small["id"], False),
        (2**40, None, False),
    ]
    item = {"product_id": shirt["id"], "quantity": 1}
    refused = shop.nobody.post("/api/inventory/check", {"items": [item]}, 409)
    assert refused["code"] == "choose_variant"
    (line,) = refused["lines"]
    assert [one["variant_id"] for one in line["variants"]] == [
        each["id"] for each in shirt["variants"]
    ]
    both = item | {"variant_id": small["id"]}
    shop.nobody.post("/api/inventory/check", {"items": [both]}, 422)


def test_stock_names_the_product(shop, shirt):
    """Counters and ledger."""
    variant_id = shirt["variants"][1]["id"]
    path = f"/api/inventory/{variant_id}"
    changed = shop.admin.patch(path, {"delta": 1, "reason": "found"})
    moved = shop.admin.get(f"{path}/movements")["items"]
    for one in (changed, shop.admin.get(path), *moved):
        assert (one["variant_id"], one["product_id"]) == (variant_id, shirt["id"])


def test_problems_name_the_product(shop, shirt):
    """Beside each variant that is short, or costs another price or currency, or is too much."""
    buyer, small = shop.customer(address=ADDRESS), shirt["variants"][0]["id"]
    dollars = shop.product(currency="USD")["id"]
    many = shop.product(stock=1000)["id"]
    named = {"variant_id": small, "product_id": shirt["id"]}

    def refused(status, *items):
        problem = buyer.post("/api/orders", {"items": list(items)}, status)
        return problem["code"], problem["lines"]

    item = {"variant_id": small, "quantity": 1}
    assert refused(409, item | {"quantity": 6}) == (
        "out_of_stock", [named | {"requested": 6, "available": 5}],
    )  # fmt: skip
    assert refused(409, item | {"price": "9.00"}) == (
        "price_changed", [named | {"sent": "9.00", "current": "10.00"}],
    )  # fmt: skip
    code, lines = refused(422, item, {"product_id": dollars, "quantity": 1})
    assert (code, lines) == (
        "mixed_currencies",
        [
            named | {"currency": "EUR"},
            {"variant_id": dollars, "product_id": dollars, "currency": "USD"},
        ],
    )
    code, (line,) = refused(409, {"product_id": many, "quantity": 999})
    assert (code, line["product_id"], line["variant_id"]) == ("too_many_unpaid_units", many, many)


def test_two_admins_make_the_same_at_once(shop, shirt):
    """One makes it; the other is told that it is there."""
    path = f"/api/products/{shirt['id']}/variants"

    def make(size):
        client = Client(shop.url)
        client.token = shop.admin.token
        client.call("POST", path, {"options": {"Size": size}}, expect=None)
        return client.answer.status_code

    threads = [eventlet.spawn(make, size) for size in ("M", "m")]
    assert sorted(thread.wait() for thread in threads) == [201, 409]
    sizes = [one["options"] for one in shop.nobody.get(f"/api/products/{shirt['id']}")["variants"]]
    assert len(sizes) == 3


def test_ten_thousand_values(shop, shirt):
    """Are a clear error, and change nothing."""
    values = [{"value": f"{number}"} for number in range(10_000)]
    product = shop.nobody.get(f"/api/products/{shirt['id']}")
    path = f"/api/products/{shirt['id']}/options/{product['options'][0]['id']}"
    assert "values" in shop.admin.patch(path, {"values": values[:9_000]}, 422)["errors"]
    options = [{"name": "Length", "values": [one["value"] for one in values]}]
    body = {"name": "Cable", "price": "1", "options": options}
    assert "options.0.values" in shop.admin.post("/api/products", body, 422)["errors"]
    assert shop.nobody.get(f"/api/products/{shirt['id']}") == product


def test_a_variant_of_another_product(shop, shirt):
    """Neither its options nor its values are those of this one."""
    other = shop.product(options=[{"name": "Size", "values": ["S"]}])
    option = other["options"][0]["id"]
    path = f"/api/products/{shirt['id']}/options/{option}"
    assert shop.admin.patch(path, {"name": "Fit"}, 404)["code"] == "option_not_found"
    assert shop.admin.call("DELETE", path, expect=404)["code"] == "option_not_found"
    wrong = {"options": {"Colour": "red"}}
    shop.admin.patch(f"/api/variants/{shirt['variants'][0]['id']}", wrong, 422)


def test_a_page_with_200_variants_is_one_call(shop):
    """From the gateway to products; none to anybody else."""
    variants = [{"options": {"Size": f"{number}"}, "stock": 1} for number in range(200)]
    shoe = shop.product(name="Shoe", stock=0, variants=variants)
    before = calls_of_the_gateway()
    page = shop.nobody.get(f"/api/products/{shoe['id']}", headers={"Cache-Control": "no-cache"})
    assert (len(page["variants"]), page["available"]) == (200, 200)
    after = calls_of_the_gateway()
    assert {target: after[target] - before.get(target, 0) for target in after
            if after[target] != before.get(target, 0)} == {"products": 1}  # fmt: skip


def calls_of_the_gateway():
    """How many calls it has made, by service; other processes' timers call no products."""
    (metric,) = CALLS.collect()
    return {
        sample.labels["target"]: sample.value
        for sample in metric.samples
        if sample.name.endswith("_total")
        and sample.labels["service"] == "gateway"
        and sample.labels["outcome"] == "ok"
        and sample.labels["target"].startswith(("products", "inventory"))
    }
