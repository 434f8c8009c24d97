"""Fixtures for the tests of `notifications`."""

import email
import email.policy
import uuid

import pytest

from chassis.errors import NotFound
from chassis.rpc import rpc
from chassis.service import Service
from notifications.service import NotificationsService
from tests import support
from tests.integration.events import publish

ANN = str(uuid.UUID(int=1))
BOB = str(uuid.UUID(int=2))
#: What is told of a parcel, or of items that are cancelled.
PARCEL = {
    "fulfilment_id": str(uuid.UUID(int=8)),
    "cancellation_id": str(uuid.UUID(int=9)),
    "number": "S-102-748-399",
    "location": "MAIN",
    "carrier": "DHL",
    "tracking_number": "00340434161094042557",
    "tracking_url": None,
    "lines": [{"line": 1, "variant_id": 7, "quantity": 2, "name": "Kettle"}],
    "complete": True,
}


class Users(Service):
    """Stands in for `users`: who is in `people` can be reached."""

    name = "users"
    people = {}
    tokens = {}
    verifications = {}
    old_emails = {}

    @rpc
    def contacts(self, user_ids):
        there = [user_id for user_id in user_ids if user_id in self.people]
        return {"items": [{"id": user_id, **self.people[user_id]} for user_id in there]}

    @rpc
    def issue_reset_token(self, reset_id):
        if reset_id not in self.tokens:
            raise NotFound
        return {"token": self.tokens[reset_id]}

    @rpc
    def issue_verification_token(self, verification_id):
        return _found(self.verifications, verification_id)

    @rpc
    def old_email(self, change_id):
        return _found(self.old_emails, change_id)


def _found(things, key):
    if key not in things:
        raise NotFound
    return things[key]


@pytest.fixture
def people(monkeypatch):
    """Ann has an address and a phone, Bob an address only."""
    everybody = {
        ANN: {"email": "ann@example.org", "phone": "+49 30 1234"},
        BOB: {"email": "bob@example.org", "phone": None},
    }
    monkeypatch.setattr(Users, "people", everybody)
    return everybody


@pytest.fixture
def outbox(tmp_path):
    """The folder where messages go."""
    return tmp_path / "outbox"


@pytest.fixture
def settings(outbox):
    """The section of config.yaml; tests change it before `service`."""
    many = {"mails_per_hour": 10_000, "mails_per_day": 10_000}
    return {"sender": "Shop <shop@example.com>", "outbox": str(outbox)} | many


@pytest.fixture
def users(start, people):
    """The running stand-in for users."""
    return start(Users)


@pytest.fixture
def service(start, users, clock, settings):
    """The running service's container, on a clock that tests can put forward."""
    (container,) = start(NotificationsService, notifications=settings)
    return container


@pytest.fixture
def notifications(service, call):
    """`notifications.list(...)`: RPC to the running service."""
    return call.notifications


@pytest.fixture
def tell(service, config):
    """`tell("orders", "order_placed", event_id=..., **changes)`: an event about Ann's order."""

    def publish_event(source, event_type, event_id=None, **changes):
        facts = {
            "order_id": "1a2b3c4d-0000-4000-8000-000000000000",
            "payment_id": str(uuid.uuid4()),
            "user_id": ANN,
            "total": "1299.90",
            "amount": "1299.90",
            "refunded_total": "1299.90",
            "currency": "EUR",
            "full": True,
            "failure_code": "card_declined",
            "version": 1,
            "cause": "test",
            "number": None,
        }
        if event_type.startswith("fulfilment_") or event_type == "order_items_cancelled":
            facts |= PARCEL
        return publish(config["AMQP_URI"], source, event_type, facts | changes, event_id)

    return publish_event


@pytest.fixture
def sql(service, config):
    """`sql("SELECT ...", name=value)`: rows of the notifications database, as dicts."""
    with support.statements(config, "notifications") as run:
        yield run


@pytest.fixture
def mails(outbox):
    """`mails()`: the mails in the outbox, parsed."""

    def read():
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(outbox.glob("*.eml"))
        ]

    return read


@pytest.fixture
def send(notifications):
    """`send(channel="sms")`: a message of the system to Ann."""

    def write(**changes):
        message = {"user_id": ANN, "channel": "email", "subject": "Hello", "body": "How are you?"}
        return notifications.send(**message | changes)

    return write


@pytest.fixture
def status(notifications):
    """`status(notification)`: its state by now."""

    def of(notification):
        page = notifications.list(user_id=notification["user_id"], limit=100)
        return {one["id"]: one["status"] for one in page["items"]}[notification["id"]]

    return of
