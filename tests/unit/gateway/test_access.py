"""Audiences: whom they let in."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from chassis.errors import Forbidden, NotFound, Unauthenticated
from chassis.identity import Actor, Role
from gateway.access import ADMIN, ANYONE, STAFF, USER


class Tokens:
    """A verifier for whom a token is the role it names."""

    def verify(self, token):
        if token not in list(Role):
            raise Unauthenticated()
        return Actor(uuid4(), Role(token))


class Users:
    """The service: whoever is asked for has this role, None for nobody any more."""

    def __init__(self, role):
        self.role = role

    def get(self, user_id):
        if self.role is None:
            raise NotFound()
        return {"role": self.role}


def admit(audience, authorization, **now):
    """The actor of the request after it was let in; `role` is the present one, when it differs
    from that of the token."""
    users = Users(now.get("role", (authorization or "").rpartition(" ")[2]))
    headers = {"Authorization": authorization}
    request = SimpleNamespace(header=headers.get, actor=None)
    audience.admit(SimpleNamespace(tokens=Tokens(), users=users), request)
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


@pytest.mark.parametrize("audience", [STAFF, ADMIN])
def test_the_present_role_counts_on_privileged_routes(audience):
    """Whatever the token still says: demoted is forbidden, promoted gets in, deleted is nobody."""
    with pytest.raises(Forbidden):
        admit(audience, "Bearer admin", role="customer")
    assert admit(audience, "Bearer customer", role="admin").role == Role.ADMIN
    with pytest.raises(Unauthenticated):
        admit(audience, "Bearer admin", role=None)


def test_staff_are_asked_for_on_everybodys_routes():
    """What they see there depends on the role; customers are not asked for."""
    assert admit(USER, "Bearer staff", role="customer").role == Role.CUSTOMER
    assert admit(USER, "Bearer customer", role=None).role == Role.CUSTOMER
    with pytest.raises(Unauthenticated):
        admit(USER, "Bearer admin", role=None)


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
