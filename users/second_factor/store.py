"""Rows of second factors and recovery codes. Of the latter there are only digests."""

import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from contracts.users.errors import TotpEnabled, TotpNotEnabled
from users.models import RecoveryCode, Totp
from users.passwords import challenges
from users.second_factor import totp
from users.second_factor.totp import APP, RECOVERY

RECOVERY_CODES = 10


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


def forget(session: Session, user_id: UUID) -> bool:
    """Have no second factor any more; False when there was none."""
    challenges.forget(session, user_id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    mine = delete(Totp).where(Totp.user_id == user_id).returning(Totp.user_id)
    return session.scalar(mine) is not None


def _enabled(user_id: UUID) -> Select[UUID]:
    return select(Totp.user_id).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
