"""Deliveries in metrics and traces."""

import contextlib
import datetime
import uuid

import pytest

from chassis.external import Call
from notifications.channels.instrumented import instrumented
from notifications.channels.port import Message
from notifications.errors import Undeliverable


class Refusing:
    def deliver(self, message):
        raise Undeliverable("smtp_550")


def test_a_delivery_tells_channel_and_server_and_not_to_whom():
    """Whatever comes of it goes through, and is counted."""
    told = []

    @contextlib.contextmanager
    def external_call(provider, operation, about):
        call = Call()
        try:
            yield call
        finally:
            told.append((provider, operation, about, call.outcome))

    channels = {"email": Refusing(), "sms": Refusing()}
    settings = {"smtp_host": "mail.example"}
    wrapped = instrumented(channels, settings, external_call)
    now = datetime.datetime.now(datetime.UTC)
    message = Message(uuid.uuid4(), "ada@example.com", "Dear Ada", "token-1", now)
    for name in channels:
        with pytest.raises(Undeliverable):
            wrapped[name].deliver(message)
    which = {"notification.id": str(message.id)}
    email = {"notification.channel": "email", "server.address": "mail.example"}
    assert told == [
        ("email", "deliver", email | which, "refused"),
        ("sms", "deliver", {"notification.channel": "sms"} | which, "refused"),
    ]
