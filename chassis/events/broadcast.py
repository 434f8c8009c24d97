"""News that every instance of a service may hear, and that nobody may rely on.

An event (`outbox`, `handler`) reaches each service once and for certain. A broadcast is a hint for
those who happen to listen: it is sent after the commit, kept by nobody, and may be lost. Who needs
the truth asks for it, and now and then unasked.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import partial
from logging import getLogger
from typing import Any

import orjson
from marshmallow import Schema, ValidationError
from nameko.extensions import DependencyProvider
from sqlalchemy.orm import Session

from chassis.broker import topology
from chassis.broker.connection import BrokerUnavailable
from chassis.broker.declarations import Declarations
from chassis.broker.inbound import Inbound
from chassis.broker.message import CONTENT, TRANSIENT, dumps
from chassis.broker.outbound import Outbound
from chassis.database import after_commit

log = getLogger(__name__)


class Broadcast(DependencyProvider):
    """Injects `tell(session, type, payload)` and `tell_now(type, payload)`; `schemas` dump the
    payload of each type."""

    outbound = Outbound()

    tells = True

    def __init__(self, schemas: Mapping[str, type[Schema]]):
        self.schemas = {news_type: schema() for news_type, schema in schemas.items()}

    def setup(self) -> None:
        self.outbound.declare_events_of(self.container.service_name)

    def get_dependency(self, worker_ctx: Any) -> Broadcast:
        return self

    def tell(self, session: Session, news_type: str, payload: Mapping[str, Any]) -> None:
        """Tell it when the transaction of `session` has committed."""
        send = partial(self._send, news_type, self._body(news_type, payload))
        after_commit(session, send)

    def tell_now(self, news_type: str, payload: Mapping[str, Any]) -> None:
        """Tell what is committed already."""
        self._send(news_type, self._body(news_type, payload))

    def _body(self, news_type: str, payload: Mapping[str, Any]) -> bytes:
        return dumps(self.schemas[news_type].dump(payload))

    def _send(self, news_type: str, body: bytes) -> None:
        try:
            self.outbound.publish(
                topology.exchange_of(self.container.service_name),
                news_type,
                body,
                mandatory=False,
                delivery_mode=TRANSIENT,
                type=news_type,
                **CONTENT,
            )
        except BrokerUnavailable:
            log.debug("%s: nobody was told", news_type)


class Listener:
    """Hears the broadcasts of one type: `hear(payload)` is called for each and must not block.

    The dependency that makes it names source and type in its class, as one of what it `hears`:
    RabbitMQ may let the service hear no more than that.

    `miss()` is called when the connection goes, and again when broadcasts are heard anew: what was
    told in between is lost.
    """

    prefetch = 0  # nothing waits for an acknowledgement
    no_ack = True

    def __init__(
        self,
        inbound: Inbound,
        source: str,
        news_type: str,
        schema: type[Schema],
        hear: Callable[[dict[str, Any]], None],
        miss: Callable[[], None] = lambda: None,
    ):
        service = inbound.container.service_name
        self.queue = topology.news_queue_of(source, news_type, service, str(uuid.uuid4()))
        self._source, self._news_type = source, news_type
        self._schema = schema()
        self._hear = hear
        self._miss = miss
        inbound.register(self)

    def declare(self, declarations: Declarations) -> None:
        declarations.news_queue(self._source, self._news_type, self.queue)
        self._miss()

    def on_message(self, message: Any) -> None:
        try:
            payload = self._schema.load(orjson.loads(message.body))
        except (ValueError, ValidationError):
            log.warning("%s %s: not understood", self._source, self._news_type)
        else:
            self._hear(payload)

    def on_lost(self) -> None:
        self._miss()
