"""What users publishes."""

from chassis.fields import EventPayload, Integer, List, Uuid


class UserEvent(EventPayload):
    """Something has happened to a user; the type says what."""

    user_id = Uuid(required=True)


class PasswordResetRequested(EventPayload):
    """`user_id` is None when the address was nobody's: then nobody is to be told."""

    reset_id = Uuid(required=True)
    user_id = Uuid(required=True, allow_none=True)


class EmailVerificationRequested(UserEvent):
    """Whose address is to be confirmed; the token and the address are asked for by the id."""

    verification_id = Uuid(required=True)


class EmailChanged(UserEvent):
    """The old address is asked for by `change_id`, None when it was never confirmed."""

    change_id = Uuid(required=True, allow_none=True)


class RecoveryCodeUsed(UserEvent):
    """Somebody has signed in with a recovery code, of which so many are `left`."""

    left = Integer(min=0, max=2**31 - 1, required=True)


class SessionsEnded(UserEvent):
    """Sessions of a user that have ended before their time."""

    session_ids = List(Uuid(), max=1000, required=True)


#: By the outbox, to one process of each service that handles them.
EVENTS = {
    "user_registered": UserEvent,
    "password_reset_requested": PasswordResetRequested,
    "password_changed": UserEvent,
    "email_verification_requested": EmailVerificationRequested,
    # Somebody with the user's password has asked for another address.
    "email_change_requested": UserEvent,
    "email_changed": EmailChanged,
    # The owner of the e-mail address has taken over an account that somebody else had made.
    "account_recovered": UserEvent,
    # From now on signing in takes a code.
    "totp_enabled": UserEvent,
    # The password alone is enough again; the user, or an admin, has seen to that.
    "totp_disabled": UserEvent,
    "recovery_code_used": RecoveryCodeUsed,
    # There are other recovery codes now.
    "recovery_codes_renewed": UserEvent,
}

#: To every process that listens at this moment.
BROADCASTS = {"sessions_ended": SessionsEnded}
