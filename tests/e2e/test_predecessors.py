"""The last table of docs/api.md: what callers of the systems before find here."""

import datetime
import pathlib
import re
import uuid

import pytest
from nameko.standalone.rpc import ClusterRpcProxy

from gateway.service import GatewayService
from gateway.service_health import services_behind
from tests.e2e.client import PASSWORD, new_email

_TABLE = pathlib.Path("docs/api.md").read_text().rpartition("| --- | --- |\n")[2]
ROWS = dict(re.findall(r"^\| (.+) \| (.+) \|$", _TABLE, re.MULTILINE))


def sign_up(shop):
    user = shop.nobody.post("/api/users/signup", {"email": new_email(), "password": PASSWORD}, 201)
    assert user["id"]


def log_in(shop):
    assert shop.customer().token


def profile(shop):
    buyer = shop.customer()
    assert buyer.get("/api/users/profile")["id"] == buyer.user_id


def same_users(shop):
    sign_up(shop)
    log_in(shop)
    profile(shop)


def products(shop):
    product = shop.product()
    assert shop.nobody.get("/api/products")["items"]
    assert shop.nobody.get(f"/api/products/{product['id']}")["id"] == product["id"]


def categories(shop):
    shop.nobody.get("/api/categories")


def inventory(shop):
    product = shop.product(stock=7)
    assert shop.employee("staff").get(f"/api/inventory/{product['id']}")["on_hand"] == 7


def orders(shop):
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    assert buyer.get("/api/orders")["items"][0]["id"] == order["id"]
    assert buyer.get(f"/api/orders/{order['id']}")["id"] == order["id"]
    assert buyer.get(f"/api/orders/user/{buyer.user_id}")["items"][0]["id"] == order["id"]


def cancel_and_docs(shop):
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    cancelled = buyer.post(f"/api/orders/{order['id']}/cancel", {})
    assert cancelled["status"] == "cancelled"
    assert b"<html" in shop.nobody.get("/api/docs")


def payments(shop):
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    payment = shop.pay(buyer, order)
    assert buyer.get(f"/api/payments/{payment['id']}")["status"] == "succeeded"
    assert len(buyer.get(f"/api/payments?order_id={order['id']}")["items"]) == 1


def notifications(shop):
    buyer, staff = shop.customer(), shop.employee("staff")
    note = {"user_id": buyer.user_id, "channel": "in_app", "subject": "Hi", "body": "There"}
    sent = staff.post("/api/notifications/send", note, 201)
    listed = buyer.get(f"/api/notifications/{buyer.user_id}")["items"]
    assert sent["id"] in [item["id"] for item in listed]
    assert buyer.get("/api/notifications")["items"]


def cart(shop):
    buyer, product = shop.customer(), shop.product()
    item = {"product_id": product["id"], "quantity": 2}
    assert buyer.post("/api/carts/add_item", item)["total"] == "20.00"
    assert buyer.put("/api/carts/update_quantity", item | {"quantity": 3})["total"] == "30.00"
    assert buyer.post("/api/carts/remove_item", {"product_id": product["id"]})["items"] == []


def users(shop):
    buyer = shop.customer()
    assert shop.admin.get("/api/users")["items"]
    assert shop.admin.get(f"/api/users/{buyer.user_id}")["id"] == buyer.user_id
    with ClusterRpcProxy(shop.config) as rpc:
        assert rpc.users.get(user_id=buyer.user_id)["id"] == buyer.user_id


def verify(shop):
    email = shop.customer().get("/api/users/profile")["email"]
    with ClusterRpcProxy(shop.config) as rpc:
        assert rpc.users.verify_credentials(email=email, password=PASSWORD)["email"] == email


def check_stock(shop):
    items = [{"variant_id": shop.product()["id"], "quantity": 1}]
    assert shop.nobody.post("/api/inventory/check", {"items": items})["items"][0]["available"]
    with ClusterRpcProxy(shop.config) as rpc:
        assert rpc.inventory.check(items=items)["items"][0]["available"]


def update_stock(shop):
    """Ordering reserves, paying commits, cancelling releases: the RPCs under their own names."""
    product, order_id = shop.product(stock=5), str(uuid.uuid4())
    lines = [{"variant_id": product["id"], "quantity": 2}]
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)).isoformat()
    with ClusterRpcProxy(shop.config) as rpc:
        held = rpc.inventory.reserve(order_id=order_id, lines=lines, expires_at=soon)
        assert held["state"] == "reserved"
        assert rpc.inventory.commit(order_id=order_id)["state"] == "committed"
        assert rpc.inventory.release(order_id=order_id, reason="test")["state"] == "released"


def health(shop):
    for service in services_behind(GatewayService):
        assert shop.nobody.get(f"/api/{service}/health")["service"] == service


#: In the order of the table.
PROOFS = (
    same_users,
    products,
    orders,
    payments,
    notifications,
    cart,
    cancel_and_docs,
    sign_up,
    log_in,
    profile,
    products,
    categories,
    inventory,
    orders,
    payments,
    notifications,
    users,
    verify,
    products,
    check_stock,
    update_stock,
    health,
)


@pytest.mark.parametrize(("theirs", "proof"), list(zip(ROWS, PROOFS, strict=True)))
def test_what_was_there_is_here(shop, theirs, proof):
    """Each row, by a call of what it names."""
    proof(shop)
