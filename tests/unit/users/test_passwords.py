"""Which passwords are refused."""

import time

import pytest

from contracts.users.fields import MIN_PASSWORD
from users.passwords.common_passwords import COMMON
from users.passwords.rules import is_guessable


@pytest.mark.parametrize(
    "password",
    ["password", "PassWord1", "qwertyuiop", "12345678", "1234567890", "87654321", "abcdefgh",
     "aaaaaaaa", "abababababab", "asdfghjkl", "lkjhgfdsa", "iloveyou", "letmein123",
     "logmein1", "Postgres1"],
)  # fmt: skip
def test_what_everybody_tries_first_is_guessable(password):
    """Common ones in any case, runs in both directions, repetitions."""
    assert is_guessable(password)


@pytest.mark.parametrize("password", ["anna.berg@example.com", "ANNA.BERG", "annaberg77"], ids=repr)
def test_what_the_user_is_called_is_guessable(password):
    """E-mail address, the part before the @, user name."""
    assert is_guessable(password, "anna.berg@example.com", "AnnaBerg77")


@pytest.mark.parametrize(
    "password",
    ["Summer2026!", "shop2026", "Shop2026!", "MyShop123", "Winter2025", "2026Summer", "$ummer2026!",
     "Sommer2026!", "Passwort123!", "januari2024", "Welcome2026", "P@ssw0rd2026", "Liverpool1!",
     "football99", "sunflower1", "chocolate5", "Dragon2020", "hunter2hunter2", "1q2w3e4r5t!",
     "password123456789", "asdfgh12", "0123456789abcdef", "demo-Passw0rd", "DEMO-PASSW0RD"],
)  # fmt: skip
def test_a_common_word_with_a_year_or_a_sign_is_guessable(password):
    """What people make of a word when a rule asks for digits and signs."""
    assert is_guessable(password)


@pytest.mark.parametrize("password", ["Xanthippe!7", "xanthippe2026", "Quixotl-99", "orchidarium1"])
def test_names_with_a_year_or_a_sign_are_guessable(password):
    """What the user and the shop are called, which anyone knows; it is none of others' names."""
    names = ("xanthippe@quixotl.example", None, "Orchidarium")
    assert is_guessable(password, *names)
    assert not is_guessable(password)


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("zq7xw9vk", "zq7xw9vk@example.com"),
        ("qxzwk!2026", "q.x.z.w.k@example.com"),
        ("xkqzvbwm", "Xkq"),
        ("xkqzvbwm", "Xkq Anders"),
    ],
)
def test_each_part_of_a_name_counts(password, name):
    """What stands before the @, its letters without what divides them, and three letters."""
    assert is_guessable(password, name)
    assert not is_guessable(password)


def test_two_letters_are_no_name():
    """They stand in too many words."""
    assert not is_guessable("xkqzvbwm", "xk")


@pytest.mark.parametrize(
    ("password", "guessable"),
    [("dragon739264", True), ("73dragon9264", True), ("dragon7392648", False),
     ("7392dragon648", False)],
)  # fmt: skip
def test_six_signs_around_a_common_word_are_nothing(password, guessable):
    """Before and behind it together; seven count."""
    assert is_guessable(password) is guessable


def test_an_estimate_is_bounded():
    """The longest passwords that are taken cost no more than others."""
    began = time.process_time()
    for password in ("aA4@s$5e3" * 14, "password1!" * 12, "1" * 128, "é" * 128):
        is_guessable(password, "a" * 64 + "@example.com", "b" * 32, "c " * 50, "d " * 50)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "drei Äpfel", "xkqzvbwm", "a lamp beside the door",
     "better-Lamp-7", "Kx7#pq2L", "correct horse"],
)  # fmt: skip
def test_no_rule_asks_for_digits_or_capitals(password):
    """Composition does not count."""
    assert not is_guessable(password, "anna@example.com")


def test_the_list_holds_what_can_match():
    """Lower case, and long enough to get past the length rule."""
    assert {word for word in COMMON if word != word.casefold() or len(word) < MIN_PASSWORD} == set()
