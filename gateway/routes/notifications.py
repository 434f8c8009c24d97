"""Notifications."""

from chassis.web import route
from gateway.access import STAFF, USER
from gateway.schemas.common import idempotency_key
from gateway.schemas.notifications import (
    NewNotification,
    Notification,
    NotificationPage,
    NotificationPath,
    NotificationQuery,
    Reading,
)


class NotificationRoutes:
    """`/api/notifications…`: one's own; for staff, everybody's."""

    @route(
        "POST",
        "/api/notifications/send",
        who=STAFF,
        body=NewNotification,
        answer=Notification,
        status=201,
    )
    def send_notification(self, request, body):
        """Send a message to a user."""
        key = idempotency_key(request)
        return self.notifications.send(actor=request.actor, key=key, **body)

    @route("GET", "/api/notifications", who=USER, query=NotificationQuery, answer=NotificationPage)
    def list_notifications(self, request, query):
        """Your notifications, newest first."""
        user_id = request.actor.user_id
        return self.notifications.list(user_id=user_id, actor=request.actor, **query)

    @route(
        "GET",
        "/api/notifications/{id}",
        who=USER,
        path=NotificationPath,
        query=NotificationQuery,
        answer=NotificationPage,
    )
    def list_notifications_of_user(self, request, id, query):
        """The notifications of the user with this id, newest first."""
        return self.notifications.list(user_id=id, actor=request.actor, **query)

    @route(
        "PATCH",
        "/api/notifications/{id}",
        who=USER,
        path=NotificationPath,
        body=Reading,
        answer=Notification,
    )
    def mark_notification(self, request, id, body):
        """Mark the notification with this id as read, or unread."""
        return self.notifications.mark_read(notification_id=id, actor=request.actor, **body)
