"""How many messages one address gets."""

import datetime
import itertools
import uuid

import eventlet
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.database import statement_by_statement
from notifications.mail import leases, recipients
from notifications.mail.recipients import Limit
from tests.integration.notifications.conftest import ANN, BOB, Users

RESET = str(uuid.UUID(int=7))


@pytest.fixture
def settings(settings):
    """Three messages an hour and five a day; two and three about security."""
    return settings | {
        "mails_per_hour": 3, "mails_per_day": 5,
        "security_mails_per_hour": 2, "security_mails_per_day": 3,
    }  # fmt: skip


@pytest.fixture
def states(notifications, eventually):
    """`states(n)`: how often each (status, why) is in Ann's mails, once n of them are over."""

    def over(count, user_id):
        items = notifications.list(user_id=user_id, limit=100)["items"]
        mails = [(one["status"], one["failure_code"]) for one in items if one["channel"] == "email"]
        done = [mail for mail in mails if mail[0] != "pending"]
        return {mail: done.count(mail) for mail in done} if len(done) >= count else None

    return lambda count, user_id=ANN: eventually(lambda: over(count, user_id))


TOO_MANY = ("suppressed", "recipient_limit")


def test_an_address_gets_so_many_an_hour_and_a_day(tell, mails, states, clock):
    """What is more is shown in the feed and not sent, and an hour later there is room again until
    the day's are used up."""
    for _ in range(5):
        tell("orders", "order_placed")
    assert states(5) == {("sent", None): 3, TOO_MANY: 2}
    assert len(mails()) == 3
    clock.advance(hours=1)
    for _ in range(4):
        tell("orders", "order_cancelled")
    assert states(9) == {("sent", None): 5, TOO_MANY: 4}
    clock.advance(hours=1)
    tell("orders", "order_placed")
    assert states(10) == {("sent", None): 5, TOO_MANY: 5}
    clock.advance(hours=22)
    tell("orders", "order_placed")
    assert states(11) == {("sent", None): 6, TOO_MANY: 5}
    assert len(mails()) == 6


def test_the_feed_is_complete(tell, states, notifications):
    """Whatever became of the mails."""
    for _ in range(5):
        tell("orders", "order_placed")
    states(5)
    items = notifications.list(user_id=ANN, limit=100)["items"]
    assert [one["status"] for one in items if one["channel"] == "in_app"] == ["sent"] * 5


def test_an_address_is_one_whoever_has_it(tell, people, mails, states):
    """Two accounts, another case, and what some providers ignore: it is the same box."""
    people[BOB]["email"] = "ANN+shop@Example.ORG"
    for user_id in (ANN, BOB) * 3:
        tell("orders", "order_placed", user_id=user_id)
    states(3), states(3, BOB)
    assert len(mails()) == 3


def test_messages_about_security_have_their_own_bound(tell, people, mails, states, monkeypatch):
    """Orders do not use it up, nor it theirs."""
    monkeypatch.setattr(Users, "tokens", {RESET: "token"})
    for _ in range(4):
        tell("orders", "order_placed")
    assert states(4) == {("sent", None): 3, TOO_MANY: 1}
    for event in ("password_changed", "password_reset_requested", "email_change_requested"):
        tell("users", event, reset_id=RESET)
    assert states(7) == {("sent", None): 5, TOO_MANY: 2}
    assert len(mails()) == 5


def test_what_staff_sends_counts_as_well(send, states, mails):
    """By mail and by text message, each for itself."""
    for _ in range(4):
        send()
        send(channel="sms")
    assert states(4) == {("sent", None): 3, TOO_MANY: 1}
    assert len(mails()) == 3


def test_no_address_is_kept(tell, states, sql):
    """Only what it comes to."""
    tell("orders", "order_placed")
    states(1)
    rows = sql("SELECT encode(key, 'escape') AS key, r::text AS everything FROM recipients r")
    assert len(rows) == 1
    assert "ann" not in str(rows)


def claimed(connection, count):
    """Messages in the database, as they are claimed."""
    now = utcnow()
    for number in range(count):
        connection.execute(
            sa.text(
                "INSERT INTO notifications"
                " (id, user_id, channel, subject, body, status, created_at, claimed_until)"
                " VALUES (:id, :user, 'email', :subject, '', 'pending', :now, :now)"
            ),
            {"id": uuid.uuid4(), "user": ANN, "subject": f"m{number}", "now": now},
        )
    return leases.take(connection, now, count)


@pytest.fixture
def engine(service):
    url = configuration.database_url(service.config, "notifications")
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    yield engine
    engine.dispose()


def test_the_bound_is_exact_whoever_counts(engine, notifications):
    """Ten at once, each with messages of its own to the same two addresses."""
    limits = {False: Limit(per_hour=7, per_day=100), True: Limit(1, 1)}
    now = utcnow()
    with engine.begin() as connection:
        batches = [claimed(connection, 3) for _ in range(10)]
        connection.execute(sa.text("UPDATE notifications SET status = 'skipped'"))

    def count(numbered):
        number, batch = numbered
        boxes = ["a@example.org", "b@example.org"][:: 1 if number % 2 else -1]
        wanted = [(message, boxes[i % 2]) for i, message in enumerate(batch)]
        with statement_by_statement(engine) as connection:
            refused = recipients.admit(connection, wanted, limits, now)
            return [address for message, address in wanted if message.id not in refused]

    answers = eventlet.GreenPool(10).imap(count, enumerate(batches))
    admitted = list(itertools.chain.from_iterable(answers))
    assert (admitted.count("a@example.org"), admitted.count("b@example.org")) == (7, 7)


def test_a_repeat_is_not_counted_again(engine, notifications):
    """One that was counted and is claimed anew goes whatever others got meanwhile."""
    limits = {False: Limit(per_hour=1, per_day=1), True: Limit(1, 1)}
    now = utcnow()
    with engine.begin() as connection:
        first, second = claimed(connection, 2)
        asked = [(first, "a@example.org"), (second, "a@example.org")]
        assert recipients.admit(connection, asked, limits, now) == {second.id}
        later = now + leases.CLAIM + datetime.timedelta(seconds=1)
        connection.execute(sa.text("UPDATE notifications SET failure_code = NULL"))
        again = {one.id: one for one in leases.take(connection, later, 10)}
        assert (again[first.id].is_counted, again[second.id].is_counted) == (True, False)
        asked = [(again[first.id], "a@example.org")]
        assert recipients.admit(connection, asked, limits, later) == set()
        connection.rollback()


def test_who_had_nothing_for_a_day_is_forgotten(engine, tell, states):
    """The table does not grow for ever."""
    tell("orders", "order_placed")
    states(1)
    with Session(engine) as session, session.begin():
        recipients.purge(session, utcnow())
        assert session.scalar(sa.text("SELECT count(*) FROM recipients")) == 1
        recipients.purge(session, utcnow() + recipients.DAY)
        assert session.scalar(sa.text("SELECT count(*) FROM recipients")) == 0
