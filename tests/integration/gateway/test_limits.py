"""Whose rate limits a request counts for."""

import socket
import uuid

import requests


def statuses(door, *tokens):
    """The statuses of one request with each token."""
    found = []
    for token in tokens:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://{door.address}/api/notifications"
        found.append(requests.get(url, headers=headers, timeout=10).status_code)
    return found


def test_users_at_one_address_have_limits_of_their_own(door, user):
    """By who they are, not by their token: a new one brings no new quota."""
    door = door(web={"rate_limits": {"default": {"quota": 2, "window": 3600}}})
    assert statuses(door, door.token(user), door.token(user), door.token(user)) == [200, 200, 429]
    assert statuses(door, door.token(uuid.uuid4())) == [200]


def test_a_token_that_does_not_hold_counts_for_the_address(door, user):
    """However many somebody makes up."""
    door = door(web={"rate_limits": {"default": {"quota": 3, "window": 3600}}})
    forged = [f"{door.token(uuid.uuid4())[:-8]}AAAAAAAA" for _ in range(2)]
    expired = door.token(user, seconds=-60)
    assert statuses(door, *forged, expired, None) == [401, 401, 401, 429]
    assert statuses(door, door.token(user)) == [200]


def test_the_token_of_an_ended_session_counts_for_the_address(door, user):
    """Or whoever has stolen it could still use up what its owner may do."""
    door = door(web={"rate_limits": {"default": {"quota": 2, "window": 3600}}})
    stolen = uuid.uuid4()
    door.end_session(stolen)
    token = door.token(user, session_id=stolen)
    assert statuses(door, token, token, token) == [401, 401, 429]
    assert statuses(door, door.token(user, session_id=uuid.uuid4())) == [200]


def test_no_body_is_read_for_an_ended_session(door, user):
    """It is refused by its head, like one without a token: it never comes to the body's end."""
    door = door(web={"body_seconds": 3600})
    ended = uuid.uuid4()
    door.end_session(ended)
    host, _, port = door.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        head = "POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer "
        client.sendall(f"{head}{door.token(user, session_id=ended)}\r\n\r\n{{".encode())
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"session_ended"' in answer


def test_webhooks_take_nothing_from_an_address(door):
    """Nor does an address that has had its writes keep a provider out; the webhooks' own limit
    does."""
    limits = {"default": 3, "writes": 1, "webhooks": 4}
    door = door(web={"rate_limits": {n: {"quota": q, "window": 3600} for n, q in limits.items()}})
    url = f"http://{door.address}/api/payments/webhooks/stripe"
    found = [requests.post(url, json={"id": "a"}, timeout=10).status_code for _ in range(5)]
    assert found == [422] * 4 + [429]
    assert statuses(door, None, None, None, None) == [401] * 3 + [429]
