"""Errors of the notifications service.

    chassis.errors.Fault
     └── NotFound
          ├── NotificationNotFound  404  no such notification, or someone else's
          └── RecipientNotFound     404  no such user to send to

    DeliveryError  raised by channels; it never leaves the service
     ├── Undeliverable  never: the recipient has no address, or the server refused it for good
     └── NotNow         perhaps later: the server is away, slow or busy

A delivery error carries a code, never the server's own words: those may name the address.
"""

from chassis.errors import NotFound


class NotificationNotFound(NotFound):
    """No such notification, or someone else's."""

    code = "notification_not_found"
    title = "No such notification"


class RecipientNotFound(NotFound):
    """No such user to send to."""

    code = "recipient_not_found"
    title = "No such user"


class DeliveryError(Exception):
    """A message was not delivered; `code` says why, in one word."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class Undeliverable(DeliveryError):
    """It never will be."""


class NotNow(DeliveryError):
    """It may be, later."""
