"""Deliveries in metrics and traces."""

import contextlib
import datetime
import uuid

import pytest

from notifications.channels.port import Letter
from notifications.channels.watched import watched
from notifications.errors import Undeliverable


class Refusing:
    def deliver(self, letter):
        raise Undeliverable("smtp_550")


def test_a_delivery_tells_channel_and_server_and_not_to_whom():
    """Whatever comes of it goes through, and is counted."""
    told, counted = [], []

    @contextlib.contextmanager
    def outside(name, about):
        told.append((name, about))
        yield

    channels = {"email": Refusing(), "sms": Refusing()}
    settings = {"smtp_host": "mail.example"}
    wrapped = watched(channels, settings, lambda *call: counted.append(call[:3]), outside)
    now = datetime.datetime.now(datetime.UTC)
    letter = Letter(uuid.uuid4(), "ada@example.com", "Dear Ada", "token-1", now)
    for name in channels:
        with pytest.raises(Undeliverable):
            wrapped[name].deliver(letter)
    which = {"notification.id": str(letter.id)}
    assert told == [
        (
            "send email",
            {"notification.channel": "email", "server.address": "mail.example"} | which,
        ),
        ("send sms", {"notification.channel": "sms"} | which),
    ]
    assert counted == [("email", "deliver", "refused"), ("sms", "deliver", "refused")]
