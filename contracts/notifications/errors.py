"""Errors of the notifications service.

chassis.errors.Fault
 └── NotFound
      ├── NotificationNotFound  404  no such notification, or someone else's
      └── RecipientNotFound     404  no such user to send to
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
