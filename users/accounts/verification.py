"""E-mail addresses are confirmed by a token that was mailed to them.

An address counts once its owner has shown to read its mails. Until then the account can be used,
but nothing else is mailed there. A new address waits in `pending_email`, and the old one stays
until the new one is confirmed.

The token is made when its mail leaves, as for a new password (`users.passwords.resets`): it is in
the mail and nowhere else. It holds once, for a day, for the address it was sent to. A user has one
at a time, and it ends when the e-mail address, the password or the role changes.
"""

import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.orm import Session

from chassis.errors import AlreadyExists, NotFound
from contracts.users.errors import AlreadyVerified, VerificationTokenInvalid
from users import store as user_store
from users import throttle, tokens
from users.context import Context
from users.models import EmailChange, EmailVerification, User
from users.passwords import resets
from users.throttle import Limit

LIFETIME = datetime.timedelta(days=1)
#: How long the notice to an old address may take: a mail server may be away for a while.
NOTICE = datetime.timedelta(days=7)

#: Mails with a token: to one address, whoever asks, and for one user.
BY_ADDRESS = Limit("verify-address", free=3, longest=3600)
BY_USER = Limit("verify-user", free=5, longest=3600)
#: Tokens that do not hold, from one network.
GUESSES = Limit("verify-network", free=20, longest=900)


def welcome(context: Context, session: Session, user: User) -> None:
    """Have the address of a new account confirmed. When it has had too many such mails already
    there is no other one, and the user asks for it later."""
    email = _of(user)
    if throttle.is_free(session, BY_ADDRESS, context.clock(), email):
        _ask(context, session, user, email)


def ask_again(context: Context, session: Session, user: User) -> None:
    """Another mail with another token; the one before ends. `user` is locked.

    Raises `AlreadyVerified`, and `TooManyRequests`.
    """
    if user.pending_email is None and user.email_verified:
        raise AlreadyVerified()
    _ask(context, session, user, user.pending_email or _of(user))


def change(context: Context, session: Session, user: User, email: str) -> None:
    """Have another address of `user`, who is locked, confirmed before it counts. The present one
    gives a change that waits up. What differs in case alone is the same address.

    Raises `AlreadyExists`, and `TooManyRequests`.
    """
    if email.lower() == _of(user).lower():
        user.email = email
        if user.pending_email is not None:
            forget(session, user)
        return
    if session.scalar(select(exists().where(func.lower(User.email) == email.lower()))):
        raise AlreadyExists(field="email")
    resets.forget(session, user.id)
    user.pending_email = email
    _ask(context, session, user, email)
    context.events.record(session, "email_change_requested", {"user_id": user.id})


def issue(session: Session, verification_id: UUID, now: datetime.datetime) -> tuple[str, str]:
    """A new token for a request and the address it is for; raises `NotFound` when it is over."""
    token = tokens.new()
    issued = (
        update(EmailVerification)
        .where(EmailVerification.id == verification_id, EmailVerification.expires_at > now)
        .values(token_hash=tokens.digest(token))
        .returning(EmailVerification.email)
    )
    email = session.scalar(issued)
    if email is None:
        raise NotFound("There is no such request.")
    return token, email


def guess(session: Session, network: str | None, now: datetime.datetime) -> bytes | None:
    """Count a token that comes from `network` (None: from a service) before it is looked at;
    raises `TooManyRequests`."""
    return None if network is None else throttle.take(session, GUESSES, now, network)


def was_right(session: Session, counted: bytes | None, now: datetime.datetime) -> None:
    """It was no guess: take back what `guess` has counted."""
    if counted is not None:
        throttle.take_back(session, counted, now)


def owner(session: Session, token: str, now: datetime.datetime) -> UUID:
    """Whose token it is; raises `VerificationTokenInvalid`."""
    found = session.scalar(select(EmailVerification.user_id).where(*_holds(token, now)))
    if found is None:
        raise VerificationTokenInvalid()
    return found


def redeem(context: Context, session: Session, user: User, token: str) -> bool:
    """Confirm the address that the token was sent to; whether it took the place of another. `user`
    is locked, so of two at once the second finds nothing.

    Raises `VerificationTokenInvalid`, and `AlreadyExists` when somebody else has confirmed the
    address meanwhile.
    """
    mine, old_email = _holds(token, context.clock()), user.email
    used = delete(EmailVerification).where(*mine).returning(EmailVerification.email)
    email = session.scalar(used)
    if email is None or email.lower() != (user.pending_email or _of(user)).lower():
        raise VerificationTokenInvalid()
    if user.pending_email is not None:
        _move(context, session, user)
    user.email_verified = True
    user.version += 1
    user_store.flush(session)
    return user.email != old_email


def forget(session: Session, user: User) -> None:
    """End the token of a user, and a change that waits for it. The user's lock comes first."""
    user.pending_email = None
    session.flush()
    session.execute(delete(EmailVerification).where(EmailVerification.user_id == user.id))


def old_email(connection: Connection, change_id: UUID, now: datetime.datetime) -> str:
    """The former address, to which the notice of a change goes; raises `NotFound` when that is too
    late."""
    found = connection.scalar(
        select(EmailChange.old_email).where(
            EmailChange.id == change_id, EmailChange.expires_at > now
        )
    )
    if found is None:
        raise NotFound("There is no such change.")
    return found


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete what has expired, `limit` rows of each table at most."""
    models: tuple[Any, ...] = (EmailVerification, EmailChange)
    for model in models:
        over = select(model.id).where(model.expires_at <= now).limit(limit)
        session.execute(delete(model).where(model.id.in_(over.with_for_update(skip_locked=True))))


def _ask(context: Context, session: Session, user: User, email: str) -> None:
    now = context.clock()
    throttle.take(session, BY_USER, now, str(user.id))
    throttle.take(session, BY_ADDRESS, now, email)
    session.flush()
    session.execute(delete(EmailVerification).where(EmailVerification.user_id == user.id))
    request = EmailVerification(id=uuid4(), user_id=user.id, email=email, expires_at=now + LIFETIME)
    session.add(request)
    session.flush()
    asked = {"verification_id": request.id, "user_id": user.id}
    context.events.record(session, "email_verification_requested", asked)


def _move(context: Context, session: Session, user: User) -> None:
    """The new address takes the place of the old one, which is told if it was ever confirmed."""
    change_id = None
    if user.email_verified:
        change_id, told_by = uuid4(), context.clock() + NOTICE
        session.add(
            EmailChange(id=change_id, user_id=user.id, old_email=user.email, expires_at=told_by)
        )
    user.email, user.pending_email = user.pending_email, None
    user_store.flush(session)
    resets.forget(session, user.id)
    changed = {"change_id": change_id, "user_id": user.id}
    context.events.record(session, "email_changed", changed)


def _of(user: User) -> str:
    """The address of a user who is not deleted, which a constraint demands."""
    assert user.email is not None
    return user.email


def _holds(token: str, now: datetime.datetime) -> tuple[Any, ...]:
    mine = EmailVerification.token_hash == tokens.digest(token)
    return mine, EmailVerification.expires_at > now
