"""A connection to the broker that survives the broker."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from logging import getLogger
from typing import Any

import eventlet
from amqp.exceptions import AMQPError
from eventlet.event import Event
from nameko.constants import AMQP_URI_CONFIG_KEY
from nameko.extensions import SharedExtension
from nameko.utils import sanitize_url

from chassis.broker.connection import AWAY, HEARTBEAT, broker_outage, connect, cut, hang_up
from chassis.broker.frame_buffer import FrameReader
from chassis.gauges import Sample
from chassis.hooks import Hooks
from chassis.outages import F

log = getLogger(__name__)

#: Seconds between attempts: doubled from the first to the last, with jitter so that the services
#: of a shop do not connect all at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0


class ReconnectingConnection:
    """One connection and one channel, opened again whenever they break.

    `on_open(channel)` declares and consumes; it runs in the greenthread that then reads, so it may
    wait for answers, which nobody else may. `on_lost()` is called each time the connection goes,
    `on_blocked()` when the broker, short of memory or disk, has stopped reading from it.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        name: str,
        on_open: Callable[[Any], None],
        on_lost: Callable[[], None] = lambda: None,
        on_blocked: Callable[[], None] = lambda: None,
    ):
        self.config = config
        self.name = name
        self.outage = broker_outage(config)
        #: Why there is no connection, as long as that means that the broker is away.
        self.why_away: str | None = None
        self.on_open = on_open
        self.on_lost = on_lost
        self.on_blocked = on_blocked
        self.channel: Any = None
        self.free = Event()  # a new one whenever the broker reads no more
        self.free.send()
        self.up = Event()  # a new one after each loss
        self._connection: Any = None
        self._closing = Event()

    def run(self) -> None:
        """Connect, read, and begin again; returns after `close`."""
        pause = FIRST_PAUSE
        while not self._closing.ready():
            try:
                self._open()
                pause = FIRST_PAUSE
                self._read()
            except (OSError, AMQPError) as error:
                self._report(error)
            except Exception:
                # A frame that py-amqp cannot parse, say. The connection is in an unknown state:
                # drop it and begin again, for a service must outlive what others send it.
                log.exception("%s: the connection broke in an unexpected way", self.name)
            finally:
                self._clean_up()
            jitter = random.uniform(0.5, 1)  # noqa: S311  (no secret)
            with eventlet.Timeout(pause * jitter, False):
                self._closing.wait()
            pause = min(pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Give up the connection, end `run`, and wake those who wait for the connection."""
        for event in (self._closing, self.up, self.free):
            if not event.ready():
                event.send()
        self.drop()

    def _open(self) -> None:
        self._connection = connect(self.config, self.name)
        self._connection.on_blocked = self._on_blocked
        self._connection.on_unblocked = self._on_unblocked
        channel = self._connection.channel()
        # Bodies stay bytes: they are decoded once, where their form is known.
        channel.auto_decode = False
        self._on_unblocked(quietly=True)
        self.on_open(channel)
        self.channel = channel
        log.debug("%s: connected", self.name)
        self.outage.works()
        if not self.up.ready():
            self.up.send()

    def _read(self) -> None:
        connection = self._connection
        reader = FrameReader(connection)
        pulse = eventlet.spawn(self._keep_pulse, connection)
        try:
            while not self._closing.ready():
                reader.read()
        finally:
            pulse.kill()

    def _keep_pulse(self, connection: Any) -> None:
        """Send heartbeats; a broker that sends none (or is stopped) loses its connection."""
        while True:
            eventlet.sleep((connection.heartbeat or HEARTBEAT) / 4)
            try:
                connection.heartbeat_tick()
                self.outage.works()
            except (OSError, AMQPError) as error:
                self.outage.lost(f"no heartbeat, {error}")
                cut(connection)
                return

    def drop(self) -> None:
        """Give up the connection; `run` opens a new one."""
        self.channel = None
        if self._connection is not None:
            with suppress(OSError, AMQPError):
                self._connection.frame_writer.flush()
            cut(self._connection)

    def _clean_up(self) -> None:
        connection, self._connection, self.channel = self._connection, None, None
        if connection is not None:
            hang_up(connection)
            if self.up.ready() and not self._closing.ready():
                self.up = Event()
            self.on_lost()

    @property
    def blocked(self) -> bool:
        return not self.free.ready()

    def _on_blocked(self, reason: str) -> None:
        if not self.blocked:
            self.free = Event()
            log.warning("%s: the broker takes no messages for now (%s)", self.name, reason)
            self.on_blocked()

    def _on_unblocked(self, *, quietly: bool = False) -> None:
        if self.blocked:
            self.free.send()
        if not quietly:
            log.warning("%s: the broker takes messages again", self.name)

    def _report(self, error: Exception) -> None:
        if self._closing.ready():
            return
        if isinstance(error, AWAY):
            self.why_away = f"{self.name}, {error}"
            self.outage.lost(self.why_away)
        else:
            self.why_away = None
            where = sanitize_url(self.config[AMQP_URI_CONFIG_KEY])
            log.warning("%s: no connection to %s (%s), trying again", self.name, where, error)


class BrokerConnection(Hooks, SharedExtension):
    """A `ReconnectingConnection` that lives as long as its service; `role` says in the management
    UI what for."""

    role: str

    def __init__(self) -> None:
        super().__init__()
        self._connection: ReconnectingConnection | None = None
        self._thread: Any = None

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._connection.channel is not None

    def start(self) -> None:
        """Connect, and wait until that has succeeded for the first time."""
        name = f"{self.container.service_name} {self.role}"
        config = self.container.config
        self._connection = ReconnectingConnection(
            config, name, self.on_open, self.on_lost, self.on_blocked
        )
        self._thread = self.container.spawn_managed_thread(self._connection.run, identifier=name)
        self._connection.up.wait()

    def samples(self) -> Iterator[Sample]:
        """Whether there is a connection, and whether the broker takes nothing on it."""
        labels = {"connection": self.role}
        blocked = self._connection is not None and self._connection.blocked
        up = "Whether there is a connection to RabbitMQ."
        held = "Whether RabbitMQ takes no messages on it, being short of memory or disk."
        yield Sample("shop_broker_connected", up, self.connected, labels)
        yield Sample("shop_broker_blocked", held, blocked, labels)

    def await_connection(self, timeout: float) -> bool:
        """Whether there is a connection, after `timeout` seconds at the latest."""
        if not self.connected and self._connection is not None:
            with eventlet.Timeout(timeout, False):
                self._connection.up.wait()
        return self.connected

    def as_logged(self, fault: F) -> F:
        """`fault`, with which work ends because there is no connection, marked as logged.

        An outage is logged here if it has not been yet. Nothing is to be logged while the broker
        blocks us, which `ReconnectingConnection` has logged, nor when the broker is back and only
        the next attempt to connect is waited for."""
        link = self._connection
        if link is not None and link.why_away is not None and link.outage.is_away:
            link.outage.failed(fault, link.why_away)
        elif link is not None and (link.blocked or link.why_away is not None):
            fault.is_logged = True
        return fault

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._thread.wait()

    def kill(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def on_open(self, channel: Any) -> None:
        """Declare and consume on a new channel."""

    def on_lost(self) -> None:
        """The connection, and what was under way on it, is gone."""

    def on_blocked(self) -> None:
        """The broker takes nothing from this connection for now."""
