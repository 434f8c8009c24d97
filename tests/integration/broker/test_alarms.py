"""RabbitMQ runs short of memory or disk and reads from no publisher: callers are told so in time,
and nothing that was acknowledged is lost."""

import collections
import contextlib
import os
import time
import types
from pathlib import Path

import eventlet
import pytest
import requests
from eventlet.green import subprocess

from chassis.broker import confirmed_publisher
from products.service import InventoryService
from shop.health import ask
from shop.local.rabbitmq import find_binary
from shop.operate.outbox import of, with_outbox
from shop.packages import DATABASE_PACKAGES
from shop.verify import Books, verify
from tests.e2e.client import ADDRESS
from tests.e2e.shop import running_anew
from tests.support import eventually

#: What raises each alarm, and what ends it.
ALARMS = {
    "memory": ("set_vm_memory_high_watermark absolute 1000", "set_vm_memory_high_watermark 0.9"),
    "disk": ("set_disk_free_limit 900000GB", "set_disk_free_limit 1MB"),
}


@pytest.fixture(scope="module")
def shop(node, databases, tmp_path_factory):
    def the_only_vhost(name):
        return contextlib.nullcontext(types.SimpleNamespace(uri=node.uri))

    outbox = tmp_path_factory.mktemp("outbox")
    much = {"max_open_orders": 10**6, "max_unpaid_units": 10**6}
    with running_anew("alarms", the_only_vhost, databases, outbox, orders=much) as shop:
        yield shop


@pytest.fixture
def alarm(node):
    """`with alarm("memory"):` for as long as that lasts."""
    tool = Path(find_binary()).with_name("rabbitmqctl")
    environment = os.environ | node.recipe.environment()

    def tell(command):
        done = subprocess.run(
            [tool, *command.split()], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def raised(kind):
        begin, end = ALARMS[kind]
        tell(begin)
        try:
            yield
        finally:
            tell(end)

    return raised


@pytest.mark.timeout(300)
def test_an_alarm(shop, node, alarm, failing, monkeypatch):
    """Who buys or reads is told 503 with Retry-After well before the deadline; events wait in the
    outboxes, and those that fail with their handler; afterwards all is as if nothing had been,
    without a restart."""
    monkeypatch.setattr(confirmed_publisher, "TIMEOUT", 2)  # so that some attempts are given up
    buyer, lamp = shop.customer(), shop.product(stock=500)
    shop.pay(buyer, shop.order(buyer, lamp))
    for order in [shop.order(buyer, lamp) for _ in range(2)]:
        buyer.post(f"/api/orders/{order['id']}/cancel", {})
    eventually(lambda: len(failing.tries) == 2)
    shopping = Shopping(shop, lamp)
    eventually(lambda: len(shopping.acknowledged) > 3)
    with alarm("disk"):
        with alarm("memory"):
            failing.go_on.send()
            eventually(lambda: shopping.refused)
            for method, path, body in (
                ("GET", "/api/orders", None),
                ("GET", f"/api/products/{lamp['id']}", None),
                ("POST", "/api/orders", shopping.wish),
            ):
                began = time.monotonic()
                past_the_cache = {"Cache-Control": "no-cache"}
                refused = buyer.call(method, path, body, 503, headers=past_the_cache)
                assert time.monotonic() - began < 3
                assert refused["code"] in ("broker_unavailable", "connection_lost")
                assert int(buyer.answer.headers["Retry-After"]) > 0
            assert shop.nobody.get("/readyz", 503)["code"] == "not_ready"
        # One is over, and the other as bad.
        buyer.get("/api/orders", 503)
        assert ask(node.uri, "orders", patience=1) == "the broker is short of memory or disk"
        # One that has given up on the broker would stay there as long as the alarm does.
        assert max(couriers(node).values()) == 1
        acknowledged = len(shopping.acknowledged)
    eventually(lambda: len(shopping.acknowledged) > acknowledged + 3, timeout=15)
    shopping.stop()
    assert set(shopping.statuses) == {201, 503}
    for order_id in shopping.acknowledged:
        assert shopping.buyer.get(f"/api/orders/{order_id}")["status"] == "pending"
    eventually(lambda: min(failing.tries.values()) > 1, timeout=20)
    # Once more is a confirmation that came too late.
    assert max(failing.tries.values()) <= 3
    with Books(shop.config) as books:
        eventually(lambda: not any(of(books, name)["unsent"] for name in senders(books)))
        eventually(lambda: not any(queue_depths(node).values()))
        assert not [v.violations for v in verify(books, patience=10).values() if v.violations]


@pytest.fixture
def failing(monkeypatch):
    """A handler that fails with each event once, when it may `go_on`; `tries` counts."""
    handle = InventoryService.on_order_cancelled
    found = types.SimpleNamespace(tries=collections.Counter(), go_on=eventlet.event.Event())

    def fail_first(service, event):
        found.tries[event.id] += 1
        if found.tries[event.id] == 1:
            found.go_on.wait()
            raise KeyError("not yet")
        handle(service, event)

    monkeypatch.setattr(InventoryService, "on_order_cancelled", fail_first)
    return found


def couriers(node):
    """How many connections each service has for what must not be lost."""
    found = requests.get(f"{node.api}/api/connections", timeout=10).json()
    names = [one.get("user_provided_name", "") for one in found]
    return collections.Counter(name for name in names if name.endswith(" courier"))


def senders(books):
    return with_outbox(books, DATABASE_PACKAGES)


def queue_depths(node):
    found = requests.get(f"{node.api}/api/queues/%2F?columns=name,messages", timeout=10).json()
    return {one["name"]: one.get("messages") for one in found}


class Shopping:
    """Somebody who orders one lamp after the other, whatever the answer; `statuses` has how often
    there was which."""

    def __init__(self, shop, lamp):
        self.buyer = shop.customer()
        self.acknowledged, self.statuses = [], {}
        self.wish = {
            "items": [{"product_id": lamp["id"], "quantity": 1}],
            "shipping_address": ADDRESS,
        }
        self._is_over = False
        self._thread = eventlet.spawn(self._run)

    @property
    def refused(self):
        return self.statuses.get(503, 0)

    def stop(self):
        self._is_over = True
        self._thread.wait()

    def _run(self):
        while not self._is_over:
            order = self.buyer.post("/api/orders", self.wish, None)
            status = self.buyer.answer.status_code
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 201:
                self.acknowledged.append(order["id"])
