"""What the commands of products and inventory need around them."""

from typing import Protocol

from chassis import context
from chassis.events.broadcast import Broadcast


class Context(context.Context, Protocol):
    """Either service, as its commands see it."""

    broadcast: Broadcast
    #: Where the client is; None among services.
    network: str | None
