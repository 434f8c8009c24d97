"""Rows of sessions and refresh tokens: opened, refreshed, ended.

Everything that touches a family of tokens first locks its row in `sessions`, so that a refresh, a
re-use and a logout at the same instant happen one after the other. Whatever ends a session tells
the gateways, which then refuse its access tokens.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from chassis.identity import Actor, Role
from users import expiry, tokens
from users.context import Context
from users.models import LoginSession, RefreshToken, User
from users.origin import Origin
from users.sessions import refresh_tokens
from users.sessions.lifetimes import Lifetimes
from users.sessions.refresh_tokens import Worth

#: Sessions that one user may have; one more ends the one that was not used for the longest time.
MAX_SESSIONS = 100


@dataclass(frozen=True)
class Grant:
    """Who may have an access token, the session that it belongs to, and the refresh token that goes
    with it. Both tokens end with the session at the latest."""

    actor: Actor
    session_id: UUID
    expires_at: datetime.datetime
    refresh_token: str


@dataclass(frozen=True)
class Theft:
    """A refresh token came again after its successor was used: its session has ended."""

    user_id: UUID
    session_id: UUID


def start(
    context: Context, session: Session, user_id: UUID, password_hash: str, origin: Origin
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
    _make_room(context, session, user.id)
    now = context.clock()
    login = LoginSession(
        id=uuid4(),
        user_id=user.id,
        created_at=now,
        last_used_at=now,
        expires_at=Lifetimes.of(context.settings).end(user.role, now, now),
        network=origin.network,
        client=origin.client,
    )
    session.add(login)
    session.flush()
    return _grant(session, user, login, tokens.new())


def refresh(context: Context, session: Session, token: str, origin: Origin) -> Grant | Theft | None:
    """Exchange `token` for its successor. None if it does not hold; a `Theft` if it was used
    before, which ends the whole family, so commit in any case."""
    login = _family_of(session, token)
    if login is None:
        return None
    now, lifetimes = context.clock(), Lifetimes.of(context.settings)
    known = session.get_one(RefreshToken, tokens.digest(token))
    worth = _judge(session, token, known, now, lifetimes.grace)
    if worth is Worth.STOLEN:
        _end(context, session, login.user_id, LoginSession.id == login.id)
        return Theft(login.user_id, login.id)
    user = session.get_one(User, login.user_id)
    ends_at = lifetimes.end(user.role, login.created_at, now)
    if worth is Worth.EXPIRED or ends_at <= now:
        return None
    if known.successor_salt is not None:  # repeated, a moment after
        again = refresh_tokens.successor(token, known.successor_salt)
        return Grant(Actor(user.id, Role(user.role)), login.id, login.expires_at, again)
    salt = refresh_tokens.new_salt()
    known.used_at, known.successor_salt = now, salt
    login.expires_at, login.last_used_at = ends_at, now
    login.network = origin.network or login.network
    return _grant(session, user, login, refresh_tokens.successor(token, salt))


def end_by_token(context: Context, session: Session, token: str) -> LoginSession | None:
    """End the family of `token`, used or not, and return it. An unknown token has none."""
    login = _family_of(session, token)
    if login is not None:
        _end(context, session, login.user_id, LoginSession.id == login.id)
    return login


def end(context: Context, session: Session, user_id: UUID, session_id: UUID) -> bool:
    """End one session of a user; False when there is no such."""
    return bool(_end(context, session, user_id, LoginSession.id == session_id))


def end_all(
    context: Context, session: Session, user_id: UUID, but: UUID | None = None
) -> Sequence[UUID]:
    """End every session of a user, except `but`; returns their ids."""
    others = () if but is None else (LoginSession.id != but,)
    return _end(context, session, user_id, *others)


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete what has expired, `limit` rows of each table at most; several may do so at once."""
    expiry.delete_some(session, RefreshToken.token_hash, RefreshToken.expires_at <= now, limit)
    expiry.delete_some(session, LoginSession.id, LoginSession.expires_at <= now, limit)


def _end(
    context: Context, session: Session, user_id: UUID, *which: ColumnElement[bool]
) -> Sequence[UUID]:
    # Always locked in the same order, so that two who end several do not wait for each other.
    doomed = select(LoginSession.id).where(LoginSession.user_id == user_id, *which)
    ids = session.scalars(doomed.order_by(LoginSession.id).with_for_update()).all()
    session.execute(delete(LoginSession).where(LoginSession.id.in_(ids)))
    if ids:
        context.broadcast.publish(
            session, "sessions_ended", {"user_id": user_id, "session_ids": ids}
        )
    return ids


def _make_room(context: Context, session: Session, user_id: UUID) -> None:
    used = select(LoginSession.id).where(LoginSession.user_id == user_id)
    used = used.order_by(LoginSession.last_used_at.desc(), LoginSession.id)
    over = session.scalars(used.offset(MAX_SESSIONS - 1)).all()
    if over:
        _end(context, session, user_id, LoginSession.id.in_(over))


def _family_of(session: Session, token: str) -> LoginSession | None:
    return session.scalar(
        select(LoginSession)
        .join(RefreshToken)
        .where(RefreshToken.token_hash == tokens.digest(token))
        .with_for_update(of=LoginSession)
    )


def _judge(
    session: Session,
    token: str,
    known: RefreshToken,
    now: datetime.datetime,
    grace: datetime.timedelta,
) -> Worth:
    is_successor_used = False
    if known.successor_salt is not None:
        following = refresh_tokens.successor(token, known.successor_salt)
        successor = session.get(RefreshToken, tokens.digest(following))
        is_successor_used = successor is None or successor.used_at is not None
    return refresh_tokens.judge(now, known.expires_at, known.used_at, is_successor_used, grace)


def _grant(session: Session, user: User, login: LoginSession, token: str) -> Grant:
    session.add(
        RefreshToken(
            token_hash=tokens.digest(token),
            session_id=login.id,
            expires_at=login.expires_at,
        )
    )
    return Grant(Actor(user.id, Role(user.role)), login.id, login.expires_at, token)
