"""Two instances of each service and two gateways: to whoever asks they are one shop."""

import collections
import contextlib
import uuid

import eventlet
import pytest
import requests
from nameko.containers import get_container_cls

from gateway.service import GatewayService
from orders.service import OrdersService
from tests.e2e.client import ADDRESS, new_email
from tests.e2e.shop import SERVICES, another_door
from tests.integration.gateway.listening import Stream
from tests.support import eventually


@pytest.fixture(scope="module")
def other(shop):
    """A second gateway; behind both, a second instance of every service."""
    services = [service for service in SERVICES if service is not GatewayService]
    containers = [get_container_cls(shop.config)(service, shop.config) for service in services]
    for starting in [eventlet.spawn(container.start) for container in containers]:
        starting.wait()
    with another_door(shop) as door:
        yield door
    for stopping in [eventlet.spawn(container.kill) for container in containers]:
        stopping.wait()


@pytest.fixture
def doors(shop, other):
    """The addresses of both gateways."""
    return [shop.url.removeprefix("http://"), other.url.removeprefix("http://")]


def newcomer(shop):
    """Somebody who has been welcomed, and the last event of their feed."""
    person = shop.customer()
    eventually(lambda: person.get("/api/notifications")["items"])
    return person, 1


def notify(shop, person, *subjects):
    """Write to somebody's feed."""
    for subject in subjects:
        message = {"user_id": person.user_id, "channel": "in_app", "subject": subject}
        shop.admin.post("/api/notifications/send", message | {"body": "..."}, 201)


def subjects(events):
    return [event.data["subject"] for event in events if event.event == "notification"]


def test_a_stream_hears_what_is_written_anywhere(shop, doors):
    """Open at both gateways, and whichever instance writes: each hears all, in order."""
    person, _ = newcomer(shop)
    with contextlib.ExitStack() as stack:
        streams = [Stream(door, person.token).head() for door in doors]
        for stream in streams:
            stack.callback(stream.close)
            stream.events(1)
        told = [str(number) for number in range(6)]
        notify(shop, person, *told)
        for stream in streams:
            with eventlet.Timeout(2):
                assert subjects(stream.events(6)) == told


def test_a_stream_goes_on_at_another_gateway(shop, doors):
    """From the last event on that it has told, with what was written between."""
    (person, last_id), told = newcomer(shop), []
    for turn in range(4):
        notify(shop, person, f"{turn} before")
        stream = Stream(doors[turn % 2], person.token, last_id).head()
        told += subjects(stream.events(2))
        notify(shop, person, f"{turn} during")
        told += subjects(stream.events(1))
        last_id = stream.last_id
        stream.close()
    assert told == [f"{turn} {when}" for turn in range(4) for when in ("before", "during")]


def test_one_key_everywhere_at_once_is_one_order(shop, other, monkeypatch):
    """At both gateways, handled by both instances: one of them does it, the others say so or wait
    for the same answer."""
    person, product = shop.customer(), shop.product()
    item = {"product_id": product["id"], "quantity": 1}
    body = {"items": [item], "shipping_address": ADDRESS}
    placed, place = [], OrdersService.place
    monkeypatch.setattr(
        OrdersService, "place", lambda self, **wish: placed.append(self) or place(self, **wish)
    )

    def send(url, key):
        headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": key}
        answer = requests.post(f"{url}/api/orders", json=body, headers=headers, timeout=20)
        return answer.status_code, answer.json().get("id")

    key = uuid.uuid4().hex
    calls = [eventlet.spawn(send, url, key) for url in (shop.url, other.url) * 4]
    answers = [call.wait() for call in calls]
    assert {status for status, _ in answers} <= {201, 409}
    made = {order for status, order in answers if status == 201}
    assert len(made) == 1
    assert send(other.url, key) == (201, *made)
    orders = person.get("/api/orders")["items"]
    assert [order["id"] for order in orders] == list(made)


def test_guesses_are_counted_together(shop, other):
    """Whichever gateway they come through, and whichever instance looks at them: five are free."""
    guess = {"email": new_email(), "password": "wrong-Passw0rd"}

    def log_in(url):
        return requests.post(f"{url}/api/users/login", json=guess, timeout=20).status_code

    calls = [eventlet.spawn(log_in, url) for url in (shop.url, other.url) * 8]
    statuses = collections.Counter(call.wait() for call in calls)
    assert set(statuses) == {401, 429}
    assert 5 <= statuses[401] <= 7  # the next ones when a second, and two more, have passed
