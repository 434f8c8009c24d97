"""Notifications."""

from functools import partial
from uuid import UUID

from chassis.identity import Verifier
from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, Response, route
from chassis.web.streams import EVENT_STREAM
from contracts.notifications.answers import LiveNotification, Notification, NotificationPage
from contracts.notifications.interface import Notifications
from gateway.access import STAFF, USER, bearer
from gateway.notification_streams import NotificationStreams
from gateway.responses import replayable
from gateway.schemas.common import Keyed, Resumed, idempotency_key, last_event_id
from gateway.schemas.notifications import (
    NewNotification,
    NotificationPath,
    NotificationQuery,
    Reading,
)


class NotificationRoutes:
    """`/api/notifications…`: one's own; for staff, everybody's."""

    notifications: Notifications = RpcProxy("notifications", timeout=5)
    notification_streams: NotificationStreams
    tokens: Verifier

    @route(
        "POST",
        "/api/notifications/send",
        who=STAFF,
        headers=Keyed,
        body=NewNotification,
        answer=Notification,
        status=201,
        faults=(404,),
    )
    def send_notification(self, request: Request, body: Json) -> Response:
        """Send a message to a user. An `Idempotency-Key` makes it safe to repeat."""
        key = idempotency_key(request)
        sent = self.notifications.send(actor=request.actor, key=key, **body)
        return replayable(sent, 201)

    @route("GET", "/api/notifications", who=USER, query=NotificationQuery, answer=NotificationPage)
    def list_notifications(self, request: Request, query: Json) -> Json:
        """Your notifications, newest first."""
        user_id = request.actor.user_id
        return self.notifications.list(user_id=user_id, actor=request.actor, **query)

    @route(
        "GET",
        "/api/notifications/stream",
        who=USER,
        headers=Resumed,
        answer=LiveNotification,
        media_type=EVENT_STREAM,
    )
    def stream_notifications(self, request: Request) -> Response:
        """Your notifications as they happen, as Server-Sent Events.

        Orders tell of their changes here too. Each `notification` has an id; a client that comes
        back with it in `Last-Event-ID` misses none. Without one, the stream begins now. Its last
        event is `end`: with `token_expired`, get a new access token before you come back; with
        `session_ended`, sign in.
        """
        token = bearer(request)
        identity = self.tokens.identify(token)
        is_valid = partial(self.tokens.verify, token)
        return self.notification_streams.open(identity, last_event_id(request), is_valid)

    @route(
        "GET",
        "/api/notifications/{id}",
        who=USER,
        path=NotificationPath,
        query=NotificationQuery,
        answer=NotificationPage,
    )
    def list_notifications_of_user(self, request: Request, id: UUID, query: Json) -> Json:
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
    def mark_notification(self, request: Request, id: UUID, body: Json) -> Json:
        """Mark the notification with this id as read, or unread."""
        return self.notifications.mark_read(notification_id=id, actor=request.actor, **body)
