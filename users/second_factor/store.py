"""Rows of second factors, recovery codes and challenges. Of the last two there are only digests."""

import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from contracts.users.errors import ChallengeExpired, TotpEnabled, TotpNotEnabled
from users.models import RecoveryCode, Totp, TotpChallenge, User
from users.second_factor import totp
from users.second_factor.totp import APP, RECOVERY
from users.sessions import refresh_tokens

RECOVERY_CODES = 10
#: Time for finding the phone.
CHALLENGE_LIFETIME = datetime.timedelta(minutes=5)


def enrol(session: Session, user_id: UUID, now: datetime.datetime) -> str:
    """A new secret, in base 32, that counts once it is confirmed; raises `TotpEnabled`."""
    secret = totp.new_secret()
    begun = upsert(Totp).values(user_id=user_id, secret=secret, created_at=now)
    begun = begun.on_conflict_do_update(
        index_elements=["user_id"],
        set_={"secret": secret, "created_at": now},
        where=Totp.confirmed_at.is_(None),
    )
    if session.scalar(begun.returning(Totp.user_id)) is None:
        raise TotpEnabled()
    return secret


def confirm(session: Session, user_id: UUID, code: str, now: datetime.datetime) -> list[str] | None:
    """Have the secret count from now on, and return recovery codes; None when `code` is not one of
    it. Raises `TotpEnabled`, and `TotpNotEnabled` when nobody has enrolled."""
    mine = session.scalar(select(Totp).where(Totp.user_id == user_id).with_for_update())
    if mine is None:
        raise TotpNotEnabled()
    if mine.confirmed_at is not None:
        raise TotpEnabled()
    step = totp.step_of(mine.secret, code, now)
    if step is None:
        return None
    mine.confirmed_at, mine.last_step = now, step
    return renew_recovery_codes(session, user_id)


def renew_recovery_codes(session: Session, user_id: UUID) -> list[str]:
    """Other recovery codes in place of those that are there. The user's lock comes first."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [totp.new_recovery_code() for _ in range(RECOVERY_CODES)]
    rows = [{"user_id": user_id, "code_hash": totp.digest(code)} for code in codes]
    session.execute(insert(RecoveryCode), rows)
    return codes


def verify(session: Session, user_id: UUID, code: str, now: datetime.datetime) -> str | None:
    """Use a code: `APP` or `RECOVERY`, whichever it was; None when it is neither, or was used
    before. Of two who come with the same at once, one gets through."""
    secret = session.scalar(
        select(Totp.secret).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
    )
    if secret is None:
        raise TotpNotEnabled()
    step = totp.step_of(secret, code, now)
    if step is not None:
        unused = update(Totp).where(Totp.user_id == user_id, Totp.last_step < step)
        unused = unused.values(last_step=step).returning(Totp.user_id)
        return APP if session.scalar(unused) else None
    mine = RecoveryCode.user_id == user_id
    used = delete(RecoveryCode).where(mine, RecoveryCode.code_hash == totp.digest(code))
    return RECOVERY if session.scalar(used.returning(RecoveryCode.user_id)) else None


def state(connection: Connection | Session, user_id: UUID) -> RowMapping:
    """`enabled`, and `recovery_codes_left`."""
    is_enabled = _enabled(user_id).exists().label("enabled")
    left = select(func.count()).where(RecoveryCode.user_id == user_id).scalar_subquery()
    found = select(is_enabled, left.label("recovery_codes_left"))
    return connection.execute(found).mappings().one()


def is_enabled(session: Session, user_id: UUID) -> bool:
    """Whether a password alone is not enough."""
    return session.scalars(select(_enabled(user_id).exists())).one()


def challenge(session: Session, user: RowMapping, now: datetime.datetime) -> str | None:
    """A token that says that its bearer knew the password a moment ago; None when the user was
    deleted or the password has changed since."""
    unchanged = User.id == user["id"], User.password_hash == user["password_hash"]
    if session.scalar(select(User.id).where(*unchanged).with_for_update(read=True)) is None:
        return None
    token = refresh_tokens.new()
    digest, expires_at = refresh_tokens.digest(token), now + CHALLENGE_LIFETIME
    session.add(TotpChallenge(token_hash=digest, user_id=user["id"], expires_at=expires_at))
    session.flush()
    return token


def challenged(session: Session, token: str, now: datetime.datetime) -> RowMapping:
    """`id` and `password_hash` of the user whose challenge it is, locked against another password;
    raises `ChallengeExpired`."""
    mine = TotpChallenge.token_hash == refresh_tokens.digest(token)
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
    mine = TotpChallenge.token_hash == refresh_tokens.digest(token)
    used = delete(TotpChallenge).where(mine).returning(TotpChallenge.user_id)
    if session.scalar(used) is None:
        raise ChallengeExpired()


def end_challenges(session: Session, user_id: UUID) -> None:
    """Whoever has shown the password has to do so again."""
    session.execute(delete(TotpChallenge).where(TotpChallenge.user_id == user_id))


def forget(session: Session, user_id: UUID) -> bool:
    """Have no second factor any more; False when there was none."""
    end_challenges(session, user_id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    mine = delete(Totp).where(Totp.user_id == user_id).returning(Totp.user_id)
    return session.scalar(mine) is not None


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete challenges that have expired, `limit` at most."""
    over = select(TotpChallenge.token_hash).where(TotpChallenge.expires_at <= now).limit(limit)
    over = over.with_for_update(skip_locked=True)
    session.execute(delete(TotpChallenge).where(TotpChallenge.token_hash.in_(over)))


def _enabled(user_id: UUID) -> Select[UUID]:
    return select(Totp.user_id).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
