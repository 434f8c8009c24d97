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
    """A customer with a confirmed address, as `people.SIGN_UP` says."""
    return users.create(**people.SIGN_UP, email_verified=True)


@pytest.fixture
def admin(users):
    """An admin, as the actor of a call."""
    user = users.create(
        email="admin@example.com", password="rule the shop", role="admin", email_verified=True
    )
    return {"user_id": user["id"], "role": "admin"}
