"""What notifications publishes."""

from chassis import staff
from chassis.fields import Choice, EventPayload, Uuid
from contracts.notifications.enums import Channel


class NotificationSent(EventPayload):
    """An e-mail or text message has left; nothing tells where to, or what."""

    notification_id = Uuid(required=True)
    user_id = Uuid(required=True)
    order_id = Uuid(required=True, allow_none=True)
    channel = Choice(Channel, required=True)


class FeedGrew(EventPayload):
    """There is something new in a user's feed."""

    user_id = Uuid(required=True)


#: By the outbox, to one process of each service that handles them.
EVENTS = {"notification_sent": NotificationSent, **staff.EVENTS}

#: To every process that listens at this moment.
BROADCASTS = {"feed_grew": FeedGrew}
