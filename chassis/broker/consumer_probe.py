"""Whether anybody reads a queue."""

import time
from logging import getLogger

import eventlet
from amqp.exceptions import AMQPError
from eventlet.semaphore import Semaphore
from nameko.extensions import SharedExtension

from chassis.broker.connection import connect, hang_up

log = getLogger(__name__)

#: Seconds for which an answer is good enough: many calls may time out at once.
FRESH = 1.0

#: Seconds that the question may take: the call that asks has timed out already.
TIMEOUT = 0.5


class ConsumerProbe(SharedExtension):
    """Tells an absent service from a slow one, after a call to it has timed out.

    The question needs an answer on a channel, which the reading and publishing connections can't
    wait for, so it is put on one of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[float, bool]] = {}
        self._one_at_a_time = Semaphore()

    def has_no_consumer(self, queue: str) -> bool:
        """True when `queue` has no consumer; False when it has, or when that can't be found out."""
        with self._one_at_a_time:
            asked, deserted = self._known.get(queue, (float("-inf"), False))
            if time.monotonic() - asked > FRESH:
                deserted = self._ask(queue)
                self._known[queue] = (time.monotonic(), deserted)
            return deserted

    def _ask(self, queue: str) -> bool:
        name = f"{self.container.service_name} presence"
        try:
            with eventlet.Timeout(TIMEOUT):
                connection = connect(self.container.config, name)
                try:
                    channel = connection.channel()
                    return channel.queue_declare(queue, passive=True).consumer_count == 0
                finally:
                    hang_up(connection)
        except (OSError, AMQPError, eventlet.Timeout) as error:
            log.debug("can't tell whether anybody reads %s: %s", queue, error)
            return False
