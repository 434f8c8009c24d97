"""Notifications."""

from marshmallow import fields, validate

from chassis.fields import Page, Request, Text, Timestamp, Uuid
from gateway.schemas import common

_CHANNEL = validate.OneOf(["email", "sms", "in_app"])


class NewNotification(Request):
    user_id = Uuid(required=True)
    channel = fields.String(required=True, validate=_CHANNEL)
    subject = Text(max=200, required=True)
    body = Text(max=5000, required=True)


class NotificationPath(Request):
    """One name for both: a user's list (GET) and a notification (PATCH) have the same path."""

    id = Uuid(required=True)


class NotificationQuery(Page):
    unread = fields.Boolean()


class Reading(Request):
    read = fields.Boolean(required=True, truthy={True}, falsy={False})


class Notification(common.Resource):
    id = Uuid(required=True)
    user_id = Uuid(required=True)
    channel = fields.String(required=True, validate=_CHANNEL)
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
