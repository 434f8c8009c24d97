"""Rows of addresses that are to be confirmed, and of those that users had before."""

import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from contracts.users.errors import VerificationTokenInvalid
from users import expiry, tokens
from users.models import EmailChange, EmailVerification, User

LIFETIME = datetime.timedelta(days=1)
#: How long the notice to an old address may take: a mail server may be away for a while.
NOTICE = datetime.timedelta(days=7)


def request(session: Session, user: User, email: str, now: datetime.datetime) -> UUID:
    """Note that `user` is to be mailed a token to `email`, and return the id of that; the token
    before ends. The user's lock comes first."""
    session.flush()
    session.execute(delete(EmailVerification).where(EmailVerification.user_id == user.id))
    asked = EmailVerification(id=uuid4(), user_id=user.id, email=email, expires_at=now + LIFETIME)
    session.add(asked)
    session.flush()
    return asked.id


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


def owner(session: Session, token: str, now: datetime.datetime) -> UUID:
    """Whose token it is; raises `VerificationTokenInvalid`."""
    found = session.scalar(select(EmailVerification.user_id).where(*_holds(token, now)))
    if found is None:
        raise VerificationTokenInvalid()
    return found


def redeem(session: Session, token: str, now: datetime.datetime) -> str:
    """Use a token, which ends it, and return the address that it was sent to; raises
    `VerificationTokenInvalid` when it is over, or was used."""
    used = delete(EmailVerification).where(*_holds(token, now)).returning(EmailVerification.email)
    email = session.scalar(used)
    if email is None:
        raise VerificationTokenInvalid()
    return email


def forget(session: Session, user: User) -> None:
    """End the token of a user, and a change that waits for it. The user's lock comes first."""
    user.pending_email = None
    session.flush()
    session.execute(delete(EmailVerification).where(EmailVerification.user_id == user.id))


def keep_old_email(session: Session, user: User, now: datetime.datetime) -> UUID:
    """Keep the present address of a user until it has been told of a change, and return its id."""
    change = EmailChange(id=uuid4(), user_id=user.id, old_email=user.email, expires_at=now + NOTICE)
    session.add(change)
    return change.id


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete what has expired, `limit` rows of each table at most."""
    models: tuple[Any, ...] = (EmailVerification, EmailChange)
    for model in models:
        expiry.delete_some(session, model.id, model.expires_at <= now, limit)


def _holds(token: str, now: datetime.datetime) -> tuple[Any, ...]:
    mine = EmailVerification.token_hash == tokens.digest(token)
    return mine, EmailVerification.expires_at > now
