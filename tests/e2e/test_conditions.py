"""`ETag` and `Idempotency-Key` at the door."""

import uuid

import eventlet
import pytest
from nameko.containers import get_container_cls
from nameko.testing.utils import find_free_port

from gateway.service import GatewayService
from tests.e2e.client import ADDRESS, Client


@pytest.fixture
def doors(shop):
    """The shop's gateway, and another one beside it."""
    address = f"127.0.0.1:{find_free_port()}"
    config = shop.config | {"WEB_SERVER_ADDRESS": address}
    container = get_container_cls(config)(GatewayService, config)
    container.start()
    yield [shop.url, f"http://{address}"]
    container.kill()


def at_once(doors, person, path, body, key, times=3):
    """Status, replayed and body of one request sent `times` to each door at the same instant."""

    def send(url):
        client = Client(url, person.token)
        answer = client.post(path, body, None, headers={"Idempotency-Key": key})
        return client.answer.status_code, client.answer.headers.get("Idempotent-Replayed"), answer

    return list(eventlet.GreenPool().imap(send, doors * times))


def test_one_key_on_two_gateways_at_the_same_instant(shop, doors):
    """One order, one payment, one refund, one message: all answers alike, all but one repeats."""
    buyer, staff, product = shop.customer(), shop.employee("staff"), shop.product(stock=9)
    place = {"items": [{"product_id": product["id"], "quantity": 1}], "shipping_address": ADDRESS}
    orders = at_once(doors, buyer, "/api/orders", place, str(uuid.uuid4()))
    order = orders[0][2]
    pay = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
    buyer.post("/api/payments", pay, 201)
    payment = buyer.get(f"/api/payments?order_id={order['id']}")["items"][0]
    refund = f"/api/payments/{payment['id']}/refund"
    refunds = at_once(doors, staff, refund, {"amount": "1.00", "reason": "x"}, str(uuid.uuid4()))
    note = {"user_id": buyer.user_id, "channel": "in_app", "subject": "a", "body": "b"}
    notes = at_once(doors, staff, "/api/notifications/send", note, str(uuid.uuid4()))
    for answers, status in ((orders, 201), (refunds, 200), (notes, 201)):
        assert {answer[0] for answer in answers} == {status}
        assert len({answer[2]["id"] for answer in answers}) == 1
        assert [answer[1] for answer in answers].count("true") == len(answers) - 1
    assert shop.nobody.get(f"/api/products/{product['id']}")["available"] == 8
    assert buyer.get(f"/api/payments/{payment['id']}")["refunded"] == "1.00"
    assert len(buyer.get(f"/api/orders/user/{buyer.user_id}")["items"]) == 1


def test_a_key_with_another_body_is_a_mistake(shop, doors):
    """422 on any gateway, for each of the four."""
    buyer, staff = shop.customer(), shop.employee("staff")
    order = shop.order(buyer, shop.product())
    key = {"Idempotency-Key": "once"}
    pay = {"order_id": order["id"], "method": {"type": "card", "token": "tok_declined"}}
    buyer.post("/api/payments", pay, 201, headers=key)
    other = pay | {"method": {"type": "card", "token": "tok_visa"}}
    refused = Client(doors[1], buyer.token).post("/api/payments", other, 422, headers=key)
    assert refused["code"] == "idempotency_key_reused"
    note = {"user_id": buyer.user_id, "channel": "in_app", "subject": "a", "body": "b"}
    staff.post("/api/notifications/send", note, 201, headers=key)
    note["body"] = "c"
    refused = Client(doors[1], staff.token).post("/api/notifications/send", note, 422, headers=key)
    assert refused["code"] == "idempotency_key_reused"
    path = f"/api/payments/{shop.pay(buyer, order)['id']}/refund"
    staff.post(path, {"amount": "1.00", "reason": "x"}, headers=key)
    refused = staff.post(path, {"reason": "x"}, 422, headers=key)
    assert refused["code"] == "idempotency_key_reused"


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
