"""Who gets in with a password: signing in, proving oneself, taking another password.

No connection is held while a password is hashed, and every guess is counted
(`users.sessions.throttle`).
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.identity import Actor, Role
from contracts.users.enums import Action
from contracts.users.errors import BadCredentials, ResetTokenInvalid, TotpRequired
from users.accounts import commands as account_commands
from users.accounts import queries as account_queries
from users.origin import Origin, origin_of
from users.passwords import resets
from users.passwords.rules import NAMES, PUBLIC, TOO_EASY, is_guessable
from users.second_factor import totp
from users.sessions import commands as session_commands
from users.sessions import throttle

#: `admit(session, user_id, password_hash, origin)` opens a session for a user and returns the
#: tokens; None when the user is gone or the hash is another one by now.
Admit = Callable[[Session, UUID, str, Origin], dict[str, Any] | None]
#: `publish(session, type, payload)` records an event in the session's transaction.
Publish = Callable[[Session, str, dict[str, Any]], object]


class Record(Protocol):
    """See `users.audit.record`; request and moment are known."""

    def __call__(
        self,
        session: Session,
        action: Action,
        user_id: UUID | None,
        actor: Actor | None,
        origin: Origin,
        **detail: Any,
    ) -> None: ...


class Hasher(Protocol):
    """See `users.passwords.hashing.Handle`."""

    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str | None, password: str) -> bool: ...

    def is_outdated(self, password_hash: str) -> bool: ...


#: What needs the password to change: what one signs in with, and where one is reached.
GUARDED = {"email": "e-mail address", "username": "user name", "phone": "phone number"}


@dataclass(frozen=True)
class Rules:
    """How long a token for a new password holds, what the shop is called (which is no password),
    and whether the sample accounts' public password opens anything."""

    reset_lifetime: datetime.timedelta
    shop_names: Sequence[str]
    sample_accounts: bool


class Doorman:
    """Compares passwords; `network` is where the one who knocks is, None among services."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        read: Callable[[], AbstractContextManager[Connection]],
        passwords: Hasher,
        clock: Callable[[], datetime.datetime],
        publish: Publish,
        record: Record,
        rules: Rules,
    ):
        self._begin = begin
        self._read = read
        self._passwords = passwords
        self._clock = clock
        self._publish = publish
        self._record = record
        self._rules = rules

    def verify(self, name: Mapping[str, str], password: str, network: str | None) -> RowMapping:
        """The user who has this name and password; `BadCredentials`, after the same time, if
        there is none, `TooManyRequests` for who has guessed too often."""
        user, attempt = self._compare(name, password, network, origin_of(network))
        with self._begin() as session:
            throttle.succeed(session, attempt, user["id"], network, self._clock())
        return user

    def log_in(
        self,
        name: Mapping[str, str],
        password: str,
        network: str | None,
        user_agent: str | None,
        admit: Admit,
    ) -> dict[str, Any] | None:
        """Tokens for a new session; None when the stored hash changed while it was verified. Raises
        `TotpRequired` for who has a second factor."""
        origin = origin_of(network, user_agent)
        user, attempt = self._compare(name, password, network, origin)
        user_id, old_hash = user["id"], user["password_hash"]
        tokens = challenge = None
        with self._begin() as session:
            if totp.is_enabled(session, user_id):
                challenge = totp.challenge(session, user_id, old_hash, self._clock())
                throttle.forgive(session, attempt, self._clock())
            elif tokens := admit(session, user_id, old_hash, origin):
                throttle.succeed(session, attempt, user_id, network, self._clock())
                self._record(session, Action.SIGNED_IN, user_id, _self(user), origin)
        if (tokens or challenge) and self._passwords.is_outdated(old_hash):
            new_hash = self._passwords.hash(password)
            with self._begin() as session:
                account_commands.renew_hash(session, user_id, old_hash, new_hash)
        if challenge is not None:
            raise TotpRequired(challenge=challenge)
        return tokens

    def change_password(
        self, user_id: UUID, current: str, new: str, network: str | None
    ) -> list[UUID]:
        """Another password instead of the present one; all sessions end, whose ids are returned."""
        user = self._one(user_id)
        self._refuse_guessable(new, user)
        self._prove(user, current)
        new_hash = self._passwords.hash(new)
        with self._begin() as session:
            if not account_commands.set_password(session, user_id, user["password_hash"], new_hash):
                raise _wrong("Wrong password.")
            self._has_changed(session, user, Action.PASSWORD_CHANGED, network)
            return session_commands.ended(session).get(user_id, [])

    def confirm(
        self,
        user_id: UUID,
        profile: Mapping[str, str | None],
        password: str | None,
        actor: Actor,
    ) -> None:
        """Have users prove themselves before what is in `GUARDED` changes: a stolen access token
        must not be enough to take an account over (OWASP ASVS 5.0, 7.5.1). Admins may correct other
        people's."""
        is_others_admin = actor.is_admin and actor.user_id not in (None, user_id)
        if is_others_admin or not GUARDED.keys() & profile.keys():
            return
        user = self._one(user_id)
        for name in GUARDED.keys() & profile.keys():
            if not _is_same(name, profile[name], user[name]):
                self._prove(user, password, f"A new {GUARDED[name]} needs your present password.")
                return

    def ask_for_reset(self, email: str, network: str | None) -> None:
        """Have a token mailed if the address is a user's. To the one who asks it is the same
        whether it is; `TooManyRequests` is about the network alone."""
        now = self._clock()
        with self._begin() as session:
            if network is not None:
                throttle.take(session, throttle.RESET_NETWORK, now, network)
            if not throttle.is_free(session, throttle.RESET_NAME, now, email):
                return
            throttle.take(session, throttle.RESET_NAME, now, email)
            user = account_queries.by_name(session.connection(), email=email)
            user_id = user and user["id"]
            reset = resets.request(session, user_id, now, self._rules.reset_lifetime)
            asked = {"reset_id": reset.id, "user_id": reset.user_id}
            self._publish(session, "password_reset_requested", asked)

    def reset_password(self, token: str, new: str, network: str | None) -> list[UUID]:
        """Another password by a mailed token; all sessions end, whose ids are returned, and the
        network is known.

        The token was in a mail, so the address is confirmed. If it had not been, somebody else may
        have made the account: what was put there is forgotten, and `account_recovered` says so.
        """
        try:
            return self._reset(token, new, network)
        except NotFound:  # deleted a moment ago
            raise ResetTokenInvalid() from None

    def _reset(self, token: str, new: str, network: str | None) -> list[UUID]:
        with self._read() as connection:
            user_id = resets.owner(connection, token, self._clock())
        user = self._one(user_id)
        self._refuse_guessable(new, user)
        new_hash, now = self._passwords.hash(new), self._clock()
        with self._begin() as session:
            account_commands.lock(
                session, user_id
            )  # before the token, as a change of the address has it
            resets.redeem(session, token, now)
            if not account_commands.set_password(session, user_id, user["password_hash"], new_hash):
                raise ResetTokenInvalid()  # the password has changed since, which ends all tokens
            if account_commands.recover(session, user_id):
                self._publish(session, "account_recovered", {"user_id": user_id})
            throttle.remember(session, user_id, network, now)
            self._has_changed(session, user, Action.PASSWORD_RESET, network)
            return session_commands.ended(session).get(user_id, [])

    def _compare(
        self, name: Mapping[str, str], password: str, network: str | None, origin: Origin
    ) -> tuple[RowMapping, throttle.Attempt]:
        with self._begin() as session:
            user = account_queries.by_name(session.connection(), **name)
            (typed,) = name.values()
            user_id = user and user["id"]
            attempt = throttle.sign_in(session, typed, user_id, network, self._clock())
        is_right = self._passwords.verify(user and user["password_hash"], password)
        if not is_right or (password == PUBLIC and not self._rules.sample_accounts):
            self._has_failed(user_id, attempt, origin)
            raise BadCredentials()
        return user, attempt

    def _has_failed(self, user_id: UUID | None, attempt: throttle.Attempt, origin: Origin) -> None:
        """Tell of a wrong password. For nobody the entry is taken back, so that the time that it
        takes tells nothing."""
        with self._begin() as session:
            throttle.touch(session, attempt, self._clock())
            entry = session.begin_nested()
            self._record(session, Action.SIGN_IN_FAILED, user_id, None, origin)
            entry.rollback() if user_id is None else entry.commit()

    def _prove(
        self, user: RowMapping, password: str | None, message: str = "Wrong password."
    ) -> None:
        """Raise `Invalid` unless it is the user's present password; guesses are counted here too,
        for whoever holds a stolen token."""
        if password is None:
            raise _wrong(message)
        with self._begin() as session:
            guess = throttle.take(session, throttle.NAME, self._clock(), str(user["id"]))
        if not self._passwords.verify(user["password_hash"], password):
            raise _wrong(message)
        with self._begin() as session:
            throttle.succeed(session, throttle.Attempt(guess), user["id"], None, self._clock())

    def prove(self, user_id: UUID, password: str) -> RowMapping:
        """The user, whose present password it is; raises `Invalid`."""
        user = self._one(user_id)
        self._prove(user, password)
        return user

    def _one(self, user_id: UUID) -> RowMapping:
        with self._read() as connection:
            return account_queries.get(connection, user_id)

    def _refuse_guessable(self, new: str, user: RowMapping) -> None:
        if is_guessable(new, *(user[name] for name in NAMES), *self._rules.shop_names):
            raise Invalid(errors={"new_password": [TOO_EASY]})

    def _has_changed(
        self, session: Session, user: RowMapping, action: Action, network: str | None
    ) -> None:
        self._publish(session, "password_changed", {"user_id": user["id"]})
        self._record(session, action, user["id"], _self(user), origin_of(network))


def _self(user: RowMapping) -> Actor:
    return Actor(user["id"], Role(user["role"]))


def _wrong(message: str) -> Invalid:
    return Invalid(errors={"current_password": [message]})


def _is_same(name: str, new: str | None, old: str | None) -> bool:
    if name == "email":
        return new.lower() == old.lower()
    return new == old
