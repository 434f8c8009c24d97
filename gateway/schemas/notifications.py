"""Notifications."""

from chassis.fields import Request, Uuid
from contracts.notifications import requests
from gateway.schemas.derive import body, query

NewNotification = body("NewNotification", requests.Send, without=("key", "actor"))
NotificationQuery = query(
    "NotificationQuery", requests.ListNotifications, without=("user_id", "actor")
)
Reading = body("Reading", requests.MarkRead, without=("notification_id", "actor"))


class NotificationPath(Request):
    """One name for both: a user's list (GET) and a notification (PATCH) have the same path."""

    id = Uuid(required=True)
