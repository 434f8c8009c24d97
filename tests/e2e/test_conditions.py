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
