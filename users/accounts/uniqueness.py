"""What only one account can have."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.errors import AlreadyExists

_TAKEN = {"uq_users_email": "email", "uq_users_username": "username"}


def flush(session: Session) -> None:
    """Write what has changed; raises `AlreadyExists` when the e-mail address or the user name is
    somebody else's, whatever its case."""
    try:
        session.flush()
    except IntegrityError as error:
        field = _TAKEN.get(error.orig.diag.constraint_name)  # type: ignore[union-attr]
        if field is None:
            raise
        raise AlreadyExists(field=field) from None
