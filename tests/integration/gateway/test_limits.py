"""Whose rate limits a request counts for."""

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
