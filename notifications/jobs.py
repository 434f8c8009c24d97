"""What timers do: deliver what is pending, and delete what is over."""

import datetime

from chassis import idempotency
from notifications.channels.configured import channels
from notifications.channels.instrumented import instrumented
from notifications.context import Context
from notifications.mail import commands as mail_commands
from notifications.mail import recipients
from notifications.models import RequestKey


def deliver(context: Context, time: datetime.timedelta) -> None:
    """Send what is pending, for so long another batch is begun."""
    ways = instrumented(channels(context.settings), context.settings, context.external_call)
    mail_commands.deliver_pending(context, ways, time)


def purge(context: Context) -> None:
    """Delete keys that are over, and recipients that had nothing for a day."""
    idempotency.purge(context.db.begin, RequestKey, context.clock())
    with context.db.begin() as session:
        recipients.purge(session, context.clock())
