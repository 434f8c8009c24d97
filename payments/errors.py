"""Errors inside the payments service; those that leave it are in `contracts.payments.errors`."""

from contracts.payments import errors

#: Why webhooks are refused.
REASONS = ("unsigned", "wrong signature", "stale", "ahead", "unreadable")
_BY_ITS_TIME = "It is too old, or its time is ahead of ours."


class WebhookRefused(errors.WebhookRefused):
    """`reason`, for our own log and metrics, is one of `REASONS`."""

    def __init__(self, reason: str):
        super().__init__(_BY_ITS_TIME if reason in ("stale", "ahead") else None)
        self.reason = reason


class ProviderTimeout(Exception):
    """The provider did not answer in time: whether money moved is unknown.

    It never leaves the service: the payment or refund stays `pending` and the sweep asks again.
    """
