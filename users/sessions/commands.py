"""Logins and what keeps them alive: opening, refreshing, ending.

Everything that touches a family of tokens first locks its row in `sessions`, so that a refresh, a
re-use and a logout at the same instant happen one after the other.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.identity import Actor, Role
from users.models import LoginSession, RefreshToken, User
from users.origin import Origin
from users.sessions import refresh_tokens
from users.sessions.refresh_tokens import Worth

#: Sessions that one user may have; one more ends the one that was not used for the longest time.
MAX_SESSIONS = 100

_ENDED = "ended_sessions"


@dataclass(frozen=True)
class Lifetimes:
    """How long an unused refresh token holds, how long a used one may be repeated, and how long a
    session lasts at most, however often it is refreshed: for customers, and for staff and admins.
    """

    refresh_token: datetime.timedelta
    grace: datetime.timedelta
    session: datetime.timedelta
    staff_session: datetime.timedelta

    def end(
        self, role: str, created_at: datetime.datetime, now: datetime.datetime
    ) -> datetime.datetime:
        """When a session that is used now ends, if it is not used again."""
        longest = self.session if role == Role.CUSTOMER else self.staff_session
        return min(now + self.refresh_token, created_at + longest)


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
    session: Session,
    user_id: UUID,
    password_hash: str,
    origin: Origin,
    now: datetime.datetime,
    lives: Lifetimes,
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
    _make_room(session, user.id)
    login = LoginSession(
        id=uuid4(),
        user_id=user.id,
        created_at=now,
        last_used_at=now,
        expires_at=lives.end(user.role, now, now),
        network=origin.network,
        client=origin.client,
    )
    session.add(login)
    session.flush()
    return _grant(session, user, login, refresh_tokens.new())


def refresh(
    session: Session, token: str, origin: Origin, now: datetime.datetime, lives: Lifetimes
) -> Grant | Theft | None:
    """Exchange `token` for its successor. None if it does not hold; a `Theft` if it was used
    before, which ends the whole family, so commit in any case."""
    login = _family_of(session, token)
    if login is None:
        return None
    known = session.get_one(RefreshToken, refresh_tokens.digest(token))
    worth = _judge(session, token, known, now, lives)
    if worth is Worth.STOLEN:
        _end(session, login.user_id, LoginSession.id == login.id)
        return Theft(login.user_id, login.id)
    user = session.get_one(User, login.user_id)
    ends_at = lives.end(user.role, login.created_at, now)
    if worth is Worth.EXPIRED or ends_at <= now:
        return None
    if worth is Worth.REPEATED:
        again = refresh_tokens.successor(token, known.successor_salt)
        return Grant(Actor(user.id, Role(user.role)), login.id, login.expires_at, again)
    known.used_at, known.successor_salt = now, refresh_tokens.new_salt()
    login.expires_at, login.last_used_at = ends_at, now
    login.network = origin.network or login.network
    following = refresh_tokens.successor(token, known.successor_salt)
    return _grant(session, user, login, following)


def log_out(session: Session, token: str) -> LoginSession | None:
    """End the family of `token`, used or not. An unknown token has none."""
    login = _family_of(session, token)
    if login is not None:
        _end(session, login.user_id, LoginSession.id == login.id)
    return login


def end(session: Session, user_id: UUID, session_id: UUID) -> None:
    """End one session; raises `NotFound`, also for somebody else's."""
    if not _end(session, user_id, LoginSession.id == session_id):
        raise NotFound("There is no such session.")


def end_all(session: Session, user_id: UUID, but: UUID | None = None) -> int:
    """End every session of a user, except `but`; returns how many those were."""
    others = () if but is None else (LoginSession.id != but,)
    return len(_end(session, user_id, *others))


def ended(session: Session) -> dict[UUID, list[UUID]]:
    """What has ended in this transaction: ids of sessions by user."""
    return session.info.get(_ENDED, {})


def _end(session: Session, user_id: UUID, *which: ColumnElement[bool]) -> Sequence[UUID]:
    # Always locked in the same order, so that two who end several do not wait for each other.
    doomed = select(LoginSession.id).where(LoginSession.user_id == user_id, *which)
    ids = session.scalars(doomed.order_by(LoginSession.id).with_for_update()).all()
    session.execute(delete(LoginSession).where(LoginSession.id.in_(ids)))
    if ids:
        session.info.setdefault(_ENDED, {}).setdefault(user_id, []).extend(ids)
    return ids


def _make_room(session: Session, user_id: UUID) -> None:
    used = select(LoginSession.id).where(LoginSession.user_id == user_id)
    used = used.order_by(LoginSession.last_used_at.desc(), LoginSession.id)
    over = session.scalars(used.offset(MAX_SESSIONS - 1)).all()
    if over:
        _end(session, user_id, LoginSession.id.in_(over))


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


def _grant(session: Session, user: User, login: LoginSession, token: str) -> Grant:
    session.add(
        RefreshToken(
            token_hash=refresh_tokens.digest(token),
            session_id=login.id,
            expires_at=login.expires_at,
        )
    )
    return Grant(Actor(user.id, Role(user.role)), login.id, login.expires_at, token)
