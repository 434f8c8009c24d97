"""Addresses that are not confirmed, those that are to be, and those that were before."""

import uuid

import pytest

from tests.integration.notifications.conftest import ANN, Users

VERIFICATION, CHANGE = str(uuid.UUID(int=8)), str(uuid.UUID(int=9))
TOKEN = "a-token-that-confirms-an-address"


@pytest.fixture
def unverified(people, monkeypatch):
    """Ann's address, and the answer of `users` about it, before she has confirmed it."""
    people[ANN] |= {"email": None, "email_verified": False}
    answer = {"token": TOKEN, "email": "ann@example.org"}
    monkeypatch.setattr(Users, "verifications", {VERIFICATION: answer})


@pytest.fixture
def mail_of(notifications, eventually):
    """`mail_of("skipped")`: Ann's only e-mail, once it has that status."""

    def mail_of(status):
        items = notifications.list(user_id=ANN)["items"]
        mails = [item for item in items if item["channel"] == "email"]
        return mails[0] if [item["status"] for item in mails] == [status] else None

    return lambda status: eventually(lambda: mail_of(status))


@pytest.mark.parametrize(
    ("source", "event_type"),
    [("users", "user_registered"), ("users", "password_changed"), ("orders", "order_placed"),
     ("orders", "order_cancelled"), ("payments", "payment_failed")],
)  # fmt: skip
def test_an_address_that_is_not_confirmed_gets_nothing(
    unverified, tell, mails, notifications, mail_of, source, event_type
):
    """The feed has it, and says why the mail was not sent."""
    tell(source, event_type)
    assert mail_of("skipped")["failure_code"] == "email_unverified"
    assert mails() == []
    items = notifications.list(user_id=ANN)["items"]
    in_app = [item for item in items if item["channel"] == "in_app"]
    assert [(item["status"], item["failure_code"]) for item in in_app] == [("sent", None)]


def test_but_for_the_mail_that_has_it_confirmed(unverified, tell, mails, sql, caplog, eventually):
    """It goes to the address that the token is for; nothing but the mail has the token."""
    caplog.set_level("DEBUG")
    tell("users", "email_verification_requested", verification_id=VERIFICATION)
    (mail,) = eventually(mails)
    assert (mail["To"], mail["Subject"]) == ("ann@example.org", "Confirm your email address")
    assert TOKEN in mail.get_content().splitlines()
    sent = "SELECT channel, n::text AS everything FROM notifications n WHERE status = 'sent'"
    rows = eventually(lambda: sql(sent))
    assert [row["channel"] for row in rows] == ["email"]
    everything = str(rows) + caplog.text
    assert TOKEN not in everything
    assert "ann@example.org" not in everything


def test_a_new_address_is_confirmed_at_the_new_address(
    people, monkeypatch, tell, mails, eventually
):
    """Wherever the user's other mails go meanwhile."""
    answer = {"token": TOKEN, "email": "new@example.org"}
    monkeypatch.setattr(Users, "verifications", {VERIFICATION: answer})
    tell("users", "email_change_requested")
    tell("users", "email_verification_requested", verification_id=VERIFICATION)
    sent = eventually(lambda: len(mails()) == 2 and {mail["To"]: mail for mail in mails()})
    assert TOKEN in sent["new@example.org"].get_content()
    assert TOKEN not in sent["ann@example.org"].get_content()
    assert sent["ann@example.org"]["Subject"] == "Request to change your email address"


@pytest.fixture
def page(settings):
    """The shop has a page where one confirms an address."""
    settings["verification_link"] = "https://shop.example/confirm#{token}"


def test_the_mail_has_the_link_when_there_is_a_page(page, unverified, tell, mails, eventually):
    """With the token in its place."""
    tell("users", "email_verification_requested", verification_id=VERIFICATION)
    (mail,) = eventually(mails)
    assert f"https://shop.example/confirm#{TOKEN}" in mail.get_content().splitlines()


def test_a_request_that_is_over_is_not_mailed(unverified, tell, mails, mail_of):
    """It is confirmed, replaced or too old by now."""
    tell("users", "email_verification_requested", verification_id=str(uuid.UUID(int=10)))
    assert mail_of("skipped")["failure_code"] == "verification_over"
    assert mails() == []


def test_the_old_address_is_told_of_the_change(people, monkeypatch, tell, mails, eventually):
    """Whoever reads mails there learns of it, and the new address is in none of it."""
    monkeypatch.setattr(Users, "old_emails", {CHANGE: {"email": "old@example.org"}})
    tell("users", "email_changed", change_id=CHANGE)
    (mail,) = eventually(mails)
    assert (mail["To"], mail["Subject"]) == ("old@example.org", "Your email address was changed")
    assert "ann@example.org" not in mail.get_content()


def test_an_old_address_that_is_forgotten_is_not_told(people, tell, mails, mail_of):
    """Nor is the new one told instead."""
    tell("users", "email_changed", change_id=CHANGE)
    assert mail_of("skipped")["failure_code"] == "notice_over"
    assert mails() == []


def test_users_of_the_version_before(people, monkeypatch, tell, mails, eventually):
    """They tell neither whether an address is confirmed nor where a token goes: during an upgrade
    mails go as they did."""
    monkeypatch.setattr(Users, "tokens", {CHANGE: "old-token"})
    tell("users", "password_reset_requested", reset_id=CHANGE)
    tell("orders", "order_placed")
    assert eventually(lambda: len(mails()) == 2)


@pytest.mark.parametrize(
    ("event", "facts", "subject", "words"),
    [
        ("totp_enabled", {}, "Sign-in codes are turned on", "authenticator app"),
        ("totp_disabled", {}, "Sign-in codes are turned off", "password alone"),
        ("recovery_code_used", {"left": 9}, "A recovery code was used", "9 recovery codes left"),
        ("recovery_codes_renewed", {}, "You have new recovery codes", "no longer work"),
    ],
)
def test_the_owner_is_told_of_the_second_factor(
    people, tell, mails, eventually, event, facts, subject, words
):
    """In the feed and by mail, with what to do if it was somebody else."""
    tell("users", event, **facts)
    (mail,) = eventually(mails)
    assert mail["Subject"] == subject
    assert words in " ".join(mail.get_content().split())
    assert "If this wasn't you" in mail.get_content()
