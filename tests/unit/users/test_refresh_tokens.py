"""What a refresh token is worth."""

import datetime

import pytest

from users import tokens
from users.sessions import refresh_tokens
from users.sessions.refresh_tokens import Worth, judge

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
GRACE = datetime.timedelta(seconds=10)


def seconds(count):
    return datetime.timedelta(seconds=count)


@pytest.mark.parametrize(
    ("expires_in", "used_ago", "is_successor_used", "worth"),
    [
        (1, None, False, Worth.FRESH),
        (0, None, False, Worth.EXPIRED),
        (-1, None, False, Worth.EXPIRED),
        (100, 0, False, Worth.REPEATED),
        (100, 10, False, Worth.REPEATED),
        (100, 11, False, Worth.STOLEN),
        (100, 0, True, Worth.STOLEN),
        (100, 86400, True, Worth.STOLEN),
        (0, 5, False, Worth.EXPIRED),
    ],
)
def test_worth(expires_in, used_ago, is_successor_used, worth):
    """A token counts once; again only for ten seconds and only while its successor is unused."""
    used_at = None if used_ago is None else NOW - seconds(used_ago)

    assert worth == judge(NOW, NOW + seconds(expires_in), used_at, is_successor_used, GRACE)


def test_without_grace_there_is_no_repeat():
    """Grace 0 still answers the same instant, nothing later."""
    later = NOW + seconds(1)

    assert judge(later, NOW + seconds(100), NOW, False, seconds(0)) == Worth.STOLEN


def test_the_successor_needs_token_and_salt():
    """The same for the same two, another one when either differs."""
    token, salt = tokens.new(), refresh_tokens.new_salt()
    following = refresh_tokens.successor(token, salt)

    assert following == refresh_tokens.successor(token, salt)
    assert following != refresh_tokens.successor(token, refresh_tokens.new_salt())
    assert following != refresh_tokens.successor(tokens.new(), salt)
    assert len(following) == 43
