"""Which passwords are refused."""

import pytest

from users.common_passwords import COMMON
from users.passwords import MIN_LENGTH, is_guessable


@pytest.mark.parametrize(
    "password",
    ["password", "PassWord1", "qwertyuiop", "12345678", "1234567890", "87654321", "abcdefgh",
     "aaaaaaaa", "abababababab", "asdfghjkl", "lkjhgfdsa", "iloveyou", "letmein123"],
)  # fmt: skip
def test_what_everybody_tries_first_is_guessable(password):
    """Common ones in any case, runs in both directions, repetitions."""
    assert is_guessable(password)


@pytest.mark.parametrize("password", ["anna.berg@example.com", "ANNA.BERG", "annaberg77"], ids=repr)
def test_what_the_user_is_called_is_guessable(password):
    """E-mail address, the part before the @, user name."""
    assert is_guessable(password, "anna.berg@example.com", "AnnaBerg77")
    assert not is_guessable(password)


@pytest.mark.parametrize(
    "password", ["demo-Passw0rd", "correct horse battery staple", "drei Äpfel", "xkqzvbwm"]
)
def test_no_rule_asks_for_digits_or_capitals(password):
    """Composition does not count."""
    assert not is_guessable(password, "anna@example.com")


def test_the_list_holds_what_can_match():
    """Lower case, and long enough to get past the length rule."""
    assert {word for word in COMMON if word != word.casefold() or len(word) < MIN_LENGTH} == set()
