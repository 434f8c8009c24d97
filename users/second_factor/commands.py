"""What people do with their second factor: enrol, confirm, sign in with it, give it up.

Each code that is tried counts before it is looked at (`users.sessions.throttle`), by user. What
changes is told to the owner, who may not be the one who did it.
"""

import datetime
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis.errors import Invalid
from chassis.identity import Actor, Role
from contracts.users.enums import Action
from contracts.users.errors import TotpFailed
from users.accounts import commands as account_commands
from users.models import User
from users.origin import origin_of
from users.second_factor import totp
from users.sessions import throttle
from users.sessions.authentication import Admit, Doorman, Publish, Record


class SecondFactor:
    """`network` is where the one who asks is, None among services."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        doorman: Doorman,
        publish: Publish,
        record: Record,
    ):
        self._begin = begin
        self._clock = clock
        self._doorman = doorman
        self._publish = publish
        self._record = record

    def enrol(self, user_id: UUID, password: str, issuer: str) -> dict[str, str]:
        """`secret` and `uri` for an authenticator app; raises `TotpEnabled`."""
        user = self._doorman.prove(user_id, password)
        with self._begin() as session:
            account_commands.lock(session, user_id)
            secret = totp.enrol(session, user_id, self._clock())
        return {"secret": secret, "uri": totp.uri(secret, user["email"], issuer)}

    def confirm(self, user_id: UUID, code: str, network: str | None) -> list[str]:
        """Recovery codes, of which nobody is told again; the second factor counts from now on."""
        attempt = self._count(user_id, network)
        with self._begin() as session:
            user = account_commands.lock(session, user_id)
            codes = totp.confirm(session, user_id, code, self._clock())
            if codes is None:
                raise _wrong_code()
            throttle.forgive(session, attempt, self._clock())
            self._note(session, user, Action.TOTP_ENABLED, network)
            self._publish(session, "totp_enabled", {"user_id": user_id})
        return codes

    def disable(self, user_id: UUID, password: str, code: str, network: str | None) -> None:
        """The password alone is enough again."""
        with self._proven(user_id, password, code, network) as (session, user):
            totp.forget(session, user_id)
            self._note(session, user, Action.TOTP_DISABLED, network)
            self._publish(session, "totp_disabled", {"user_id": user_id})

    def renew_recovery_codes(
        self, user_id: UUID, password: str, code: str, network: str | None
    ) -> list[str]:
        """Other recovery codes, of which nobody is told again; those of before end."""
        with self._proven(user_id, password, code, network) as (session, user):
            codes = totp.renew_recovery_codes(session, user_id)
            self._note(session, user, Action.RECOVERY_CODES_RENEWED, network)
            self._publish(session, "recovery_codes_renewed", {"user_id": user_id})
        return codes

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
                self._record(session, Action.SIGN_IN_FAILED, user.id, None, origin, factor=totp.APP)
            else:
                totp.redeem(session, challenge)
                tokens = admit(session, user.id, user.password_hash, origin)
                throttle.succeed(session, attempt, user.id, network, now)
                actor = Actor(user.id, Role(user.role))
                self._record(session, Action.SIGNED_IN, user.id, actor, origin, factor=factor)
                if factor == totp.RECOVERY:
                    left = totp.state(session, user.id)["recovery_codes_left"]
                    used = {"user_id": user.id, "left": left}
                    self._publish(session, "recovery_code_used", used)
                return tokens
        raise TotpFailed()  # only now: that somebody tried has to be committed

    @contextmanager
    def _proven(
        self, user_id: UUID, password: str, code: str, network: str | None
    ) -> Iterator[tuple[Session, User]]:
        """A transaction of a user, locked, who has shown both factors; raises `Invalid` and
        `TotpNotEnabled`."""
        self._doorman.prove(user_id, password)
        attempt = self._count(user_id, network)
        with self._begin() as session:
            user = account_commands.lock(session, user_id)
            if totp.verify(session, user_id, code, self._clock()) is None:
                raise _wrong_code()
            throttle.forgive(session, attempt, self._clock())
            yield session, user

    def _note(self, session: Session, user: User, action: Action, network: str | None) -> None:
        actor = Actor(user.id, Role(user.role))
        self._record(session, action, user.id, actor, origin_of(network))

    def _count(self, user_id: UUID, network: str | None) -> throttle.Attempt:
        with self._begin() as session:
            return throttle.second_factor(session, user_id, network, self._clock())


def _wrong_code() -> Invalid:
    return Invalid(errors={"code": ["Wrong, used or too old."]})
