"""Logins and what keeps them alive: opening, refreshing, ending.

Everything that touches a family of tokens first locks its row in `sessions`, so that a refresh, a
re-use and a logout at the same instant happen one after the other.
"""

import datetime
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.identity import Actor, Role
from users import refresh_tokens
from users.models import LoginSession, RefreshToken, User
from users.refresh_tokens import Worth


@dataclass(frozen=True)
class Lifetimes:
    """How long an unused refresh token holds, and how long a used one may be repeated."""

    refresh_token: datetime.timedelta
    grace: datetime.timedelta


@dataclass(frozen=True)
class Grant:
    """Who may have an access token, and the refresh token that goes with it."""

    actor: Actor
    refresh_token: str


def start(
    session: Session, user_id: UUID, password_hash: str, now: datetime.datetime, lives: Lifetimes
) -> Grant | None:
    """Open a session for a user whose password matched `password_hash`.

    None if the user was deleted or the password changed since: the row is locked against both.
    """
    user = session.scalar(
        select(User)
        .where(User.id == user_id, User.password_hash == password_hash)
        .with_for_update(read=True)
    )
    if user is None:
        return None
    login = LoginSession(
        id=uuid4(), user_id=user.id, created_at=now, expires_at=now + lives.refresh_token
    )
    session.add(login)
    session.flush()
    return _grant(session, user, login, refresh_tokens.new(), now, lives)


def refresh(session: Session, token: str, now: datetime.datetime, lives: Lifetimes) -> Grant | None:
    """Exchange `token` for its successor. None if it does not hold; if it was used before, the
    whole family ends, so commit in either case."""
    login = _family_of(session, token)
    if login is None:
        return None
    known = session.get_one(RefreshToken, refresh_tokens.digest(token))
    worth = _judge(session, token, known, now, lives)
    if worth is Worth.STOLEN:
        session.execute(delete(LoginSession).where(LoginSession.id == login.id))
    if worth in (Worth.STOLEN, Worth.EXPIRED):
        return None
    user = session.get_one(User, login.user_id)
    if worth is Worth.REPEATED:
        again = refresh_tokens.successor(token, known.successor_salt)
        return Grant(Actor(user.id, Role(user.role)), again)
    known.used_at, known.successor_salt = now, refresh_tokens.new_salt()
    login.expires_at = now + lives.refresh_token
    following = refresh_tokens.successor(token, known.successor_salt)
    return _grant(session, user, login, following, now, lives)


def end(session: Session, token: str) -> None:
    """Log out: end the family of `token`, used or not. An unknown token has none."""
    login = _family_of(session, token)
    if login is not None:
        session.execute(delete(LoginSession).where(LoginSession.id == login.id))


def end_all(session: Session, user_id: UUID) -> None:
    """End every session of a user."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete what has expired, `limit` rows of each table at most; several may do so at once."""
    for model, key in ((RefreshToken, RefreshToken.token_hash), (LoginSession, LoginSession.id)):
        expired = (
            select(key)
            .where(model.expires_at <= now)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        session.execute(delete(model).where(key.in_(expired)))


def _family_of(session: Session, token: str) -> LoginSession | None:
    return session.scalar(
        select(LoginSession)
        .join(RefreshToken)
        .where(RefreshToken.token_hash == refresh_tokens.digest(token))
        .with_for_update(of=LoginSession)
    )


def _judge(
    session: Session, token: str, known: RefreshToken, now: datetime.datetime, lives: Lifetimes
) -> Worth:
    is_successor_used = False
    if known.successor_salt is not None:
        following = refresh_tokens.successor(token, known.successor_salt)
        successor = session.get(RefreshToken, refresh_tokens.digest(following))
        is_successor_used = successor is None or successor.used_at is not None
    return refresh_tokens.judge(
        now, known.expires_at, known.used_at, is_successor_used, lives.grace
    )


def _grant(
    session: Session,
    user: User,
    login: LoginSession,
    token: str,
    now: datetime.datetime,
    lives: Lifetimes,
) -> Grant:
    session.add(
        RefreshToken(
            token_hash=refresh_tokens.digest(token),
            session_id=login.id,
            expires_at=now + lives.refresh_token,
        )
    )
    return Grant(Actor(user.id, Role(user.role)), token)
