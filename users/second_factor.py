"""What people do with their second factor: enrol, confirm, sign in with it, give it up.

Each code that is tried counts before it is looked at (`users.throttle`), by user.
"""

import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.identity import Actor, Role
from users import accounts, throttle, totp
from users.audit import Action
from users.doorman import Admit, Doorman, Record
from users.errors import TotpFailed
from users.origin import origin_of


class SecondFactor:
    """`network` is where the one who asks is, None among services."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        doorman: Doorman,
        record: Record,
    ):
        self._begin = begin
        self._clock = clock
        self._doorman = doorman
        self._record = record

    def enrol(self, user_id: UUID, password: str, issuer: str) -> dict[str, str]:
        """`secret` and `uri` for an authenticator app; raises `TotpEnabled`."""
        user = self._doorman.prove(user_id, password)
        with self._begin() as session:
            accounts.lock(session, user_id)
            secret = totp.enrol(session, user_id, self._clock())
        return {"secret": secret, "uri": totp.uri(secret, user["email"], issuer)}

    def confirm(self, user_id: UUID, code: str, network: str | None) -> list[str]:
        """Recovery codes, of which nobody is told again; the second factor counts from now on."""
        attempt = self._count(user_id, network)
        with self._begin() as session:
            user = accounts.lock(session, user_id)
            codes = totp.confirm(session, user_id, code, self._clock())
            if codes is None:
                raise _wrong_code()
            throttle.forgive(session, attempt, self._clock())
            actor = Actor(user.id, Role(user.role))
            self._record(session, Action.TOTP_ENABLED, user_id, actor, origin_of(network))
        return codes

    def disable(self, user_id: UUID, password: str, code: str, network: str | None) -> None:
        """The password alone is enough again."""
        self._doorman.prove(user_id, password)
        attempt = self._count(user_id, network)
        with self._begin() as session:
            user = accounts.lock(session, user_id)
            if totp.verify(session, user_id, code, self._clock()) is None:
                raise _wrong_code()
            totp.forget(session, user_id)
            throttle.forgive(session, attempt, self._clock())
            actor = Actor(user.id, Role(user.role))
            self._record(session, Action.TOTP_DISABLED, user_id, actor, origin_of(network))

    def log_in(
        self,
        challenge: str,
        code: str,
        network: str | None,
        user_agent: str | None,
        admit: Admit,
    ) -> dict[str, Any]:
        """Tokens for a new session; raises `ChallengeExpired` and `TotpFailed`."""
        now, origin = self._clock(), origin_of(network, user_agent)
        with self._begin() as session:
            user = totp.challenged(session, challenge, now)
            attempt = throttle.second_factor(session, user.id, network, now)
        with self._begin() as session:
            user = totp.challenged(session, challenge, now)
            factor = totp.verify(session, user.id, code, now)
            if factor is None:
                self._record(session, Action.SIGN_IN_FAILED, user.id, None, origin, factor="totp")
            else:
                totp.redeem(session, challenge)
                tokens = admit(session, user.id, user.password_hash, origin)
                throttle.succeed(session, attempt, user.id, network, now)
                actor = Actor(user.id, Role(user.role))
                self._record(session, Action.SIGNED_IN, user.id, actor, origin, factor=factor)
                return tokens
        raise TotpFailed()  # only now: that somebody tried has to be committed

    def _count(self, user_id: UUID, network: str | None) -> throttle.Attempt:
        with self._begin() as session:
            return throttle.second_factor(session, user_id, network, self._clock())


def _wrong_code() -> Invalid:
    return Invalid(errors={"code": ["Wrong, used or too old."]})
