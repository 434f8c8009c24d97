"""Changing passwords and renewing hashes, over RPC on a real database."""

import eventlet
import pytest
from argon2 import PasswordHasher

from chassis.errors import Invalid, NotFound, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD

NEW = "staple battery"
HASH = "SELECT password_hash FROM users"


@pytest.fixture
def tokens(users, anna):
    """The answer to Anna's login."""
    return users.login(email="anna@example.com", password=PASSWORD)


def change(users, user_id, current=PASSWORD, new=NEW):
    return users.change_password(user_id=user_id, current_password=current, new_password=new)


def test_a_changed_password_ends_all_sessions(users, anna, tokens):
    """The new one opens, the old one does not, and every device has to sign in again."""
    phone = users.login(username="anna", password=PASSWORD)

    assert len(change(users, anna["id"])["ended"]) == 2

    for pair in (tokens, phone):
        with pytest.raises(Unauthenticated):
            users.refresh(refresh_token=pair["refresh_token"])
    with pytest.raises(Unauthenticated):
        users.login(username="anna", password=PASSWORD)
    assert users.refresh(refresh_token=users.login(username="anna", password=NEW)["refresh_token"])


def test_a_password_is_not_changed_without_the_present_one(users, anna, tokens):
    """A stolen access token is not enough, and nothing ends."""
    with pytest.raises(Invalid) as caught:
        change(users, anna["id"], current="wrong horse")

    assert set(caught.value.data["errors"]) == {"current_password"}
    assert users.refresh(refresh_token=tokens["refresh_token"])


@pytest.mark.parametrize("new", ["short", "password", "aaaaaaaaaaaa", "anna@example.com"])
def test_a_new_password_is_no_weaker_than_the_first(users, anna, new):
    """The rules of sign-up hold."""
    with pytest.raises(Invalid) as caught:
        change(users, anna["id"], new=new)

    assert set(caught.value.data["errors"]) == {"new_password"}


def test_nobodys_password(users):
    """Who is not there has none."""
    with pytest.raises(NotFound):
        change(users, people.UNKNOWN)


def test_two_changes_at_once_are_one(users, anna):
    """Both prove the same present password; the second finds that it is not that any more."""

    def attempt(new):
        try:
            change(users, anna["id"], new=new)
        except Invalid:
            return None
        return new

    threads = [eventlet.spawn(attempt, new) for new in (NEW, "another staple")]
    (winner,) = [new for new in (thread.wait() for thread in threads) if new]

    assert users.login(username="anna", password=winner)


def test_a_login_renews_an_old_hash(users, service, anna):
    """A hash of other parameters becomes one of today's; two logins at once both succeed."""
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    people.rows(service, "UPDATE users SET password_hash = :old RETURNING 1", old=old)

    logins = [eventlet.spawn(users.login, username="anna", password=PASSWORD) for _ in range(2)]
    for login in logins:
        assert login.wait()

    ((renewed,),) = people.rows(service, HASH)
    assert "m=19456,t=2,p=1" in renewed
    users.login(username="anna", password=PASSWORD)
    assert people.rows(service, HASH) == [(renewed,)]


def test_a_wrong_password_renews_nothing(users, service, anna):
    """Only who knows the password can have it hashed again."""
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    people.rows(service, "UPDATE users SET password_hash = :old RETURNING 1", old=old)

    with pytest.raises(Unauthenticated):
        users.login(username="anna", password="wrong horse")

    assert people.rows(service, HASH) == [(old,)]
