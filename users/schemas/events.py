"""What is published: events, by the outbox, and broadcasts."""

from marshmallow import Schema, fields

from chassis.fields import Uuid


class UserRegistered(Schema):
    user_id = Uuid()


class PasswordResetRequested(Schema):
    """`user_id` is None when the address was nobody's: then nobody is to be told."""

    reset_id = Uuid()
    user_id = Uuid(allow_none=True)


class PasswordChanged(Schema):
    user_id = Uuid()


class EmailVerificationRequested(Schema):
    """Whose address is to be confirmed; the token and the address are asked for by the id."""

    verification_id = Uuid()
    user_id = Uuid()


class EmailChangeRequested(Schema):
    """Somebody with the user's password has asked for another address."""

    user_id = Uuid()


class EmailChanged(Schema):
    """The old address is asked for by `change_id`, None when it was never confirmed."""

    change_id = Uuid(allow_none=True)
    user_id = Uuid()


class AccountRecovered(Schema):
    """The owner of the e-mail address has taken over an account that somebody else had made."""

    user_id = Uuid()


class TotpEnabled(Schema):
    """From now on signing in takes a code."""

    user_id = Uuid()


class TotpDisabled(Schema):
    """The password alone is enough again; the user, or an admin, has seen to that."""

    user_id = Uuid()


class RecoveryCodeUsed(Schema):
    """Somebody has signed in with a recovery code, of which so many are `left`."""

    user_id = Uuid()
    left = fields.Integer()


class RecoveryCodesRenewed(Schema):
    """There are other recovery codes now."""

    user_id = Uuid()


class SessionsEnded(Schema):
    """Sessions of a user that have ended before their time."""

    user_id = Uuid()
    session_ids = fields.List(Uuid())


EVENTS = {
    "user_registered": UserRegistered,
    "password_reset_requested": PasswordResetRequested,
    "password_changed": PasswordChanged,
    "email_verification_requested": EmailVerificationRequested,
    "email_change_requested": EmailChangeRequested,
    "email_changed": EmailChanged,
    "account_recovered": AccountRecovered,
    "totp_enabled": TotpEnabled,
    "totp_disabled": TotpDisabled,
    "recovery_code_used": RecoveryCodeUsed,
    "recovery_codes_renewed": RecoveryCodesRenewed,
}


#: Broadcasts, by their type.
NEWS = {"sessions_ended": SessionsEnded}
