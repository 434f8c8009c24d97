"""New passwords by mail.

A request is a row, also when the address is nobody's: to the one who asks both look the same and
take the same time. The token is made when the mail leaves, so that it is in the mail and nowhere
else: no event, no log and no message at rest has it, and here is only its SHA-256. A mail that had
to be sent again has another token, and only that of the last one holds. It ends when the e-mail
address, the password or the role changes.
"""

import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from contracts.users.errors import ResetTokenInvalid
from users import expiry, tokens
from users.models import PasswordReset, User


def request(session: Session, user_id: UUID | None, expires_at: datetime.datetime) -> PasswordReset:
    """Note that `user_id`, or nobody, is to be mailed a token that holds until `expires_at`, and
    return the request. Who is deleted at the same instant is nobody."""
    mine = select(User.id).where(User.id == user_id, User.deleted_at.is_(None))
    owner_id = session.scalar(mine.with_for_update(read=True))
    reset = PasswordReset(id=uuid4(), user_id=owner_id, expires_at=expires_at)
    session.add(reset)
    session.flush()
    return reset


def issue(session: Session, reset_id: UUID, now: datetime.datetime) -> tuple[str, str]:
    """A new token for a request and the address that it goes to; raises `NotFound` when it is
    over. A change of the address waits for this, and then ends the token."""
    token = tokens.new()
    issued = (
        update(PasswordReset)
        .where(PasswordReset.id == reset_id, PasswordReset.user_id.is_not(None))
        .where(PasswordReset.expires_at > now)
        .values(token_hash=tokens.digest(token))
        .returning(PasswordReset.user_id)
    )
    user_id = session.scalar(issued)
    if user_id is None:
        raise NotFound("There is no such request.")
    email = session.scalar(select(User.email).where(User.id == user_id))
    assert email is not None  # a request goes with its user
    return token, email


def owner(connection: Connection, token: str, now: datetime.datetime) -> RowMapping:
    """The user whose token it is; raises `ResetTokenInvalid`."""
    mine = PasswordReset.token_hash == tokens.digest(token)
    query = select(User.__table__).join(PasswordReset, PasswordReset.user_id == User.id)
    query = query.where(mine, PasswordReset.expires_at > now, User.deleted_at.is_(None))
    found = connection.execute(query).mappings().first()
    if found is None:
        raise ResetTokenInvalid()
    return found


def redeem(session: Session, token: str, now: datetime.datetime) -> None:
    """Use a token, which ends it; raises `ResetTokenInvalid` when it is over, or was used."""
    mine = PasswordReset.token_hash == tokens.digest(token)
    used = delete(PasswordReset).where(mine, PasswordReset.expires_at > now)
    if session.scalar(used.returning(PasswordReset.id)) is None:
        raise ResetTokenInvalid()


def forget(session: Session, user_id: UUID) -> None:
    """End all requests of a user."""
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Delete what has expired, `limit` rows at most."""
    expiry.delete_some(session, PasswordReset.id, PasswordReset.expires_at <= now, limit)
