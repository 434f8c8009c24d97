"""Who may call a route: `ANYONE`, `USER` (signed in), `STAFF` (staff or admin), `ADMIN`.

What belongs to whom is not decided here: the services get the `actor` and answer "not found" for
other people's things.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from chassis import config as configuration
from chassis.clock import Clock
from chassis.errors import Fault, Forbidden, NotFound, Unauthenticated
from chassis.identity import Actor, KeySet, Role, Verifier
from chassis.rpc import RpcProxy
from chassis.rpc.client import ServiceProxy
from chassis.web import Request
from chassis.web.limits import Callers


class Audience:
    """Those whom `allows` is true for, by their access token; None lets everybody in unasked."""

    def __init__(
        self, name: str, allows: Callable[[Actor], bool] | None, is_privileged: bool = False
    ):
        self.name = name
        self._is_privileged = is_privileged
        self._allows = allows
        #: Statuses for whom it does not let in.
        self.refusals = (401, 403) if is_privileged else () if allows is None else (401,)

    def admit(self, service: Any, request: Request) -> None:
        """Set the request's actor; raises `Unauthenticated` or `Forbidden`."""
        if self._allows is None:
            return
        request.actor = service.tokens.verify(bearer(request))
        if self._is_privileged or request.actor.is_staff:
            request.actor = _as_of_now(service, request.actor)
        if not self._allows(request.actor):
            raise Forbidden()

    def __repr__(self) -> str:
        return self.name


ANYONE = Audience("ANYONE", None)
USER = Audience("USER", lambda actor: True)
STAFF = Audience("STAFF", lambda actor: actor.is_staff, is_privileged=True)
ADMIN = Audience("ADMIN", lambda actor: actor.is_admin, is_privileged=True)


def _as_of_now(service: Any, actor: Actor) -> Actor:
    """The actor with the role of this moment; raises `Unauthenticated` when the user is gone.

    A customer is believed to be what the token says until it expires. What staff and admins may do
    is worth a call.
    """
    try:
        user = service.users.get(user_id=actor.user_id)
    except NotFound:
        raise Unauthenticated("There is no such user any more.") from None
    return Actor(actor.user_id, Role(user["role"]))


def bearer(request: Request) -> str:
    """The access token that the request carries; raises `Unauthenticated` when there is none."""
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the header Authorization: Bearer <access token>.")
    return token.strip()


class AccessTokens(RpcProxy, Callers):
    """Injects the `Verifier` of access tokens; the public keys come from `users.jwks`."""

    def __init__(self) -> None:
        super().__init__("users", timeout=3)
        self.verifier: Verifier | None = None

    def check(self) -> None:
        """Read the section `identity`; raises Nameko's `ConfigurationError`."""
        section = self.container.config.get("identity") or {}
        identity = configuration.check(configuration.IdentitySettings(), section, "identity")
        # The keys are fetched for everybody, so with nobody's deadline or request id.
        users = ServiceProxy(self, SimpleNamespace(data={}, context_data={}))
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
            return str(self.verifier.verify(bearer(request)).user_id)
        except Fault:
            return None

    def authenticate(self, request: Request) -> None:
        """Refuse a body that is sent without a token that holds, before it is read."""
        self.verifier.verify(bearer(request))


def _now() -> datetime.datetime:
    return Clock.source()
