"""How often a password can be guessed, over RPC on a real database."""

import uuid

import eventlet
import pytest
from sqlalchemy.orm import Session

from chassis.errors import Invalid, TooManyRequests, Unauthenticated
from tests.integration.users import people
from tests.integration.users.people import PASSWORD
from users import throttle
from users.service import UsersService

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def _time_stands_still(clock):
    """Waits are as long as they were told to be, however slow the machine is."""
    clock.stop()


@pytest.fixture
def guess(users):
    """`guess()`: what came of signing in as Anna, from elsewhere unless told."""

    def guess(network=ELSEWHERE, password="wrong horse", name="anna@example.com"):
        try:
            users.login(email=name, password=password, network=network)
        except TooManyRequests as fault:
            return fault.retry_after
        except Unauthenticated:
            return "wrong"
        return "in"

    return guess


def test_waits_grow_with_every_failure(guess, clock, anna):
    """Five are free; then it takes twice as long each time, up to five minutes."""
    assert [guess() for _ in range(5)] == ["wrong"] * 5
    waits = []
    for _ in range(11):
        waits.append(guess())
        assert guess() == waits[-1]  # what is refused makes nothing worse
        clock.advance(seconds=waits[-1])
        assert guess() == "wrong"

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_the_right_password_does_not_help_a_guesser_who_is_to_wait(guess, clock, anna):
    """Else the wait would be no obstacle; after it the right one is let in."""
    for _ in range(5):
        guess()
    assert guess(password=PASSWORD) == 1
    clock.advance(seconds=1)
    assert guess(password=PASSWORD) == "in"


def test_an_unknown_name_is_counted_as_a_known_one(guess, anna):
    """So the limit tells nobody who has an account."""
    answers = [
        [guess(name=name, network=network) for _ in range(7)]
        for name, network in (("anna@example.com", HOME), ("nobody@example.com", ELSEWHERE))
    ]
    assert answers[0] == answers[1] == ["wrong"] * 5 + [1, 1]


def test_guesses_at_the_same_instant_all_count(users, guess, anna):
    """Each is counted before the password is looked at."""
    answers = list(eventlet.GreenPool().imap(lambda _: guess(), range(12)))

    assert answers.count("wrong") == 5


def test_two_at_once_do_not_wait_for_each_other(guess, clock, anna):
    """Of two at the same instant the second may have read the clock before the first."""
    assert guess() == "wrong"
    clock.advance(seconds=-30)
    assert guess() == "wrong"


def test_many_networks_guess_one_name_together(guess, anna):
    """The name counts, wherever the guesses come from, in whatever case."""
    answers = [guess(f"203.0.113.{n}", name=f"Ann{'aA'[n % 2]}@example.com") for n in range(7)]

    assert answers == ["wrong"] * 5 + [1, 1]


def test_one_network_cannot_try_many_names(guess, anna):
    """After fifty names it waits as well; others do not."""
    assert {guess(name=f"{n}@example.com") for n in range(50)} == {"wrong"}
    assert guess(name="fresh@example.com") == 1
    assert guess(HOME, name="other@example.com") == "wrong"


def test_a_right_password_is_taken_back_from_its_network(guess, users, anna):
    """An office where everybody signs in at nine is no attack."""
    names = [f"{uuid.uuid4()}@example.com" for _ in range(55)]
    for name in names:
        users.sign_up(email=name, password=PASSWORD)

    assert {guess(name=name, password=PASSWORD) for name in names} == {"in"}


def test_nobody_locks_an_owner_out(guess, users, clock, anna):
    """Where she has signed in before, her own attempts are all that counts."""
    assert guess(HOME, PASSWORD) == "in"
    for _ in range(60):
        if isinstance(guess(), int):
            clock.advance(seconds=60)

    assert isinstance(guess(), int)
    assert guess(HOME, PASSWORD) == "in"
    assert guess(HOME) == "wrong"
    assert guess(HOME, PASSWORD) == "in"


def test_a_guesser_beside_the_owner_is_stopped_too(guess, anna):
    """A known network has ten tries."""
    guess(HOME, PASSWORD)
    assert [guess(HOME) for _ in range(11)] == ["wrong"] * 10 + [1]


def test_where_one_signs_up_one_is_known(guess, users):
    """A network full of guessers does not keep a new customer from coming back."""
    users.sign_up(email="new@example.com", password=PASSWORD, network=ELSEWHERE)
    for n in range(50):
        guess(name=f"{n}@example.com")

    assert guess(name="other@example.com") == 1
    assert guess(name="new@example.com", password=PASSWORD) == "in"


def test_counts_outlive_the_process(start, guess, anna):
    """Another instance, or one after a restart, goes on where the last one was."""
    for _ in range(5):
        guess()
    start(UsersService)

    assert guess() == 1


def test_proving_oneself_is_guessing_too(users, anna):
    """Who has stolen an access token cannot find the password out with it."""

    def change():
        users.change_password(
            user_id=anna["id"], current_password="wrong horse", new_password="staple battery"
        )

    def move():
        users.update(user_id=anna["id"], email="thief@example.com", current_password="wrong")

    for wrong in (change, move, change, move, change):
        with pytest.raises(Invalid):
            wrong()
    for wrong in (change, move):
        with pytest.raises(TooManyRequests):
            wrong()


def test_services_count_by_name_alone(users, anna):
    """`verify_credentials` without a network is no way around."""
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            users.verify_credentials(email="anna@example.com", password="wrong horse")
    with pytest.raises(TooManyRequests):
        users.verify_credentials(email="anna@example.com", password=PASSWORD)


def test_nothing_readable_is_kept(guess, service, anna):
    """Digests of names and networks, never these."""
    guess(HOME, PASSWORD)
    guess()
    keys = people.rows(service, "SELECT octet_length(key) FROM throttles")
    networks = people.rows(service, "SELECT octet_length(network) FROM known_networks")

    assert keys
    assert networks
    assert {length for (length,) in keys + networks} == {32}


def test_what_is_old_is_forgotten(guess, service, clock, anna):
    """Attempts after a day, networks after ninety; a deleted user's network at once."""
    guess(HOME, PASSWORD)
    for _ in range(6):
        guess()
    clock.advance(days=1, seconds=1)
    assert guess() == "wrong"
    clock.advance(days=91)
    with people.database(service) as connection, Session(connection) as session:
        throttle.purge(session, clock())
        session.commit()
    assert people.rows(service, "SELECT * FROM throttles") == []
    assert people.rows(service, "SELECT * FROM known_networks") == []


def test_a_deleted_users_networks_are_forgotten(guess, users, service, admin, anna):
    """They are personal."""
    guess(HOME, PASSWORD)
    users.delete(user_id=anna["id"], actor=admin)

    assert people.rows(service, "SELECT * FROM known_networks") == []
