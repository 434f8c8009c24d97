"""The timeline of an order at the door: what orders tells, with the mails that have left."""

import time
import uuid
from functools import partial

import eventlet
import pytest
import requests

from chassis.errors import NotFound
from chassis.rpc import rpc
from chassis.service import Service
from gateway.service import GatewayService
from notifications.feed import queries
from notifications.service import NotificationsService
from tests.integration.events import of_order, publish
from tests.integration.gateway.conftest import Door, Users
from tests.support import eventually, run_timer


class Orders(Service):
    """Stands in for `orders`: one order, of one user."""

    name = "orders"
    order = owner = None

    @rpc
    def timeline(self, order_id, actor):
        if order_id != self.order or actor["user_id"] != self.owner:
            raise NotFound
        placed = {"kind": "order", "cause": "placed", "actor": "customer", "detail": {}}
        return {"items": [{"at": "2026-01-02T10:00:00+00:00", **placed, "trace_id": None}]}


class Earlier(Service):
    """Notifications of an earlier version, which can't say what was sent."""

    name = "notifications"


class Shop:
    """A gateway with the services behind it that the timeline needs; one order of `user`."""

    def __init__(self, start, config, user, tmp_path, notifications=NotificationsService):
        overrides = {"notifications": {"outbox": str(tmp_path)}}
        services = (Users, Orders, notifications, GatewayService)
        *_, self.notifications, gateway = start(*services, **overrides)
        self.door, self.user = Door(gateway, config, None), user

    def timeline(self, user=None):
        """What the gateway answers."""
        return requests.get(
            f"http://{self.door.address}/api/orders/{Orders.order}/timeline",
            headers={"Authorization": f"Bearer {self.door.token(user or self.user)}"},
            timeout=10,
        )

    def entries(self):
        answer = self.timeline()
        assert answer.status_code == 200
        return answer.json()["items"]

    def causes(self):
        return [entry["cause"] for entry in self.entries()]


@pytest.fixture
def shop(by_hand, start, config, user, tmp_path, monkeypatch):
    """`shop(notifications=...)`: a `Shop`."""
    monkeypatch.setattr(Orders, "order", str(uuid.uuid4()))
    monkeypatch.setattr(Orders, "owner", str(user))
    return partial(Shop, start, config, user, tmp_path)


@pytest.fixture
def notified(shop, config, call, user):
    """A shop with a mail about the order that has left."""
    running = shop()
    event = of_order(Orders.order, user_id=str(user))
    publish(config["AMQP_URI"], "orders", "order_placed", event)
    eventually(lambda: call.notifications.list(user_id=str(user))["items"])
    assert running.causes() == ["placed"]
    run_timer(running.notifications, "deliver")
    return running


def test_a_mail_is_in_it_once_it_has_left(notified):
    """Its channel, and nothing of what it says or to whom."""
    assert notified.causes() == ["placed", "notification_sent"]
    mail = next(entry for entry in notified.entries() if entry["kind"] == "mail")
    assert mail["detail"].keys() == {"channel", "notification_id"}
    assert mail["detail"]["channel"] == "email"


def test_strangers_learn_nothing(notified, monkeypatch):
    """Orders says whose it is, before anybody is asked for mails."""
    asked = []
    monkeypatch.setattr(queries, "sent_about", lambda *request: asked.append(request))
    assert notified.timeline(uuid.uuid4()).status_code == 404
    assert asked == []


def test_without_notifications_it_has_no_mails(notified, logged):
    """It is answered all the same, and the log says what is missing."""
    notified.notifications.stop()
    assert notified.causes() == ["placed"]
    assert any("timeline_without_mails" in line for line in logged)


def test_an_earlier_version_of_notifications_is_no_error(shop):
    """During an upgrade it does not know the question."""
    assert shop(notifications=Earlier).causes() == ["placed"]


def test_slow_notifications_are_not_waited_for(notified, monkeypatch):
    """For 2 of the 14 seconds that orders has."""
    monkeypatch.setattr(queries, "sent_about", lambda *request: eventlet.sleep(30))
    began = time.monotonic()
    assert notified.causes() == ["placed"]
    assert time.monotonic() - began < 7
