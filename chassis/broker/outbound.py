"""What a service sends and need not have confirmed: calls and replies.

A lost call ends at its deadline and a lost reply likewise, so a publisher confirm would only make
both slower; `mandatory` returns a message at once when no queue is bound.
"""

from collections.abc import Callable
from logging import getLogger
from typing import Any

import eventlet
from amqp.basic_message import Message
from amqp.exceptions import AMQPError
from eventlet.event import Event

from chassis.broker.connection import BrokerUnavailable, send
from chassis.broker.declarations import Declarations
from chassis.broker.reconnecting import BrokerConnection

log = getLogger(__name__)

#: Seconds for which the broker may be short of memory or disk before calls that wait for answers
#: fail: it takes none of the answers either.
TIMEOUT = 1.0


class Outbound(BrokerConnection):
    """The publishing connection of a service."""

    role = "publisher"

    def __init__(self) -> None:
        super().__init__()
        self._on_returned: Callable[[str], None] = lambda correlation_id: None
        self._on_stuck: Callable[[], None] = lambda: None
        self._sources: set[str] = set()
        self._decided = Event()

    def declare_events_of(self, source: str) -> None:
        """Have its exchange declared; to be called during `setup`. Publishing to one that is not
        there would close the channel."""
        self._sources.add(source)

    def when_returned(self, callback: Callable[[str], None]) -> None:
        """Have `callback(correlation_id)` called for a mandatory message that nobody took."""
        self._on_returned = callback

    def when_stuck(self, callback: Callable[[], None]) -> None:
        """Have `callback()` called when the broker has taken nothing for `TIMEOUT` seconds."""
        self._on_stuck = callback

    @property
    def blocked(self) -> bool:
        """The broker is short of memory or disk, and takes nothing."""
        return self._connection is not None and self._connection.blocked

    def await_connection(self, timeout: float) -> bool:
        """Whether there is a connection that the broker reads from, after `timeout` seconds at the
        latest; one that is blocked is waited for until the calls under way fail."""
        with eventlet.Timeout(timeout, False):
            if super().await_connection(timeout) and self.blocked:
                self._decided.wait()
        return self.connected and not self.blocked

    def publish(
        self, exchange: str, routing_key: str, body: bytes, mandatory: bool, **properties: Any
    ) -> None:
        """Send a message or raise `BrokerUnavailable`; does not wait for the broker's answer."""
        link = self._connection
        if link is None or link.channel is None or self.blocked:
            raise self.as_logged(BrokerUnavailable(retry_after=1))
        message = Message(body, **properties)
        try:
            send(link.channel, message, exchange, routing_key, mandatory)
        except (OSError, AMQPError):
            raise self.as_logged(BrokerUnavailable(retry_after=1)) from None

    def on_open(self, channel: Any) -> None:
        channel.events["basic_return"].add(self._returned)
        declarations = Declarations(channel)
        for source in self._sources:
            declarations.events_of(source)
        declarations.close()

    def on_blocked(self) -> None:
        assert self._connection is not None
        self._decided = Event()
        eventlet.spawn_n(self._decide, self._connection.free, self._decided)

    def _decide(self, free: Event, decided: Event) -> None:
        with eventlet.Timeout(TIMEOUT, False):
            free.wait()
        decided.send()
        if not free.ready():
            self._on_stuck()

    def _returned(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        self._on_returned(message.properties.get("correlation_id", ""))
