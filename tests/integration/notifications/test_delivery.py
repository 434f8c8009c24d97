"""The way out: each message once, whatever goes wrong on the way."""

import eventlet
import pytest

from notifications.channels.files import MailFiles
from notifications.errors import NotNow
from notifications.mail import leases
from notifications.service import NotificationsService
from tests.integration import events
from tests.integration.notifications.conftest import ANN, BOB, Users
from tests.support import run_timer


def test_a_text_message_goes_to_the_phone(send, status, outbox, eventually):
    """SMS: the number and the text, in a file of their own."""
    message = send(channel="sms")
    assert message["status"] == "pending"
    eventually(lambda: status(message) == "sent")
    text = (outbox / f"{message['id']}.sms.txt").read_text()
    assert text.startswith("To: +49 30 1234\n")
    assert "How are you?" in text


def test_the_feed_needs_no_delivery(by_hand, service, send, sql, outbox):
    """What is written in the feed has arrived: the round that sends a message leaves it alone."""
    assert send(channel="in_app")["status"] == "sent"
    send(channel="sms")
    run_timer(service, "deliver")
    assert len(list(outbox.iterdir())) == 1
    tried = sql("SELECT channel FROM notifications WHERE attempts > 0")
    assert tried == [{"channel": "sms"}]


def test_a_user_without_a_phone_gets_no_text_message(send, status, outbox, eventually):
    """Skipped, not tried for ever."""
    message = send(channel="sms", user_id=BOB)
    eventually(lambda: status(message) == "skipped")
    assert not outbox.exists()


@pytest.fixture
def broken_channel(monkeypatch):
    """No mail can be written until `broken_channel.repair()`; `tries` counts."""

    real = MailFiles.deliver

    class Switch:
        tries = 0

        def repair(self):
            monkeypatch.setattr(MailFiles, "deliver", real)

    switch = Switch()

    def deliver(self, message):
        switch.tries += 1
        raise NotNow("not_writable")

    monkeypatch.setattr(MailFiles, "deliver", deliver)
    return switch


def test_the_address_is_asked_for_when_the_mail_goes(
    broken_channel, send, people, mails, clock, eventually
):
    """Who moves before the next try gets the mail at the new address."""
    send()
    eventually(lambda: broken_channel.tries)
    people[ANN]["email"] = "ann@new.example"
    broken_channel.repair()
    clock.advance(seconds=3)
    (mail,) = eventually(mails)
    assert mail["To"] == "ann@new.example"


def test_a_user_who_is_gone_gets_nothing(
    broken_channel, send, status, people, mails, clock, eventually
):
    """Deleted before the next try: skipped."""
    message = send()
    eventually(lambda: broken_channel.tries)
    people.clear()
    broken_channel.repair()
    clock.advance(seconds=3)
    eventually(lambda: status(message) == "skipped")
    assert mails() == []


def test_tries_are_spaced_and_bounded(by_hand, settings, broken_channel, start, users, clock, call):
    """Not at once again, and not for ever."""
    (service,) = start(NotificationsService, notifications=settings | {"max_attempts": 3})
    message = {"user_id": ANN, "channel": "email", "subject": "x", "body": "y"}
    call.notifications.send(**message)
    state = lambda: call.notifications.list(user_id=ANN)["items"][0]["status"]  # noqa: E731
    for tries in (1, 2, 3):
        assert state() == "pending"
        for _ in range(2):
            run_timer(service, "deliver")
            assert broken_channel.tries == tries
        clock.advance(minutes=15)
    assert state() == "failed"
    run_timer(service, "deliver")
    assert broken_channel.tries == 3


def test_users_away_only_delays(by_hand, start, people, settings, call, eventually, mails, config):
    """A mail waits for the users service to come back."""
    (users,) = start(Users)
    (service,) = start(NotificationsService, notifications=settings)
    users.stop()
    next(one for one in service.dependencies if one.attr_name == "users").timeout = 0.5
    events.publish(config["AMQP_URI"], "orders", "order_placed", events.of_order(ANN, user_id=ANN))
    inbox = lambda: call.notifications.list(user_id=ANN)["items"]  # noqa: E731
    eventually(lambda: len(inbox()) == 2)
    run_timer(service, "deliver")
    assert {item["channel"]: item["status"] for item in inbox()} == {
        "email": "pending",
        "in_app": "sent",
    }
    assert mails() == []
    start(Users)
    run_timer(service, "deliver")
    assert len(mails()) == 1


def test_a_death_between_writing_and_marking_doubles_no_mail(
    by_hand, service, send, status, mails, clock, monkeypatch
):
    """The mail was written, the note of it was not: after the claim it is written again, to the
    same file."""

    def die(*args, **kwargs):
        raise SystemError("the process ends here")

    message = send()
    with monkeypatch.context() as process:
        process.setattr(leases, "close", die)
        with pytest.raises(SystemError):
            run_timer(service, "deliver")
    assert len(mails()) == 1
    run_timer(service, "deliver")
    assert status(message) == "pending"  # still claimed
    clock.advance(minutes=2)
    run_timer(service, "deliver")
    assert status(message) == "sent"
    assert len(mails()) == 1


def test_one_that_kills_its_process_each_time_ends_too(by_hand, service, send, sql, status):
    """A message with which every try ended the process is given up, not tried for ever."""
    message = send()
    sql("UPDATE notifications SET attempts = 12")
    run_timer(service, "deliver")
    assert status(message) == "failed"
    assert sql("SELECT failure_code FROM notifications") == [{"failure_code": "too_many_attempts"}]


def test_several_instances_share_the_work(
    start, settings, send, sql, mails, eventually, monkeypatch
):
    """Thirty messages, three instances: each is delivered by one of them."""
    real, delivered = MailFiles.deliver, []

    def deliver(self, message):
        delivered.append(message.id)
        eventlet.sleep(0.01)
        real(self, message)

    monkeypatch.setattr(MailFiles, "deliver", deliver)
    start(NotificationsService, NotificationsService, notifications=settings)
    for number in range(30):
        send(subject=f"Hello {number}")
    sent = "SELECT 1 FROM notifications WHERE status = 'sent'"
    eventually(lambda: len(sql(sent)) == 30)
    assert len(delivered) == len(set(delivered)) == len(mails()) == 30


def test_no_transaction_is_open_while_a_mail_goes(send, sql, eventually, monkeypatch):
    """A slow mail server holds no lock and no connection."""
    seen, real = [], MailFiles.deliver

    def deliver(self, message):
        seen.append(
            sql(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'notifications' AND state LIKE 'idle in transaction%'"
            )
        )
        real(self, message)

    monkeypatch.setattr(MailFiles, "deliver", deliver)
    send()
    assert eventually(lambda: seen) == [[]]
