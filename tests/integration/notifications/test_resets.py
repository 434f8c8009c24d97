"""The mail with the way to a new password."""

import uuid

import pytest

from tests.integration.notifications.conftest import ANN, Users

RESET = str(uuid.UUID(int=7))
TOKEN = "a-token-that-opens-an-account"


@pytest.fixture
def tokens(monkeypatch):
    """Tokens of `users`, by request."""
    found = {RESET: TOKEN}
    monkeypatch.setattr(Users, "tokens", found)
    return found


def test_the_mail_has_the_token_and_nothing_else_has_it(
    tokens, tell, mails, sql, caplog, eventually
):
    """It is asked for when the mail goes; the feed shows the mail without it."""
    caplog.set_level("DEBUG")
    tell("users", "password_reset_requested", reset_id=RESET)
    (mail,) = eventually(mails)
    assert (mail["To"], mail["Subject"]) == ("ann@example.org", "Reset your password")
    assert TOKEN in mail.get_content().splitlines()
    sent = "SELECT channel, n::text AS everything FROM notifications n WHERE status = 'sent'"
    rows = eventually(lambda: sql(sent))
    assert [row["channel"] for row in rows] == ["email"]
    assert TOKEN not in str(rows) + caplog.text


@pytest.fixture
def page(settings):
    """The shop has a page where one chooses a new password."""
    settings["reset_link"] = "https://shop.example/password#{token}"


def test_the_mail_has_the_link_when_there_is_a_page(page, tokens, tell, mails, eventually):
    """With the token in its place."""
    tell("users", "password_reset_requested", reset_id=RESET)
    (mail,) = eventually(mails)
    assert f"https://shop.example/password#{TOKEN}" in mail.get_content().splitlines()


def test_nobody_is_told_of_nobodys_address(tokens, tell, mails, sql, eventually):
    """The event without a user is passed over; what comes after it is told."""
    tell("users", "password_reset_requested", reset_id=RESET, user_id=None)
    tell("users", "password_changed")
    (mail,) = eventually(mails)
    assert "changed" in mail["Subject"]
    assert len(sql("SELECT 1 FROM notifications WHERE reset_id IS NOT NULL")) == 0


def test_a_request_that_is_over_is_not_mailed(
    tokens, tell, mails, notifications, status, eventually
):
    """Skipped: its token would not hold."""
    tell("users", "password_reset_requested", reset_id=str(uuid.UUID(int=8)))
    (item,) = eventually(lambda: notifications.list(user_id=ANN)["items"])
    eventually(lambda: status(item) == "skipped")
    assert mails() == []
