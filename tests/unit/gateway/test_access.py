"""Audiences: whom they let in."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from chassis.errors import Forbidden, Unauthenticated
from chassis.identity import Actor, Role
from gateway.access import ADMIN, ANYONE, STAFF, USER


class Tokens:
    """A verifier for whom a token is the role it names."""

    def verify(self, token):
        if token not in list(Role):
            raise Unauthenticated()
        return Actor(uuid4(), Role(token))


def admit(audience, authorization):
    """The actor of the request after it was let in."""
    headers = {"Authorization": authorization}
    request = SimpleNamespace(header=headers.get, actor=None)
    audience.admit(SimpleNamespace(tokens=Tokens()), request)
    return request.actor


@pytest.mark.parametrize(
    ("audience", "let_in"),
    [(USER, ["customer", "staff", "admin"]), (STAFF, ["staff", "admin"]), (ADMIN, ["admin"])],
)
def test_an_audience_lets_in_its_roles(audience, let_in):
    """Each role includes those below it; the others are forbidden."""
    for role in Role:
        if role in let_in:
            assert admit(audience, f"Bearer {role}").role == role
        else:
            with pytest.raises(Forbidden):
                admit(audience, f"Bearer {role}")


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "admin", "Bearer forged"],
)
@pytest.mark.parametrize("audience", [USER, STAFF, ADMIN])
def test_without_a_token_that_holds_nobody_gets_in(audience, authorization):
    """No header, another scheme, no token, a forged one: all the same."""
    with pytest.raises(Unauthenticated):
        admit(audience, authorization)


def test_anyone_is_not_even_looked_at():
    """A token that has expired does not keep its owner from logging in again."""
    assert admit(ANYONE, "Bearer forged") is None


def test_the_scheme_is_read_as_http_says():
    """In any case, with any number of spaces after it."""
    assert admit(USER, "bearer   customer").role == Role.CUSTOMER
