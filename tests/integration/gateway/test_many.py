"""Thousands of streams, each of somebody else, beside requests."""

import resource
import time
import uuid

import eventlet
import requests

#: Streams that idle, of as many users.
MANY = 2000


def test_thousands_of_idle_streams_do_not_hurt_requests(door, user):
    """A heartbeat of each takes less than 3 s of a processor, a fifth of one at its usual 15 s;
    requests beside them are answered, and news still arrive at once."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    door = door(heartbeat_seconds=5)
    users = [uuid.uuid4() for _ in range(MANY)]
    pool = eventlet.GreenPool(20)
    streams = list(pool.imap(door.listen, users))
    assert {stream.status for stream in streams} == {200}
    spent = time.process_time()
    eventlet.sleep(5)  # a heartbeat of each
    assert time.process_time() - spent < 3
    session = requests.Session()
    headers = {"Authorization": f"Bearer {door.token(user)}"}
    for _ in range(100):
        url = f"http://{door.address}/api/notifications"
        answer = session.get(url, headers=headers, timeout=10)
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() < 2
    for number in (0, MANY // 2, MANY - 1):
        began = time.monotonic()
        door.notify(users[number], "Hello")
        assert streams[number].events(2)[1].data["subject"] == "Hello"
        assert time.monotonic() - began < 5
