"""Notifications."""

from marshmallow import fields

from chassis.fields import (
    Boolean,
    BooleanText,
    Choice,
    Page,
    Request,
    SingleLine,
    Text,
    Timestamp,
    Uuid,
)
from gateway.schemas import common

_CHANNELS = ["email", "sms", "in_app"]


class NewNotification(Request):
    user_id = Uuid(required=True)
    channel = Choice(_CHANNELS, required=True)
    subject = SingleLine(max=200, required=True)
    body = Text(max=5000, required=True)


class NotificationPath(Request):
    """One name for both: a user's list (GET) and a notification (PATCH) have the same path."""

    id = Uuid(required=True)


class NotificationQuery(Page):
    unread = BooleanText()


class Reading(Request):
    read = Boolean(required=True)


class Notification(common.Resource):
    id = Uuid(required=True)
    user_id = Uuid(required=True)
    channel = Choice(_CHANNELS, required=True)
    subject = fields.String(required=True)
    body = fields.String(required=True)
    status = fields.String(required=True)
    failure_code = fields.String(required=True, allow_none=True)
    read = fields.Boolean(required=True)
    created_at = Timestamp(required=True)


class LiveNotification(Notification):
    """The data of one event of the stream; the event's id is its position in the feed."""

    order_id = Uuid(required=True, allow_none=True)


NotificationPage = common.page_of(Notification)
