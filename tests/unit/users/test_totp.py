"""Codes of an authenticator app, and recovery codes."""

import datetime

import pytest

from users.second_factor import totp

#: Of RFC 6238, appendix B, for SHA-1, whose codes have eight digits: apps show the last six.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}


def at(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


@pytest.mark.parametrize("seconds", VECTORS)
def test_the_vectors_of_the_rfc(seconds):
    """However the digits are grouped."""
    code = VECTORS[seconds]
    for written in (code, f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}"):
        assert totp.step_of(SECRET, written, at(seconds)) == seconds // totp.STEP


@pytest.mark.parametrize(
    ("early", "holds"),
    [(31, False), (30, True), (0, True), (-29, True), (-59, True), (-60, False)],
)
def test_a_code_holds_in_its_own_step_and_beside_it(early, holds):
    """A clock may be half a minute off; `early` are the seconds before the step begins."""
    begin = 1111111080
    found = totp.step_of(SECRET, VECTORS[1111111109], at(begin - early))
    assert found == (begin // totp.STEP if holds else None)


@pytest.mark.parametrize("code", ["", "28708", "2870820", "187082", "ABCDEF"])
def test_what_is_no_code(code):
    """Of this step, nor of the ones beside it."""
    assert totp.step_of(SECRET, code, at(59)) is None


def test_recovery_codes_are_read_as_people_write_them():
    """In groups or not, in capitals or not; no two are the same."""
    code = totp.new_recovery_code()
    plain = code.replace("-", "")
    assert len(plain) == 16
    assert len({totp.digest(form) for form in (code, plain, code.upper(), f" {code} ")}) == 1
    assert totp.digest(code) != totp.digest(totp.new_recovery_code())
