"""What is deleted with a person, or ends with a change of the account. The user's lock comes first:
a login at the same instant is over, or finds nobody."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from users import store
from users.models import (
    Address,
    EmailChange,
    EmailVerification,
    KnownNetwork,
    PasswordReset,
    RecoveryCode,
    Totp,
    TotpChallenge,
    User,
)

#: The columns of a user that are personal, but for what one signs in with.
_COLUMNS = (*store.OPTIONAL, "pending_email")
_MAILED_TOKENS: tuple[Any, ...] = (PasswordReset, EmailVerification)
#: Every table that tells of a user, but for the sessions.
PERSONAL: tuple[Any, ...] = (
    *_MAILED_TOKENS,
    Address,
    KnownNetwork,
    EmailChange,
    TotpChallenge,
    RecoveryCode,
    Totp,
)


def end_mailed_tokens(session: Session, user: User) -> None:
    """End the tokens in the mails of a user, and a change of the address that waits for one."""
    user.pending_email = None
    _delete(session, user, _MAILED_TOKENS)


def forget_person(session: Session, user: User) -> None:
    """Delete what is personal about a user, and every way in but the password and the sessions."""
    for name in _COLUMNS:
        setattr(user, name, None)
    _delete(session, user, PERSONAL)


def _delete(session: Session, user: User, models: tuple[Any, ...]) -> None:
    session.flush()
    for model in models:
        session.execute(delete(model).where(model.user_id == user.id))
