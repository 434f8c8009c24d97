"""Feeds as they grow: positions, and what came after one."""

import uuid

import eventlet
import orjson
import pytest
import sqlalchemy as sa
from alembic import command

from chassis import config as configuration
from chassis.errors import Invalid
from chassis.events.broadcast import Broadcast
from notifications.feed.stream import WATCHED
from tests.integration.notifications.conftest import ANN, BOB
from tests.support import earlier_installation, until_rival_waits


@pytest.fixture
def write(notifications):
    """`write(user, "text")`: something new in a feed."""

    def send(user_id, subject, channel="in_app"):
        notifications.send(user_id=user_id, channel=channel, subject=subject, body="...", key=None)

    return send


def test_what_came_after_a_position_is_told_in_order(notifications, write):
    """Of that user and of the feed alone, in pages, with the position to go on from."""
    for number in range(5):
        write(ANN, str(number))
        write(BOB, "other")
    write(ANN, "a mail", "email")
    first = notifications.since(user_id=ANN, after=1, limit=2)
    assert [(i["position"], i["subject"]) for i in first["items"]] == [(2, "1"), (3, "2")]
    assert first["reached"] == 3
    rest = notifications.since(user_id=ANN, after=3, limit=100)
    assert [item["subject"] for item in rest["items"]] == ["3", "4"]
    assert rest["reached"] == 5


@pytest.mark.parametrize("after", [None, 2, 999])
def test_at_the_end_nothing_is_there_yet(notifications, write, after):
    """Nor beyond it, where a restored backup may have left somebody."""
    write(ANN, "a")
    write(ANN, "b")
    assert notifications.since(user_id=ANN, after=after) == {"items": [], "reached": 2}


def test_a_feed_without_anything_is_at_its_start(notifications):
    """Also for a user of whom nothing is known."""
    assert notifications.since(user_id=str(uuid.uuid4()), after=0) == {"items": [], "reached": 0}


def test_repeated_news_leave_a_gap_and_nothing_is_lost(notifications, tell, write, eventually):
    """The second delivery of an event tells nothing; what comes after it is found."""
    event_id = uuid.uuid4()
    for _ in range(2):
        tell("orders", "order_placed", event_id=event_id)
        eventually(lambda: notifications.since(user_id=ANN, after=0)["items"])
    write(ANN, "after")
    found = notifications.since(user_id=ANN, after=0)
    assert len(found["items"]) == 2
    assert found["items"][0]["order_id"] is not None
    assert found["items"][1]["subject"] == "after"
    assert found["reached"] == found["items"][1]["position"]


def test_many_feeds_are_asked_for_at_once(notifications, write):
    """Bounded; empty ones are left out."""
    write(ANN, "a")
    write(BOB, "a")
    write(BOB, "b")
    asked = [ANN, BOB, str(uuid.uuid4())]
    found = {
        row["user_id"]: row["last"] for row in notifications.positions(user_ids=asked)["items"]
    }
    assert found == {ANN: 1, BOB: 2}
    with pytest.raises(Invalid):
        notifications.positions(user_ids=[ANN] * 501)


def test_a_position_shows_only_when_all_before_it_do(notifications, write, sql, config):
    """A writer waits for the one before it on the same feed, so a reader never passes one by."""
    write(ANN, "first")
    engine = sa.create_engine(configuration.database_url(config, "notifications"))
    with engine.begin() as other:
        other.execute(sa.text("UPDATE feeds SET last = last + 1 WHERE user_id = :u"), {"u": ANN})
        later = eventlet.spawn(write, ANN, "later")
        write(BOB, "does not wait")
        until_rival_waits(other)
        assert notifications.since(user_id=ANN, after=0)["reached"] == 1
    later.wait()
    assert notifications.since(user_id=ANN, after=1)["reached"] == 3
    engine.dispose()


@pytest.fixture
def hints(monkeypatch):
    """`(user, entries in feeds)` of each hint that a feed has grown, when it was sent."""
    sent = []

    def note(sql):
        def send(provider, broadcast_type, body):
            there = sql("SELECT count(*) AS there FROM notifications WHERE channel = 'in_app'")
            sent.append((orjson.loads(body)["user_id"], there[0]["there"]))

        monkeypatch.setattr(Broadcast, "_send", send)
        return sent

    return note


def test_nobody_is_told_before_the_commit(notifications, write, tell, sql, hints, eventually):
    """Who asks at once must find what was told."""
    sent = hints(sql)
    notifications.since(user_id=ANN)
    write(ANN, "a")
    tell("orders", "order_placed")
    eventually(lambda: sent == [(ANN, 1), (ANN, 2)])


def test_only_who_watches_is_told(notifications, tell, sql, hints, clock, eventually):
    """From the question for the end of a feed on, and as long as it is asked how far it comes."""
    sent, last = hints(sql), str(uuid.UUID(int=9))

    def told(*user_ids):
        """Of these, who is told of something; a feed behind them that is watched is the last."""
        sent.clear()
        notifications.since(user_id=last)
        for user_id in (*user_ids, last):
            tell("orders", "order_placed", user_id=user_id)
        eventually(lambda: last in dict(sent))
        return [user for user, _ in sent[:-1]]

    assert told(ANN) == []
    notifications.since(user_id=ANN, after=0)
    assert told(ANN) == []
    notifications.since(user_id=ANN)
    assert told(ANN, BOB) == [ANN]
    clock.advance(seconds=WATCHED.total_seconds() * 0.6)
    notifications.positions(user_ids=[ANN, BOB])
    clock.advance(seconds=WATCHED.total_seconds() * 0.6)
    assert told(ANN, BOB) == [ANN, BOB]
    clock.advance(seconds=WATCHED.total_seconds() * 0.4)
    assert told(ANN, BOB) == []


def test_who_begins_to_watch_misses_nothing(notifications, config):
    """What is being written into the feed meanwhile is waited for."""
    engine = sa.create_engine(configuration.database_url(config, "notifications"))
    with engine.begin() as other:
        grow = "INSERT INTO feeds (user_id, last) VALUES (:u, 1)"
        other.execute(sa.text(grow), {"u": ANN})
        watcher = eventlet.spawn(notifications.since, user_id=ANN)
        until_rival_waits(other)
    assert watcher.wait()["reached"] == 1
    engine.dispose()


def test_what_was_there_before_gets_its_positions(servers):
    """The migration numbers each feed in the order in which it is listed."""
    with earlier_installation(servers, "notifications") as (engine, alembic):
        command.upgrade(alembic, "0001")
        row = sa.text(
            "INSERT INTO notifications (id, user_id, channel, subject, body, status, created_at,"
            " sent_at, claimed_until) VALUES (gen_random_uuid(), :user, :channel, :subject, '',"
            " 'sent', :at, :at, :at)"
        )
        with engine.begin() as connection:
            for user, channel, subject, day in (
                (ANN, "in_app", "second", 2),
                (ANN, "in_app", "first", 1),
                (ANN, "email", "mail", 1),
                (BOB, "in_app", "only", 3),
            ):
                at = f"2026-01-0{day}T00:00:00Z"
                values = {"user": user, "channel": channel, "subject": subject, "at": at}
                connection.execute(row, values)
        command.upgrade(alembic, "head")
        with engine.begin() as connection:
            found = connection.execute(sa.text("SELECT subject, position FROM notifications"))
            assert dict(map(tuple, found)) == {"first": 1, "second": 2, "only": 1, "mail": None}
            feeds = connection.execute(sa.text("SELECT user_id, last FROM feeds"))
            assert {str(user): last for user, last in feeds} == {ANN: 2, BOB: 1}
