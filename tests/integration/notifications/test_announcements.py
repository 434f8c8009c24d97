"""Events become notifications: one mail and one line in the feed each."""

import random
import uuid
from collections import Counter

import eventlet
import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.database import statement_by_statement
from notifications.feed import store
from tests.integration.notifications.conftest import ANN
from tests.support import run_timer

ORDER = str(uuid.UUID(int=3))

EVENTS = [
    ("users", "user_registered", "Welcome"),
    ("users", "password_changed", "changed"),
    ("orders", "order_placed", "Thank you for your order"),
    ("orders", "order_paid", "preparing"),
    ("orders", "fulfilment_shipped", "on its way"),
    ("orders", "fulfilment_delivered", "delivered"),
    ("orders", "order_cancelled", "cancelled"),
    ("orders", "order_items_cancelled", "cancelled"),
    ("payments", "payment_succeeded", "received your payment"),
    ("payments", "payment_failed", "did not go through"),
    ("payments", "payment_refunded", "refund"),
]


@pytest.mark.parametrize(("source", "event_type", "words"), EVENTS)
def test_each_event_is_told_by_mail_and_in_the_feed(
    tell, notifications, mails, eventually, source, event_type, words
):
    """The mail goes to the user's address, the feed shows both, and of an order it is known which
    mails about it have left."""
    tell(source, event_type)
    (mail,) = eventually(mails)
    assert mail["To"] == "ann@example.org"
    assert words in mail["Subject"]

    def by_channel():
        return {item["channel"]: item for item in notifications.list(user_id=ANN)["items"]}

    feed = eventually(lambda: by_channel() if by_channel()["email"]["status"] == "sent" else None)
    assert set(feed) == {"email", "in_app"}
    assert feed["in_app"]["status"] == "sent"
    assert {item["subject"] for item in feed.values()} == {mail["Subject"]}
    about = notifications.sent_about(order_id="1a2b3c4d-0000-4000-8000-000000000000")["items"]
    assert [(one["notification_id"], one["channel"]) for one in about] == (
        [] if source == "users" else [(feed["email"]["id"], "email")]
    )


@pytest.mark.parametrize("event_type", ["payment_succeeded", "payment_failed", "payment_refunded"])
@pytest.mark.parametrize("number", ["S-102-748-399", None])
def test_payments_name_the_order_by_its_number(tell, mails, eventually, event_type, number):
    """Those of an earlier release, which tell none, by the beginning of its id."""
    tell("payments", event_type, **({"order_number": number} if number else {}))
    (mail,) = eventually(mails)
    assert f"order {number or '1A2B3C4D'}" in mail["Subject"]
    assert f"order {number or '1A2B3C4D'}" in mail.get_content()


def test_an_event_that_comes_twice_makes_one_mail(by_hand, service, tell, mails, sql, eventually):
    """At once, and when the first is long done: one mail, one line in the feed."""
    event_id, written = uuid.uuid4(), "SELECT channel, status FROM notifications WHERE order_id"
    for behind in (str(uuid.uuid4()), str(uuid.uuid4())):
        for _ in range(5):
            tell("orders", "order_placed", event_id, order_id=ORDER)
        tell("orders", "order_placed", order_id=behind)  # in the same queue
        eventually(lambda order=behind: sql(f"{written} = :id", id=order))
        run_timer(service, "deliver")
        rows = sql(f"{written} = :id ORDER BY channel", id=ORDER)
        assert [(row["channel"], row["status"]) for row in rows] == [
            ("email", "sent"),
            ("in_app", "sent"),
        ]
    assert len(mails()) == 3


NOW = utcnow()


def rows_about(event_id, user_id, subject=""):
    """An announcement, on both channels."""
    row = {
        "event_id": event_id, "user_id": user_id, "subject": subject, "body": "", "cause": {},
        "is_security": False, "created_at": NOW, "claimed_until": NOW,
    }  # fmt: skip
    yield row | {"id": uuid.uuid4(), "channel": "email", "status": "pending"}
    yield row | {"id": uuid.uuid4(), "channel": "in_app", "status": "sent", "sent_at": NOW}


@pytest.fixture
def write_once(service, config):
    """`write_once(rows)`, as one of several instances."""
    url = configuration.database_url(config, "notifications")
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)

    def write(rows):
        with statement_by_statement(engine) as connection:
            return store.write_once(connection, "notifications.announce", rows, NOW)

    yield write
    engine.dispose()


def test_instances_with_the_same_events_tell_each_once(write_once, sql):
    """Ten at once with the same events of the same users, each in an order of its own: none waits
    in a circle, and feeds have no gaps."""
    users = [uuid.UUID(int=number) for number in range(1, 8)]
    events = {uuid.uuid4(): users[number % len(users)] for number in range(60)}

    def instance(seed):
        order = random.Random(seed).sample(sorted(events), 60)
        for start in range(0, 60, 15):
            batch = order[start : start + 15]
            write_once([row for one in batch for row in rows_about(one, events[one])])

    for _ in eventlet.GreenPool(10).imap(instance, range(10)):
        pass
    written = sql("SELECT event_id, user_id, position FROM notifications")
    assert Counter(one["event_id"] for one in written) == dict.fromkeys(events, 2)
    for user_id in users:
        places = {one["position"] for one in written if one["user_id"] == user_id} - {None}
        assert places == set(range(1, list(events.values()).count(user_id) + 1))


def test_a_batch_is_told_in_its_order(write_once, notifications):
    """Of users in turn, behind what is there already; an event that is in it twice is told once."""
    bob, repeated = uuid.UUID(int=2), uuid.uuid4()
    write_once(rows_about(uuid.uuid4(), uuid.UUID(ANN), "before"))
    batch = [(uuid.uuid4(), ANN, "a"), (uuid.uuid4(), bob, "b"), (repeated, ANN, "c")]
    batch += [(repeated, ANN, "c"), (uuid.uuid4(), ANN, "d")]
    write_once([row for about in batch for row in rows_about(*about)])
    for user_id, subjects in ((ANN, ["before", "a", "c", "d"]), (bob, ["b"])):
        found = notifications.since(user_id=user_id, after=0)
        assert [item["subject"] for item in found["items"]] == subjects


def test_two_events_are_two_mails(tell, mails, eventually):
    """The same order may well be told of twice."""
    tell("orders", "order_placed")
    tell("orders", "order_paid")
    eventually(lambda: len(mails()) == 2)


@pytest.mark.parametrize("changes", [{"user_id": "7"}, {"total": "lots"}, {"currency": None}])
def test_an_event_without_sense_is_told_to_nobody(tell, sql, parked, eventually, changes):
    """It is parked, and the next one goes through."""
    tell("orders", "order_placed", **changes)
    eventually(lambda: parked("notifications") == 1)
    assert sql("SELECT 1 FROM notifications") == []
    tell("orders", "order_placed")
    eventually(lambda: len(sql("SELECT 1 FROM notifications")) == 2)


def test_no_address_is_stored_or_told(tell, send, sql, mails, eventually):
    """Addresses are in the mail and nowhere else."""
    tell("orders", "order_placed")
    send(channel="sms")
    eventually(lambda: len(sql("SELECT 1 FROM notifications WHERE status = 'sent'")) == 3)
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    stored = "".join(str(sql(f"SELECT * FROM {table['tablename']}")) for table in tables)
    assert "1A2B3C4D" in stored
    assert "example.org" not in stored
    assert "1234" not in stored.replace("1299", "")


def test_a_parcel_that_is_packed_again_is_no_mail(tell, notifications, mails, eventually):
    """The feed has it; the mail about what leaves in the end is enough."""
    tell("orders", "fulfilment_cancelled")
    (seen,) = eventually(lambda: notifications.list(user_id=ANN)["items"])
    assert (seen["channel"], seen["subject"]) == (
        "in_app",
        "A parcel of your order S-102-748-399 is packed again",
    )
    tell("orders", "fulfilment_shipped")
    (mail,) = eventually(mails)
    assert "on its way" in mail["Subject"]
    assert "Tracking number: 00340434161094042557" in mail.get_content()


def test_each_parcel_is_one_mail(tell, notifications, mails, eventually):
    """Two parcels of one order are two, however often each is told."""
    parts = [(uuid.uuid4(), False), (uuid.uuid4(), True)]
    for event_id, is_last in [*parts, *parts]:
        tell("orders", "fulfilment_shipped", event_id, complete=is_last)
    eventually(lambda: len(mails()) == 2)
    tell("orders", "fulfilment_shipped", parts[0][0], complete=False)
    tell("users", "password_changed")  # in another queue, but sent by the same timer
    subjects = eventually(lambda: len(mails()) == 3 and [mail["Subject"] for mail in mails()])
    assert Counter("Part of" in subject for subject in subjects) == {True: 1, False: 2}
