"""Thousands of streams, each of somebody else, beside requests."""

import resource
import time
import uuid

import eventlet
import requests

#: Streams that idle, of as many users.
MANY = 2000


def rate(door, user, seconds):
    """Requests in a second of our processor time; none may wait for long."""
    headers = {"Authorization": f"Bearer {door.token(user)}"}
    session = requests.Session()
    count, until, began = 0, time.monotonic() + seconds, time.process_time()
    while time.monotonic() < until:
        url = f"http://{door.address}/api/notifications"
        answer = session.get(url, headers=headers, timeout=10)
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() < 2
        count += 1
    return count / (time.process_time() - began)


def test_thousands_of_idle_streams_do_not_hurt_requests(door, user):
    """At least 80 % of the rate is left, through heartbeats and looks for what was missed; and
    news still arrive at once."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    door = door()
    rate(door, user, 0.5)
    before = rate(door, user, 3)
    users = [uuid.uuid4() for _ in range(MANY)]
    pool = eventlet.GreenPool(20)
    streams = list(pool.imap(door.listen, users))
    assert {stream.status for stream in streams} == {200}
    during = rate(door, user, 16)  # a heartbeat of each
    assert during >= 0.8 * before
    for number in (0, MANY // 2, MANY - 1):
        began = time.monotonic()
        door.notify(users[number], "Hello")
        assert streams[number].events(2)[1].data["subject"] == "Hello"
        assert time.monotonic() - began < 2
