"""Every process of the shop is renewed while people buy: no request fails, no event is lost."""

import collections
import contextlib
import itertools
import os
import subprocess
import sys
import uuid
from functools import partial

import eventlet
import pytest
import requests
from eventlet.green import subprocess as green

from shop.local.scale import scale_of
from shop.verify import Books, verify
from tests.integration.gateway.listening import Stream
from tests.support import eventually

#: Two of all six, as SCALE may say, take half as long again.
SCALE = os.environ.get("SCALE", "gateway=2 orders=2")
#: So few, and with so many seconds between two visits, that starting processes are not starved.
BUYERS, PAUSE = 4, 0.5


class Buyer:
    """Buys on one connection after the other, and repeats nothing: what fails has failed."""

    def __init__(self, url, product):
        self.done, self.failures, self.orders = collections.Counter(), [], []
        self.headers = {}
        self._url, self._product = url, product
        self._session = requests.Session()
        account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "long-Enough-9"}
        self.id = self.send("POST", "/api/users/signup", account)["id"]
        login = self.send("POST", "/api/users/login", account)
        self.headers = {"Authorization": f"Bearer {login['access_token']}"}

    def send(self, method, path, body=None, key=None):
        """The JSON of the answer, {} for a failure."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        try:
            answer = self._session.request(
                method, self._url + path, json=body, headers=headers, timeout=30
            )
        except requests.RequestException as error:
            self.failures.append((method, path, repr(error)))
            return collections.defaultdict(str)
        if answer.status_code not in (200, 201, 204):
            self.failures.append((method, path, answer.status_code, answer.text))
            return collections.defaultdict(str)
        self.done[method] += 1
        return answer.json() if answer.content else {}

    def visit(self):
        """Look, fill the cart, order, pay, look again; with a key and without."""
        self.send("GET", f"/api/products/{self._product}")
        item = {"product_id": self._product, "quantity": 1}
        self.send("POST", "/api/carts/add_item", item)
        address = {"line1": "1", "city": "Lyon", "postal_code": "69001", "country": "FR"}
        order = self.send("POST", "/api/orders", {"shipping_address": address}, uuid.uuid4().hex)
        self.orders.append(order["id"])
        pay = {"order_id": order["id"], "method": {"type": "card", "token": "tok_visa"}}
        payment = self.send("POST", "/api/payments", pay, uuid.uuid4().hex)
        if payment["status"] != "succeeded":
            self.failures.append(("payment", payment))
        profile = {"first_name": f"ada-{uuid.uuid4().hex[:20]}"}
        self.send("PATCH", "/api/users/profile", profile)
        self.send("GET", f"/api/orders/{order['id']}")


@contextlib.contextmanager
def load(buyers):
    """They buy until the end of the block."""
    is_over = []

    def go_on(buyer):
        while not is_over:
            buyer.visit()
            eventlet.sleep(PAUSE)

    threads = [eventlet.spawn(go_on, buyer) for buyer in buyers]
    yield
    is_over.append(True)
    for thread in threads:
        thread.wait()


@contextlib.contextmanager
def streamed(buyer, address):
    """The ids that a stream of notifications tells, which is opened again whenever it ends."""
    token, seen = buyer.headers["Authorization"].removeprefix("Bearer "), []

    def listen():
        last_id = 0
        while True:
            with contextlib.closing(Stream(address, token, last_id)) as stream:
                assert stream.head().status == 200
                while events := stream.events(1):
                    seen.extend(one.id for one in events if one.event == "notification")
                last_id = stream.last_id

    listener = eventlet.spawn(listen)
    yield seen
    assert not listener.dead
    listener.kill()


@pytest.fixture
def product(shop):
    """One that there is enough of."""
    with shop.rpc() as rpc:
        return rpc.products.create(name="Lamp", price="9.00", stock=100_000, actor="system")["id"]


def restart(shop, *services):
    words = [sys.executable, "-W", "ignore", "-c", "from shop.cli import main; main()", "restart"]
    done = green.Popen(
        [*words, *services], env=shop.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = done.communicate()
    assert done.returncode == 0, said.decode()
    return said.decode().splitlines()


@pytest.mark.timeout(600)
def test_nobody_notices(shop, product):
    """Each process of all services is replaced under load. Nobody sends anything twice, and yet:
    every request is answered as it should be, each order and payment is made once, every event is
    handled, every mail is sent once, and a stream tells everything in order."""
    buyers = [Buyer(shop.url, product) for _ in range(BUYERS)]
    with streamed(buyers[0], shop.url.removeprefix("http://")) as seen:
        with load(buyers):
            said = restart(shop)
        count = "SELECT count(*) FROM notifications WHERE channel = 'in_app' AND user_id = :user"
        renewed = [line for line in said if "has taken over from" in line]
        assert len(renewed) == sum(scale_of([SCALE]).values()), said
        assert list(itertools.chain(*(buyer.failures for buyer in buyers))) == []
        orders = [order for buyer in buyers for order in buyer.orders]
        assert len(orders) == len(set(orders)) > 2 * BUYERS
        with Books(shop.config) as books:
            found = verify(books, 30)
            assert {name: one.violations for name, one in found.items() if one.violations} == {}
            assert books.value("orders", "SELECT count(*) FROM orders") == len(orders)
            assert books.value("payments", "SELECT count(*) FROM payments") == len(orders)
            value = partial(books.value, "notifications")
            waiting = "SELECT count(*) FROM notifications WHERE status = 'pending'"
            eventually(lambda: value(waiting) == 0, timeout=30)
            assert value("SELECT max(attempts) FROM notifications") == 1
            total = value(count, user=buyers[0].id)
        eventually(lambda: seen == list(range(1, total + 1)))
        assert total >= 2 * len(buyers[0].orders)
