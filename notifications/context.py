"""What the commands of notifications need around them."""

from typing import Protocol

from chassis import context
from chassis.events.broadcast import Broadcast
from chassis.external import ExternalCall
from chassis.trace import WorkTrace
from contracts.users.interface import Users


class Context(context.Context, Protocol):
    """The service `notifications`, as its commands see it."""

    broadcast: Broadcast
    trace: WorkTrace
    users: Users
    external_call: ExternalCall
    #: Where the client is; None among services.
    network: str | None
