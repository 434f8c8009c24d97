"""How users are reached: e-mail address and phone number as they are kept.

What is stored was taken once, perhaps by other rules than today's: it may be sent again as it is.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from chassis import phones
from chassis.errors import Invalid
from contracts.users.fields import NO_EMAIL, as_compared, is_email
from users.models import Address, User


def phone(written: str, country: str) -> str:
    """The number as it is kept, E.164; raises `Invalid`. Without a country code it is one of
    `country`."""
    try:
        return phones.e164(written, country)
    except ValueError as fault:
        raise Invalid(errors={"phone": [str(fault)]}) from None


def in_profile(
    connection: Connection, user_id: UUID, profile: Mapping[str, Any], default_country: str
) -> dict[str, Any]:
    """The profile with e-mail address and phone number, if it has them, as they are kept; raises
    `Invalid`. A number without a country code is of the user's default address, else of
    `default_country`."""
    kept = dict(profile)
    email, written = kept.get("email"), kept.get("phone")
    found = connection.execute(select(User.email, User.phone).where(User.id == user_id)).first()
    stored_email, stored_phone = found or (None, None)
    if email and stored_email and email in (stored_email, as_compared(stored_email)):
        kept["email"] = stored_email
    elif email and not is_email(email):
        raise Invalid(errors={"email": [NO_EMAIL]})
    if written and written != stored_phone:
        mine = select(Address.country).where(Address.user_id == user_id, Address.is_default)
        kept["phone"] = phone(written, connection.scalar(mine) or default_country)
    return kept
