"""Who may call a route: `ANYONE`, `USER` (signed in), `STAFF` (staff or admin), `ADMIN`; and
`ENROLLING`, who may not do anything else yet.

What belongs to whom is not decided here: the services get the `actor` and answer "not found" for
other people's things.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from nameko.extensions import DependencyProvider

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import Fault, Forbidden, Unauthenticated
from chassis.hooks import Hooks
from chassis.identity import Actor, Identity, KeySet, Verifier
from chassis.origin import NETWORK, abbreviated
from chassis.rpc import ReplyListener, ServiceProxy
from chassis.web import Request
from chassis.web.limits import Callers
from gateway.sessions import SessionStates

_READS = ("GET", "HEAD")


class Audience:
    """Those whom `allows` is true for, by their access token; None lets everybody in unasked."""

    def __init__(
        self,
        name: str,
        allows: Callable[[Actor], bool] | None,
        is_privileged: bool = False,
        may_enrol: bool = False,
    ):
        self.name = name
        self._may_enrol = may_enrol
        self._is_privileged = is_privileged
        self._allows = allows
        #: Statuses for whom it does not let in.
        self.refusals = (401, 403) if is_privileged else () if allows is None else (401,)

    def admit(self, service: Any, request: Request) -> None:
        """Set the request's actor and session; raises `Unauthenticated` or `Forbidden`."""
        if self._allows is None:
            return
        identity = service.tokens.identify(bearer(request))
        request.session_id = identity.session_id
        request.actor = self._actor(service.sessions, identity, request.method)
        if request.actor.is_staff:  # the audit trail tells from where they act
            request.context[NETWORK] = abbreviated(request.client_network)
        if not self._allows(request.actor):
            raise Forbidden()

    def _actor(self, sessions: SessionStates, identity: Identity, method: str) -> Actor:
        """Who acts. A customer is believed to be what the token says until it expires, if the
        session goes on; what staff and admins may do is worth a call each time."""
        if self._is_privileged or identity.actor.is_staff:
            return sessions.as_of_now(identity, self._may_enrol)
        if method in _READS:
            sessions.refuse_ended(identity)
        else:
            sessions.require(identity)
        return identity.actor

    def __repr__(self) -> str:
        return self.name


ANYONE = Audience("ANYONE", None)
USER = Audience("USER", lambda actor: True)
#: `USER`, and staff who have to set up their second factor before they can do anything else.
ENROLLING = Audience("ENROLLING", lambda actor: True, may_enrol=True)
STAFF = Audience("STAFF", lambda actor: actor.is_staff, is_privileged=True)
ADMIN = Audience("ADMIN", lambda actor: actor.is_admin, is_privileged=True)


def bearer(request: Request) -> str:
    """The access token that the request carries; raises `Unauthenticated` when there is none."""
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the header Authorization: Bearer <access token>.")
    return token.strip()


class AccessTokens(Hooks, DependencyProvider, Callers):
    """Injects the `Verifier` of access tokens; the public keys come from `users.jwks`. What is
    asked before a worker is taken goes by the sessions that are known to have ended, too."""

    replies = ReplyListener()
    states = SessionStates()

    target_service = "users"

    #: Made by `check`.
    verifier: Verifier

    def check(self) -> None:
        """Read the section `identity`; raises Nameko's `ConfigurationError`."""
        section = self.container.config.get("identity") or {}
        identity = configuration.check(configuration.IdentitySettings(), section, "identity")
        # The keys are fetched for everybody, so with nobody's deadline or request id.
        users = ServiceProxy(self.replies, self.target_service, timeout=3)
        self.verifier = Verifier(KeySet(users.jwks, _now), clock=_now, **identity)

    def setup(self) -> None:
        self.check()

    def get_dependency(self, worker_ctx: Any) -> Verifier:
        return self.verifier

    def user_of(self, request: Request) -> str | None:
        """Whose rate limits the request counts for."""
        if request.header("Authorization") is None:
            return None
        try:
            return str(self._identity(request).actor.user_id)
        except Fault:
            return None

    def authenticate(self, request: Request) -> None:
        """Refuse a body that is sent without a token that holds, before it is read."""
        self._identity(request)

    def _identity(self, request: Request) -> Identity:
        identity = self.verifier.identify(bearer(request))
        self.states.refuse_ended(identity)
        return identity


def _now() -> datetime.datetime:
    return Clock.source()
