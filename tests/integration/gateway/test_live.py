"""The stream of notifications: as they happen, in order, none lost, and within bounds."""

import random
import time
import uuid

import eventlet
import pytest


def subjects(events):
    return [event.data["subject"] for event in events]


def test_a_notification_arrives_as_it_happens(door, user):
    """With its place in the feed as id, and what is needed to show it; other people's does not."""
    door = door(catch_up_seconds=60)
    stream = door.listen(user)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    (ready,) = stream.events(1)
    assert (ready.event, ready.id) == ("ready", 0)
    door.notify(uuid.uuid4(), "Not for you")
    began = time.monotonic()
    door.notify(user, "Hello")
    (event,) = stream.events(1)
    assert time.monotonic() - began < 10  # and not when it looks for what was missed
    assert (event.event, event.id) == ("notification", 1)
    assert event.data["subject"] == "Hello"
    assert event.data["user_id"] == str(user)
    assert event.data["order_id"] is None
    assert set(event.data) == {
        "id", "user_id", "order_id", "channel", "subject", "body", "status", "failure_code", "read",
        "created_at",
    }  # fmt: skip


def test_nothing_is_lost_over_reconnections(door, user):
    """Cut off again and again while notifications come: every one once, and in order."""
    door = door(catch_up_seconds=1)
    total, seen = 60, []
    chance = random.Random(7)
    door.listen(user).close()

    def write():
        for number in range(total):
            door.notify(user, str(number))
            eventlet.sleep(chance.uniform(0, 0.03))

    writer = eventlet.spawn(write)
    last_id, connections = 0, 0
    while len(seen) < total:
        stream = door.listen(user, last_id)
        connections += 1
        (ready,) = stream.events(1)
        assert ready.id == last_id
        wanted = min(total - len(seen), chance.randint(1, 8))
        seen += stream.events(wanted)
        last_id = stream.last_id
        stream.close()
    writer.wait()
    assert subjects(seen) == [str(number) for number in range(total)]
    assert [event.id for event in seen] == list(range(1, total + 1))
    assert connections > 5


def test_rivals_do_not_hide_each_other(door, user):
    """Written by many at once, with a reader in between: positions appear in their order."""
    door = door(catch_up_seconds=1)
    stream = door.listen(user, 0)
    writers = [eventlet.spawn(door.notify, user, str(number)) for number in range(40)]
    events = stream.events(41)[1:]
    for writer in writers:
        writer.wait()
    assert [event.id for event in events] == list(range(1, 41))
    assert sorted(map(int, subjects(events))) == list(range(40))


def test_without_an_id_the_stream_begins_now(door, user):
    """What was before is in the list; an id that was never given begins now, too."""
    door = door()
    door.notify(user, "old")
    for last_id in (None, "", 999):
        stream = door.listen(user, last_id)
        assert stream.events(1)[0].id == 1
        stream.close()
    stream = door.listen(user)
    stream.events(1)
    door.notify(user, "new")
    assert subjects(stream.events(1)) == ["new"]


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "9" * 19])
def test_an_id_that_we_never_gave_is_refused(door, user, last_id):
    """By its form, before anything is asked."""
    assert door().listen(user, last_id).status == 422


def test_a_lost_broadcast_is_made_up_for(door, user, monkeypatch):
    """Broadcasts are hints; the feed is the truth."""
    monkeypatch.setattr("chassis.events.broadcast.Broadcast._send", lambda *args: None)
    door = door(catch_up_seconds=0.2)
    stream = door.listen(user)
    stream.events(1)
    door.notify(user, "Hello")
    assert subjects(stream.events(1)) == ["Hello"]


def test_many_come_in_pages(door, user):
    """A client that was away for long gets all, in pieces of bounded size."""
    door = door()
    for number in range(230):
        door.notify(user, str(number))
    stream = door.listen(user, 5)
    events = stream.events(226)[1:]
    assert [event.id for event in events] == list(range(6, 231))


def test_an_idle_stream_is_kept_alive(door, user):
    """By comments, which clients do not notice."""
    stream = door(heartbeat_seconds=0.2).listen(user)
    blocks = stream.blocks()
    assert next(blocks).event == "ready"
    began = time.monotonic()
    assert all(next(blocks).comment for _ in range(3))
    assert 0.4 < time.monotonic() - began < 10  # and not every 15 s


def test_a_stream_ends_with_its_token(door, user, clock):
    """Its last event tells why; nothing is sent after that."""
    door = door(heartbeat_seconds=0.2)
    stream = door.listen(user, seconds=30)
    stream.events(1)
    clock.advance(seconds=31)
    (end, *rest) = stream.events(5)
    assert (end.event, end.data, rest) == ("end", {"reason": "token_expired"}, [])
    assert stream.file.read() == b""
    door.notify(user, "Later")
    again = door.listen(user, stream.last_id)
    assert subjects(again.events(2)[1:]) == ["Later"]


def test_streams_are_bounded(door, user, eventually):
    """Of one user with 429, of all together with 503; one that was closed makes room at once."""
    door = door(max_streams=3, max_streams_of_user=2)
    first, _ = door.listen(user), door.listen(user)
    refused = door.listen(user)
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    door.listen(uuid.uuid4())
    refused = door.listen(uuid.uuid4())
    assert (refused.status, refused.headers["retry-after"]) == (503, "10")
    first.close()
    eventually(lambda: door.listen(user).status == 200)


def test_a_client_that_does_not_read_is_cut_off(door, user, eventually):
    """It holds no memory of ours for long, delays nobody, and comes back for the rest."""
    door = door(web={"write_seconds": 0.5}, catch_up_seconds=0.5)
    slow = door.listen(user, 0, buffer=4096)
    quick = door.listen(user, 0)
    server = next(iter(door.container.entrypoints)).server
    reading = eventlet.spawn(quick.events, 121)
    for number in range(120):
        door.notify(user, str(number), "x" * 5000)
    assert subjects(reading.wait()[1:]) == [str(number) for number in range(120)]
    eventually(lambda: len(server.streams) == 1)
    seen = []
    try:
        while events := slow.events(1):
            seen += events
    except (OSError, ValueError):  # in the middle of one
        pass
    assert len(seen) < 121
    again = door.listen(user, slow.last_id)
    rest = again.events(121 - len(seen) + 1)[1:]
    assert subjects(seen[1:] + rest) == [str(number) for number in range(120)]


def test_a_head_request_opens_no_stream(door, user):
    """It tells what GET would, and ends."""
    door = door()
    stream = door.listen(user, method="HEAD")
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert door.container.entrypoints
    assert not next(iter(door.container.entrypoints)).server.streams


def test_a_stop_ends_the_streams(door, user):
    """At once, with a word of why; the client comes back to another gateway."""
    door = door()
    streams = [door.listen(user) for _ in range(5)]
    for stream in streams:
        stream.events(1)
    began = time.monotonic()
    stopping = eventlet.spawn(door.container.stop)
    for stream in streams:
        (end,) = stream.events(2)
        assert (end.event, end.data) == ("end", {"reason": "stopping"})
    stopping.wait()
    assert time.monotonic() - began < 10
