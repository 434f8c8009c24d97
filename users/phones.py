"""Which country a phone number without a country code is of: that of the user's default address,
else the shop's."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import phones
from chassis.errors import Invalid
from users.models import Address


def kept(written: str, country: str) -> str:
    """The number as it is kept, E.164; raises `Invalid`."""
    try:
        return phones.e164(written, country)
    except ValueError as fault:
        raise Invalid(errors={"phone": [str(fault)]}) from None


def in_profile(
    session: Session, user_id: UUID, profile: Mapping[str, Any], default_country: str
) -> dict[str, Any]:
    """The profile with its phone number, if it has one, as it is kept; raises `Invalid`."""
    if not profile.get("phone"):
        return dict(profile)
    mine = select(Address.country).where(Address.user_id == user_id, Address.is_default)
    country = session.scalar(mine) or default_country
    return dict(profile) | {"phone": kept(profile["phone"], country)}
