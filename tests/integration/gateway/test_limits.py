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


def test_webhooks_take_nothing_from_an_address(door):
    """Nor does an address that has had its writes keep a provider out; the webhooks' own limit
    does."""
    limits = {"default": 3, "writes": 1, "webhooks": 4}
    door = door(web={"rate_limits": {n: {"quota": q, "window": 3600} for n, q in limits.items()}})
    url = f"http://{door.address}/api/payments/webhooks/stripe"
    found = [requests.post(url, json={"id": "a"}, timeout=10).status_code for _ in range(5)]
    assert found == [422] * 4 + [429]
    assert statuses(door, None, None, None, None) == [401] * 3 + [429]
