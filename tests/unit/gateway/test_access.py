"""Audiences: whom they let in."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from chassis.errors import Forbidden, Unauthenticated
from chassis.identity import Actor, Identity, Role
from gateway.access import ADMIN, ANYONE, STAFF, USER


class Tokens:
    """A verifier for whom a token is the role it names."""

    def identify(self, token):
        if token not in list(Role):
            raise Unauthenticated()
        return Identity(Actor(uuid4(), Role(token)), uuid4(), 0)


class Sessions:
    """What the gateway knows: whoever is asked for has this role, None for nobody any more. `asked`
    are the ways in which it was asked."""

    def __init__(self, role):
        self.role = role
        self.asked = []

    def as_of_now(self, identity, may_enrol):
        self.asked.append("as_of_now")
        if self.role is None:
            raise Unauthenticated()
        return Actor(identity.actor.user_id, Role(self.role))

    def require(self, identity):
        self.asked.append("require")

    def refuse_ended(self, identity):
        self.asked.append("refuse_ended")


def admit(audience, authorization, method="GET", asked=None, **now):
    """The actor of the request after it was let in; `role` is the present one, when it differs
    from that of the token."""
    sessions = Sessions(now.get("role", (authorization or "").rpartition(" ")[2]))
    headers = {"Authorization": authorization}
    request = SimpleNamespace(
        header=headers.get,
        actor=None,
        session_id=None,
        method=method,
        client_network="203.0.113.77",
        context={},
    )
    audience.admit(SimpleNamespace(tokens=Tokens(), sessions=sessions), request)
    assert asked in (None, sessions.asked)
    # Where staff act from goes to the audit trail; of customers nothing travels along.
    where = {"network": "203.0.113.0/24"} if request.actor and request.actor.is_staff else {}
    assert request.context == where
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


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_needs_a_session_that_goes_on(method):
    """A customer's read goes by what is known here; of staff everything is asked for."""
    admit(USER, "Bearer customer", method, asked=["require"])
    admit(USER, "Bearer customer", "GET", asked=["refuse_ended"])
    admit(USER, "Bearer customer", "HEAD", asked=["refuse_ended"])
    for audience, token in ((USER, "staff"), (STAFF, "staff"), (ADMIN, "admin")):
        admit(audience, f"Bearer {token}", method, asked=["as_of_now"])
        admit(audience, f"Bearer {token}", "GET", asked=["as_of_now"])


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
