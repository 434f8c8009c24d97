"""What notifications publishes."""

from chassis import staff
from chassis.fields import EventPayload, Uuid


class FeedGrew(EventPayload):
    """There is something new in a user's feed."""

    user_id = Uuid(required=True)


#: By the outbox, to one process of each service that handles them.
EVENTS = staff.EVENTS

#: To every process that listens at this moment.
BROADCASTS = {"feed_grew": FeedGrew}
