"""The words of notifications."""

from enum import StrEnum


class Channel(StrEnum):
    """How a notification reaches its user."""

    EMAIL = "email"
    SMS = "sms"
    IN_APP = "in_app"


class Status(StrEnum):
    """What has become of a notification."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    #: There is nowhere to send it to, or it would be good for nothing.
    SKIPPED = "skipped"
    #: Its recipient has got too many already.
    SUPPRESSED = "suppressed"
