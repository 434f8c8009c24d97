"""What only one account can have."""

from functools import partial

from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import AlreadyExists

_TAKEN = {
    "uq_users_email": partial(AlreadyExists, field="email"),
    "uq_users_username": partial(AlreadyExists, field="username"),
}


def flush(session: Session) -> None:
    """Write what has changed; raises `AlreadyExists` when the e-mail address or the user name is
    somebody else's, whatever its case."""
    with map_integrity_error(_TAKEN):
        session.flush()
