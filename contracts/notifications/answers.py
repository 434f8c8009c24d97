"""What notifications answers."""

from marshmallow import fields

from chassis.fields import Answer, Choice, Timestamp, Uuid, items_of, keyed, page_of
from contracts.notifications.enums import Channel, Status


class Notification(Answer):
    id = Uuid(required=True)
    user_id = Uuid(required=True)
    channel = Choice(Channel, required=True)
    subject = fields.String(required=True)
    body = fields.String(required=True)
    status = Choice(Status, required=True)
    failure_code = fields.String(required=True, allow_none=True)
    read = fields.Boolean(required=True)
    created_at = Timestamp(required=True)


class LiveNotification(Notification):
    """The data of one event of the stream; the event's id is its position in the feed."""

    order_id = Uuid(required=True, allow_none=True)


class FeedItem(LiveNotification):
    """A notification in its place in a feed."""

    position = fields.Integer(required=True)


class FeedPart(Answer):
    """What came after a position, oldest first, and the position that it reaches."""

    items = fields.List(fields.Nested(FeedItem), required=True)
    reached = fields.Integer(required=True)


class Position(Answer):
    """How far one feed has come."""

    user_id = Uuid(required=True)
    last = fields.Integer(required=True)


class SentMessage(Answer):
    """A mail or text message that has left; nothing tells where to, or what."""

    notification_id = Uuid(required=True)
    channel = Choice(Channel, required=True)
    at = Timestamp(required=True)
    trace_id = fields.String(required=True, allow_none=True)


NotificationPage = page_of(Notification)
Positions = items_of(Position)
SentMessages = items_of(SentMessage)
KeyedNotification = keyed(Notification)
