"""Former addresses, for the notice of a change."""

import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from chassis.errors import NotFound
from users.models import EmailChange


def old_email(connection: Connection, change_id: UUID, now: datetime.datetime) -> str:
    """The former address, to which the notice of a change goes; raises `NotFound` when that is too
    late."""
    found = connection.scalar(
        select(EmailChange.old_email).where(
            EmailChange.id == change_id, EmailChange.expires_at > now
        )
    )
    if found is None:
        raise NotFound("There is no such change.")
    return found
