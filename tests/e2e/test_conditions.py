"""`ETag`, `If-None-Match` and `If-Match` at the door."""

import uuid

from tests.e2e.client import ADDRESS


def test_single_resources_are_sent_once(shop):
    """The tag of a resource is a 304 until it changes; what was made or changed has its tag too."""
    buyer, staff, product = shop.customer(), shop.employee("staff"), shop.product()
    order = shop.order(buyer, product)
    made = buyer.answer.headers["ETag"]
    order_path = f"/api/orders/{order['id']}"
    payment = shop.pay(buyer, order)
    category = shop.admin.post("/api/categories", {"name": uuid.uuid4().hex}, 201)
    for person, path in (
        (shop.nobody, f"/api/products/{product['id']}"),
        (shop.nobody, f"/api/categories/{category['id']}"),
        (staff, f"/api/inventory/{product['id']}"),
        (buyer, order_path),
        (buyer, f"/api/payments/{payment['id']}"),
        (buyer, "/api/users/profile"),
    ):
        person.get(path)
        tag = person.answer.headers["ETag"]
        person.get(path, 304, headers={"If-None-Match": tag})
    buyer.get(order_path, 200, headers={"If-None-Match": made})


def test_nobody_overwrites_what_they_have_not_seen(shop):
    """Of two who read the same product, order or stock, the second to write is refused."""
    buyer, product = shop.customer(), shop.product()
    order = shop.order(buyer, product)
    for person, path, change in (
        (shop.admin, f"/api/products/{product['id']}", {"price": "12.00"}),
        (shop.admin, f"/api/inventory/{product['id']}", {"delta": 1, "reason": "found"}),
        (buyer, f"/api/orders/{order['id']}", {"shipping_address": ADDRESS | {"line1": "2"}}),
    ):
        person.get(path)
        tag = {"If-Match": person.answer.headers["ETag"]}
        person.patch(path, change, headers=tag)
        changed = {"If-Match": person.answer.headers["ETag"]}
        assert person.patch(path, change, 412, headers=tag)["code"] == "precondition_failed"
        person.patch(path, change, headers=changed)
        person.patch(path, change, headers={"If-Match": "*"})
        person.patch(path, change, 400, headers={"If-Match": "rubbish"})


def test_a_category_is_not_overwritten_unseen(shop):
    """Of two admins who have read a category, the second to write is refused, whatever they do."""
    made = shop.admin.post("/api/categories", {"name": uuid.uuid4().hex}, 201)
    path, first = f"/api/categories/{made['id']}", {"If-Match": shop.admin.answer.headers["ETag"]}
    change = {"name": made["name"], "slug": made["slug"], "description": "All that gives light"}
    shop.admin.put(path, change, headers=first)
    changed = {"If-Match": shop.admin.answer.headers["ETag"]}
    assert shop.admin.put(path, change, 412, headers=first)["code"] == "precondition_failed"
    shop.admin.delete(path, 412, headers=first)
    shop.admin.delete(path, 400, headers={"If-Match": "rubbish"})
    shop.admin.delete(path, headers=changed)
    shop.nobody.get(path, 404)


def test_a_product_is_not_taken_away_unseen(shop):
    """It stays on sale when somebody has changed it since it was read."""
    product = shop.product()
    path, first = f"/api/products/{product['id']}", {"If-Match": shop.admin.answer.headers["ETag"]}
    shop.admin.patch(path, {"price": "12.00"})
    shop.admin.delete(path, 412, headers=first)
    shop.nobody.get(path)
    shop.admin.delete(path, headers={"If-Match": "*"})
    shop.nobody.get(path, 404)
