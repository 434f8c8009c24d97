"""Whoever has shown the password of a user with a second factor gets a challenge, which asks for
the code that is still missing. It holds once, and ends with the password."""

import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.orm import Session

from contracts.users.errors import ChallengeExpired
from users import expiry, tokens
from users.models import TotpChallenge, User

#: Time for finding the phone.
LIFETIME = datetime.timedelta(minutes=5)


def begin(session: Session, user: RowMapping, now: datetime.datetime) -> str | None:
    """A token that says that its bearer knew the password a moment ago; None when the user was
    deleted or the password has changed since."""
    unchanged = User.id == user["id"], User.password_hash == user["password_hash"]
    if session.scalar(select(User.id).where(*unchanged).with_for_update(read=True)) is None:
        return None
    token = tokens.new()
    digest, expires_at = tokens.digest(token), now + LIFETIME
    session.add(TotpChallenge(token_hash=digest, user_id=user["id"], expires_at=expires_at))
    session.flush()
    return token


def owner(session: Session, token: str, now: datetime.datetime) -> RowMapping:
    """`id` and `password_hash` of the user whose challenge it is, locked against another password;
    raises `ChallengeExpired`."""
    mine = TotpChallenge.token_hash == tokens.digest(token)
    user_id = session.scalar(
        select(TotpChallenge.user_id).where(mine, TotpChallenge.expires_at > now)
    )
    # The user first, as everybody does who changes the password, which ends all challenges.
    locked = select(User.id, User.password_hash).where(User.id == user_id)
    user = session.execute(locked.with_for_update(read=True)).mappings().first()
    if user is None or session.scalar(select(TotpChallenge.user_id).where(mine)) is None:
        raise ChallengeExpired()
    return user


def redeem(session: Session, token: str) -> None:
    """Use a challenge, which ends it; raises `ChallengeExpired` when somebody was faster."""
    mine = TotpChallenge.token_hash == tokens.digest(token)
    used = delete(TotpChallenge).where(mine).returning(TotpChallenge.user_id)
    if session.scalar(used) is None:
        raise ChallengeExpired()


def forget(session: Session, user_id: UUID) -> None:
    """End all challenges of a user, who has to show the password again."""
    session.execute(delete(TotpChallenge).where(TotpChallenge.user_id == user_id))


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete challenges that have expired, `limit` at most."""
    expiry.delete_some(session, TotpChallenge.token_hash, TotpChallenge.expires_at <= now, limit)
