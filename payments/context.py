"""What the commands of payments need around them."""

import datetime
from typing import Protocol

from chassis import context
from payments.providers import Providers
from payments.providers.recent_answers import RecentAnswers


class Context(context.Context, Protocol):
    """The service `payments`, as its commands see it."""

    #: Where the client is; None among services.
    network: str | None
    recent_answers: RecentAnswers

    @property
    def providers(self) -> Providers:
        """Those that are configured; the same for as long as the context lives."""


def call_ends_at(context: Context) -> datetime.datetime:
    """When a call to a provider that begins now is over: nobody else drives its payment or refund
    before."""
    return context.clock() + datetime.timedelta(seconds=context.settings["call_seconds"])
