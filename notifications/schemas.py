"""What the notifications service needs of others."""

from marshmallow import fields

from chassis.fields import (
    Boolean,
    Expected,
    Integer,
    String,
    Uuid,
)
from chassis.fields import List as ListOf


class UserEvent(Expected):
    """What we need of users.user_registered."""

    user_id = Uuid(required=True)


class RecoveryCodeUsed(UserEvent):
    """What we need of users.recovery_code_used: how many codes are left."""

    left = Integer(min=0, max=2**31 - 1, required=True)


class ResetRequested(Expected):
    """What we need of users.password_reset_requested; without a user there is nobody to tell."""

    reset_id = Uuid(required=True)
    user_id = Uuid(required=True, allow_none=True)


class EmailChanged(UserEvent):
    """What we need of users.email_changed; without a change there is no old address to tell."""

    change_id = Uuid(required=True, allow_none=True)


class VerificationRequested(Expected):
    """What we need of users.email_verification_requested."""

    verification_id = Uuid(required=True)
    user_id = Uuid(required=True)


class ResetToken(Expected):
    """What we need of the answer of users.issue_reset_token; one of the version before has the
    token alone."""

    token = String(max=512, required=True)
    email = String(max=254, load_default=None, allow_none=True)
    holds = Integer(min=0, max=86400, load_default=1800)


class VerificationToken(Expected):
    """What we need of the answer of users.issue_verification_token."""

    token = String(max=512, required=True)
    email = String(max=254, required=True)


class OldEmail(Expected):
    """What we need of the answer of users.old_email."""

    email = String(max=254, required=True)


class Contact(Expected):
    """users.contacts: where to reach a user."""

    id = Uuid(required=True)
    email = String(max=254, load_default=None, allow_none=True)
    email_verified = Boolean(load_default=None, allow_none=True)
    phone = String(max=64, load_default=None, allow_none=True)


class Contacts(Expected):
    """What we need of the answer of users.contacts; who is not there is left out."""

    items = ListOf(fields.Nested(Contact), max=500, required=True)
