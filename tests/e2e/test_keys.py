"""`Idempotency-Key` at the doors of two gateways: one effect, whatever is sent how often."""

import os
import subprocess
import sys
import types
import uuid

import eventlet
import pytest
import requests
from nameko.containers import get_container_cls
from nameko.testing.utils import find_free_port

from gateway.service import GatewayService
from notifications.service import NotificationsService
from orders.service import OrdersService
from payments.service import PaymentsService
from tests.e2e.client import ADDRESS, Client
from tests.support import eventually

VISA = {"type": "card", "token": "tok_visa"}

#: What takes a key, with the method of a service that has the effect, and the status.
KEYED = {
    "order": (OrdersService, "place", 201),
    "payment": (OrdersService, "pay", 201),
    "refund": (PaymentsService, "refund", 200),
    "note": (NotificationsService, "send", 201),
}


@pytest.fixture
def doors(shop):
    """The shop's gateway, and another one beside it."""
    address = f"127.0.0.1:{find_free_port()}"
    config = shop.config | {"WEB_SERVER_ADDRESS": address}
    container = get_container_cls(config)(GatewayService, config)
    container.start()
    yield [shop.url, f"http://{address}"]
    container.kill()


@pytest.fixture
def mortal(shop, tmp_path):
    """A gateway in a process of its own: `.url`, `.kill()` (-9)."""
    gate, port = tmp_path / "gate", find_free_port()
    gate.touch()
    environment = os.environ | {
        "AMQP_URI": shop.config["AMQP_URI"],
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
    }
    words = ["-W", "ignore", "-m", "shop.local.service", "gateway", "1", "0", str(gate)]
    process = subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: _answers(url), timeout=60)
    yield types.SimpleNamespace(url=url, kill=process.kill)
    process.kill()
    eventually(lambda: process.poll() is not None)


@pytest.fixture
def wish(shop):
    """`wish("refund")`: who asks for one, where and with what body; and `.effects()`, how often it
    has come about."""

    def make(kind):
        buyer, staff, product = shop.customer(), shop.employee("staff"), shop.product(stock=9)
        if kind == "note":
            body = {"channel": "in_app", "subject": uuid.uuid4().hex, "body": "b"}
            body["user_id"] = buyer.user_id
            return _Wish(staff, "/api/notifications/send", body, lambda: _told(buyer, body))
        if kind == "order":
            items = [{"product_id": product["id"], "quantity": 1}]
            body = {"items": items, "shipping_address": ADDRESS}
            return _Wish(buyer, "/api/orders", body, lambda: _sold(shop, buyer, product))
        order = shop.order(buyer, product)
        if kind == "payment":
            body = {"order_id": order["id"], "method": VISA}
            return _Wish(buyer, "/api/payments", body, lambda: _paid(buyer, order))
        path = f"/api/payments/{shop.pay(buyer, order)['id']}"
        body = {"amount": "1.00", "reason": "scratched"}
        return _Wish(staff, f"{path}/refund", body, lambda: float(staff.get(path)["refunded"]))

    return make


class _Wish:
    def __init__(self, person, path, body, effects):
        self.person, self.path, self.body, self.effects = person, path, body, effects

    def send(self, url, key, expect=None, **changes):
        """What the gateway at `url` answers: `.status`, `.replayed` (it says so), `.body`."""
        client = Client(url, self.person.token)
        headers = {"Idempotency-Key": key} if key else {}
        body = client.post(self.path, self.body | changes, expect, headers=headers)
        status, replayed = client.answer.status_code, "Idempotent-Replayed" in client.answer.headers
        return types.SimpleNamespace(status=status, replayed=replayed, body=body)

    def send_all(self, urls, keys):
        """The answers to one request under each of `keys`, all at the same instant."""
        return list(eventlet.GreenPool().imap(self.send, urls, keys))


def _answers(url):
    try:
        return requests.get(f"{url}/api/products?limit=1", timeout=5).ok
    except requests.ConnectionError:
        return False


def _told(buyer, message):
    notes = buyer.pages("/api/notifications")
    return [note["subject"] for note in notes].count(message["subject"])


def _sold(shop, buyer, product):
    orders = buyer.get("/api/orders")["items"]
    left = shop.nobody.get(f"/api/products/{product['id']}")["available"]
    assert len(orders) == 9 - left
    return len(orders)


def _paid(buyer, order):
    payments = buyer.get(f"/api/payments?order_id={order['id']}")["items"]
    return len([payment for payment in payments if payment["status"] == "succeeded"])


@pytest.mark.parametrize("kind", KEYED)
def test_one_key_on_two_gateways_at_the_same_instant(doors, wish, kind):
    """One effect; the answers name the same thing, and all but one say that they are repeats."""
    asked = wish(kind)
    answers = asked.send_all(doors * 3, [str(uuid.uuid4())] * 6)
    assert {answer.status for answer in answers} == {KEYED[kind][2]}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(True) == 5
    eventually(lambda: asked.effects() == 1)


@pytest.mark.parametrize("keys", ["none", "different"])
def test_a_double_click_charges_once(doors, wish, keys):
    """Without a key, or with one for each click: one payment, the others hear why not."""
    asked = wish("payment")
    answers = asked.send_all(
        doors * 3, [None if keys == "none" else str(uuid.uuid4()) for _ in range(6)]
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    refused = {answer.body["code"] for answer in answers if answer.status == 409}
    assert refused <= {"payment_active", "already_paid"}
    assert asked.effects() == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", KEYED)
def test_a_gateway_that_dies_before_its_answer(shop, mortal, wish, monkeypatch, kind, moment):
    """kill -9 when the service begins or has just ended: the other gateway then gives the answer,
    as a repeat, and there is one effect."""
    asked, key = wish(kind), str(uuid.uuid4())
    service, method, status = KEYED[kind]
    real, reached = getattr(service, method), eventlet.Event()

    def killed(*args, **kwargs):
        if reached.ready():
            return real(*args, **kwargs)
        if moment == "before":
            mortal.kill()
            reached.send()
            return real(*args, **kwargs)
        done = real(*args, **kwargs)
        mortal.kill()
        reached.send()
        return done

    monkeypatch.setattr(service, method, killed)
    with pytest.raises(requests.ConnectionError):
        asked.send(mortal.url, key)
    assert reached.ready()
    again = asked.send(shop.url, key, status)
    if moment == "after":
        assert again.replayed
    last = asked.send(shop.url, key, status)
    assert last.replayed
    assert last.body["id"] == again.body["id"]
    eventually(lambda: asked.effects() == 1)


@pytest.mark.parametrize("kind", KEYED)
def test_a_key_with_another_body_is_a_mistake(doors, wish, kind):
    """422 on any gateway, and nothing happens."""
    asked, other = (
        wish(kind),
        {
            "order": {"shipping_address": ADDRESS | {"line1": "2"}},
            "payment": {"method": VISA | {"token": "tok_declined"}},
            "refund": {"amount": "2.00"},
            "note": {"body": "c"},
        }[kind],
    )
    asked.send(doors[0], "once", KEYED[kind][2])
    refused = asked.send(doors[1], "once", 422, **other)
    assert refused.body["code"] == "idempotency_key_reused"
    assert asked.effects() == 1


def test_a_payment_that_failed_is_repeated_after_its_orders_end(shop, wish):
    """The same answer as the first time, although nobody can pay the order any more."""
    asked = wish("payment")
    declined = {"method": VISA | {"token": "tok_declined"}}
    first = asked.send(shop.url, "once", 201, **declined)
    shop.admin.post(f"/api/orders/{asked.body['order_id']}/cancel", {})
    again = asked.send(shop.url, "once", 201, **declined)
    assert (again.replayed, again.body) == (True, first.body)
    assert asked.send(shop.url, "twice", 409, **declined).body["code"] == "invalid_transition"
