"""Who counts as one recipient."""

import pytest

from notifications.mail.recipients import key_of


@pytest.mark.parametrize(
    "other", ["ANN@example.org", "ann+shop@example.org", "Ann+a+b@EXAMPLE.ORG"]
)
def test_one_box(other):
    """Case, and what comes after a plus."""
    assert key_of(other, "email", False) == key_of("ann@example.org", "email", False)


@pytest.mark.parametrize("other", ["bob@example.org", "ann@example.com", "+ann@example.org"])
def test_another_box(other):
    """Another name, another domain, a plus that nothing stands before."""
    assert key_of(other, "email", False) != key_of("ann@example.org", "email", False)


def test_channels_and_purposes_are_apart():
    """And a key is nothing but a digest."""
    keys = {
        key_of("+49 30 1", channel, secure) for channel in ("email", "sms") for secure in (0, 1)
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
