"""Password hashing beside the hub."""

import itertools
import time
import types

import eventlet
import pytest

from chassis import deadline
from chassis.errors import DeadlineExceeded
from users.passwords.hashing import ARGON2, AT_ONCE, PasswordHasher


@pytest.fixture
def provider():
    provider = PasswordHasher()
    provider.setup()
    return provider


@pytest.fixture
def passwords(provider):
    """Hashing, as a worker without a deadline sees it."""
    return provider.get_dependency(types.SimpleNamespace(data={}))


def test_a_hash_says_how_it_was_made(passwords):
    """argon2id with OWASP's parameters, and a new salt each time."""
    first, second = passwords.hash("correct horse"), passwords.hash("correct horse")

    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


def test_only_the_right_password_is_right(passwords):
    """Case counts, and so does every character."""
    password_hash = passwords.hash("correct horse")

    assert passwords.verify(password_hash, "correct horse") is True
    for wrong in ("Correct horse", "correct horse ", "", "wrong"):
        assert passwords.verify(password_hash, wrong) is False


def test_nobody_has_no_right_password(provider, passwords):
    """Not even by chance: the user who does not exist never signs in."""
    provider.nobodys_hash = ARGON2.hash("correct horse")

    assert passwords.verify(None, "correct horse") is False


def test_a_damaged_hash_is_never_right(passwords):
    """An error in the row is no way in."""
    assert passwords.verify("$argon2id$damaged", "correct horse") is False


def test_the_hub_goes_on_while_hashing(passwords):
    """A heartbeat is never held up for as long as half a hash takes; inline it would be for one.

    The best of three tries counts, for the machine may be busy.
    """

    def worst_pause():
        beats = [started := time.perf_counter()]
        hashing = eventlet.spawn(lambda: [passwords.hash("correct horse") for _ in range(5)])
        while not hashing.dead:
            eventlet.sleep(0.001)
            beats.append(time.perf_counter())
        one_hash = (time.perf_counter() - started) / 5
        pauses = [later - earlier for earlier, later in itertools.pairwise(beats)]
        return max(pauses), one_hash

    passwords.hash("the threads have started")
    tries = [worst_pause() for _ in range(3)]
    assert any(pause < one_hash / 2 and pause < 0.05 for pause, one_hash in tries), tries


def test_few_hashes_at_once(passwords, monkeypatch):
    """Half of the processors at most, however many people come."""
    running, most = 0, 0

    def execute(function, *args):
        nonlocal running, most
        running += 1
        most = max(most, running)
        eventlet.sleep(0.005)
        running -= 1

    monkeypatch.setattr("users.passwords.hashing.tpool.execute", execute)
    for thread in [eventlet.spawn(passwords.hash, "correct horse") for _ in range(10)]:
        thread.wait()

    assert most == AT_ONCE


def test_nobody_waits_longer_than_his_caller(provider):
    """Whose turn does not come in time is told so, and does not hash for nothing."""
    for _ in range(AT_ONCE):
        provider.turns.acquire()
    data = {}
    deadline.begin(data, 0.05)
    hurried = provider.get_dependency(types.SimpleNamespace(data=data))

    with pytest.raises(DeadlineExceeded):
        hurried.hash("correct horse")
    assert provider.turns.counter == 0  # nobody's turn was given back twice
