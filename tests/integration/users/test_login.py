"""Logging in, over RPC on a real database."""

import logging
import statistics
import time

import pytest

from chassis.errors import Invalid, Unauthenticated
from tests.integration.users.people import PASSWORD, SIGN_UP
from users.passwords.rules import PUBLIC
from users.service import UsersService


@pytest.mark.parametrize(
    "name",
    [{"email": "anna@example.com"}, {"email": " ANNA@Example.COM "}, {"username": "Anna"}],
    ids=repr,
)
def test_logging_in(users, anna, name):
    """By e-mail address or user name, in any case."""
    tokens = users.login(**name, password=PASSWORD)

    assert {"access_token", "refresh_token", "token_type", "expires_in"} == set(tokens)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert anna == users.verify_credentials(**name, password=PASSWORD)


def test_all_failures_look_the_same(users, anna, admin):
    """Unknown, wrong and deleted: one answer, which tells nobody who has an account."""
    gone = users.sign_up(email="gone@example.com", password=PASSWORD)
    users.delete(user_id=gone["id"], actor=admin)
    answers = set()
    for method in (users.login, users.verify_credentials):
        for name, password in [
            ({"email": "anna@example.com"}, "wrong horse"),
            ({"username": "anna"}, "x"),
            ({"email": "nobody@example.com"}, PASSWORD),
            ({"username": "anna@example.com"}, PASSWORD),
            ({"email": "gone@example.com"}, PASSWORD),
            ({"email": "no address"}, PASSWORD),
        ]:
            with pytest.raises(Unauthenticated) as caught:
                method(**name, password=password)
            answers.add((caught.value.code, caught.value.detail, str(caught.value.data)))

    assert len(answers) == 1


def test_all_failures_take_the_same_time(users, anna, clock):
    """An unknown user costs a hash, as a wrong password does (medians, within a factor of two).

    Processor time, of the threads that hash as well, for the machine may be busy with others; the
    two take turns, for it may become slower meanwhile.
    """

    def seconds(email):
        clock.advance(days=2)  # or guessing so often would be refused
        started = time.process_time()
        with pytest.raises(Unauthenticated):
            users.login(email=email, password="wrong horse")
        return time.process_time() - started

    turns = [(seconds("anna@example.com"), seconds("nobody@example.com")) for _ in range(7)]
    wrong, unknown = map(statistics.median, zip(*turns, strict=True))

    assert 0.5 < unknown / wrong < 2


def test_one_name_is_needed(users, anna):
    """Not two, not none."""
    with pytest.raises(Invalid):
        users.login(password=PASSWORD)
    with pytest.raises(Invalid):
        users.login(email="anna@example.com", username="anna", password=PASSWORD)


def test_no_secret_reaches_the_log(users, anna, caplog):
    """Neither passwords nor tokens nor e-mail addresses, at any level."""
    caplog.set_level(logging.DEBUG)
    tokens = users.login(email="anna@example.com", password=PASSWORD)
    users.refresh(refresh_token=tokens["refresh_token"])
    with pytest.raises(Unauthenticated):
        users.login(email="anna@example.com", password="wrong horse")
    with pytest.raises(Exception, match="already_exists"):
        users.sign_up(**SIGN_UP)

    secrets = (PASSWORD, "wrong horse", "anna@", tokens["access_token"], tokens["refresh_token"])
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_the_password_of_the_sample_accounts_is_for_a_demo_only(start, call):
    """Only there an admin can make an account with it. Where what was a demo becomes a shop, it
    opens nothing; and nobody else can take it anywhere."""
    account = {"email": "admin@example.com", "password": PUBLIC, "email_verified": True}
    (demo,) = start(UsersService, users={"sample_accounts": True})
    assert call.users.create(**account)["email_verified"]
    assert call.users.login(email="admin@example.com", password=PUBLIC)
    with pytest.raises(Invalid):
        call.users.sign_up(email="mallory@example.com", password=PUBLIC)
    demo.stop()
    start(UsersService)
    with pytest.raises(Unauthenticated):
        call.users.login(email="admin@example.com", password=PUBLIC)
    with pytest.raises(Invalid):
        call.users.create(**account | {"email": "other@example.com"})


def test_the_shops_own_names_are_no_passwords(start, call):
    """At a sign-up, a change and a reset."""
    start(UsersService, users={"shop_names": ["Lampenladen"]})
    user = call.users.sign_up(email="anna@example.com", password=PASSWORD)
    for call_with in (
        lambda password: call.users.sign_up(email="ben@example.com", password=password),
        lambda password: call.users.change_password(
            user_id=user["id"], current_password=PASSWORD, new_password=password
        ),
    ):
        with pytest.raises(Invalid):
            call_with("Lampenladen!7")
        call_with("Leuchtturm!797")
