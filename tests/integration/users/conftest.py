"""Fixtures for the tests of `users`."""

import pytest

from tests.integration.users import people
from users.service import UsersService


@pytest.fixture
def service(start):
    """The running service's container."""
    (container,) = start(UsersService)
    return container


@pytest.fixture
def users(service, call):
    """`users.sign_up(...)`: RPC to the running service."""
    return call.users


@pytest.fixture
def anna(users):
    """A customer who has signed up, as `people.SIGN_UP` says."""
    return users.sign_up(**people.SIGN_UP)


@pytest.fixture
def admin(users):
    """An admin, as the actor of a call."""
    user = users.create(email="admin@example.com", password="rule the shop", role="admin")
    return {"user_id": user["id"], "role": "admin"}
