"""kill -9 of each process in the midst of orders: nothing is stuck, nothing comes twice."""

import collections
import email
import email.policy
import os
import signal

import eventlet
import pytest
import requests

from shop.packages import SERVICE_PACKAGES
from tests.support import eventually


@pytest.fixture(scope="module")
def product(shop):
    """Something to buy, plenty of it."""
    with shop.rpc() as rpc:
        return rpc.products.create(
            sku="CHAOS-1", name="Storm lantern", description="Keeps burning.", price="19.90",
            stock=10_000, actor="system",
        )["id"]  # fmt: skip


@pytest.mark.timeout(200)
@pytest.mark.parametrize("victim", SERVICE_PACKAGES)
def test_a_killed_process_leaves_nothing_stuck_and_nothing_doubled(shop, product, buyers, victim):
    """Every order that was accepted comes to its end, with each mail once."""
    people = buyers(6)
    journeys = [
        eventlet.spawn(_journey, buyer, product, number) for number, buyer in enumerate(people)
    ]
    for pause in (0.15, 0.4):
        eventlet.sleep(pause)
        _kill(shop, victim)
    for buyer, journey in zip(people, journeys, strict=True):
        order, expected = journey.wait()
        eventually(lambda: _state(buyer, order) == expected, timeout=60)  # noqa: B023
        eventually(lambda: _told(buyer, expected), timeout=60)  # noqa: B023
        doubled = [mail for mail, times in collections.Counter(buyer.mails()).items() if times > 1]
        assert doubled == []
        payments = buyer.send("GET", f"/api/payments?order_id={order['id']}")["items"]
        assert len(buyer.send("GET", "/api/orders")["items"]) == len(payments) == 1
    assert eventually(lambda: shop.pid_of(victim), timeout=10)


def test_a_request_waits_for_the_next_gateway(shop, product):
    """Who comes between two gateways is not sent away: the socket is there all the time."""
    _kill(shop, "gateway")
    for _ in range(3):  # as many as come before the next one is there
        answer = requests.get(f"{shop.url}/api/products/{product}", timeout=30)
        assert answer.status_code == 200
    assert shop.pid_of("gateway")


def test_no_mail_was_written_twice(shop):
    """In the outbox of all the orders above, nobody got the same mail twice."""
    letters = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in shop.outbox.iterdir()
    ]
    told = collections.Counter((letter["To"], letter["Subject"]) for letter in letters)
    assert told
    assert [mail for mail, times in told.items() if times > 1] == []


def _journey(buyer, product, number):
    """Order and pay; every other buyer then cancels."""
    order = buyer.order(product)
    buyer.pay(order)
    if number % 2:
        buyer.cancel(order)
        return order, ("cancelled", "refunded")
    return order, ("processing", "paid")


def _state(buyer, order):
    seen = buyer.see(order)
    return seen["status"], seen["payment_status"]


def _told(buyer, expected):
    """Whether the mail that tells of the end is there: the last of them all."""
    words = "Your refund for" if expected[1] == "refunded" else "We are preparing"
    return any(subject.startswith(words) for subject in buyer.mails())


def _kill(shop, package):
    pid = eventually(lambda: shop.pid_of(package), timeout=10)
    os.kill(pid, signal.SIGKILL)
