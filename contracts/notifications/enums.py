"""The words of notifications."""

from enum import StrEnum


class Channel(StrEnum):
    """How a notification reaches its user."""

    EMAIL = "email"
    SMS = "sms"
    IN_APP = "in_app"


class FailureCode(StrEnum):
    """Why a message will not be sent. Channels have more words for it, such as `smtp_550`."""

    USER_GONE = "user_gone"
    NO_ADDRESS = "no_address"
    EMAIL_UNVERIFIED = "email_unverified"
    #: The password is changed by now, or the request too old.
    RESET_OVER = "reset_over"
    VERIFICATION_OVER = "verification_over"
    #: The address that it would go to is forgotten by now.
    NOTICE_OVER = "notice_over"
    #: Its recipient has got too many already.
    RECIPIENT_LIMIT = "recipient_limit"
    #: The tries before ended with the process itself.
    TOO_MANY_ATTEMPTS = "too_many_attempts"


class Status(StrEnum):
    """What has become of a notification."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    #: There is nowhere to send it to, or it would be good for nothing.
    SKIPPED = "skipped"
    #: Its recipient has got too many already.
    SUPPRESSED = "suppressed"
