"""What the notifications service takes, and what it tells."""

import uuid

import pytest
from marshmallow import ValidationError

from contracts.notifications import answers, requests

SEND = {"user_id": str(uuid.uuid4()), "channel": "email", "subject": "Hello", "body": "a\nb"}
SEND |= {"actor": "system"}


def test_a_body_may_have_lines():
    """Line breaks belong into a text."""
    assert requests.Send().load(SEND)["body"] == "a\nb"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "a\nBcc: x@y.org"),
        ("subject", ""),
        ("subject", "x" * 201),
        ("body", ""),
        ("body", "x" * 5001),
        ("body", "a\0b"),
        ("channel", "pigeon"),
        ("user_id", "7"),
        ("status", "sent"),
    ],
)
def test_a_message_is_bounded(field, value):
    """A subject is one line, texts have limits, channels are known, nothing else is taken."""
    with pytest.raises(ValidationError) as invalid:
        requests.Send().load({**SEND, field: value})
    assert set(invalid.value.messages) == {field}


@pytest.mark.parametrize("read", ["yes", 2, None, "true"])
def test_read_is_true_or_false(read):
    """Nothing that only looks like it."""
    with pytest.raises(ValidationError):
        requests.MarkRead().load({"notification_id": str(uuid.uuid4()), "read": read})


def test_what_was_sent_about_an_order_holds_no_address():
    """Nor a word of it."""
    assert set(answers.SentMessage().fields) == {"notification_id", "channel", "at", "trace_id"}
