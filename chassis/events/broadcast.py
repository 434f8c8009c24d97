"""Broadcasts: hints for every instance of a service, on which nobody may rely.

An event (`outbox`, `handler`) reaches each service once and for certain. A broadcast is for those
that are connected: it is sent after the commit, stored nowhere, and may be lost. So a subscriber
also asks for the present state from time to time.
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
    """Injects `publish(session, type, payload)` and `publish_now(type, payload)`; `schemas` dump
    the payload of each type."""

    outbound = Outbound()

    publishes = True

    def __init__(self, schemas: Mapping[str, type[Schema]]):
        self.schemas = {broadcast_type: schema() for broadcast_type, schema in schemas.items()}

    def setup(self) -> None:
        self.outbound.declare_events_of(self.container.service_name)

    def get_dependency(self, worker_ctx: Any) -> Broadcast:
        return self

    def publish(self, session: Session, broadcast_type: str, payload: Mapping[str, Any]) -> None:
        """Send it when the transaction of `session` has committed."""
        send = partial(self._send, broadcast_type, self._body(broadcast_type, payload))
        after_commit(session, send)

    def publish_now(self, broadcast_type: str, payload: Mapping[str, Any]) -> None:
        """Send what is committed already."""
        self._send(broadcast_type, self._body(broadcast_type, payload))

    def _body(self, broadcast_type: str, payload: Mapping[str, Any]) -> bytes:
        return dumps(self.schemas[broadcast_type].dump(payload))

    def _send(self, broadcast_type: str, body: bytes) -> None:
        try:
            self.outbound.publish(
                topology.exchange_of(self.container.service_name),
                broadcast_type,
                body,
                mandatory=False,
                delivery_mode=TRANSIENT,
                type=broadcast_type,
                **CONTENT,
            )
        except BrokerUnavailable:
            log.debug("%s: not sent", broadcast_type)


class Listener:
    """Receives the broadcasts of one type. `on_broadcast(payload)` is called for each and must not
    block.

    The dependency that makes it has source and type in its class attribute `subscribes`: RabbitMQ
    may let the service receive no others.

    `on_gap()` is called when the connection is lost, and again when it is back: what was sent in
    between is lost.
    """

    prefetch = 0  # nothing waits for an acknowledgement
    no_ack = True

    def __init__(
        self,
        inbound: Inbound,
        source: str,
        broadcast_type: str,
        schema: type[Schema],
        on_broadcast: Callable[[dict[str, Any]], None],
        on_gap: Callable[[], None] = lambda: None,
    ):
        service = inbound.container.service_name
        self.queue = topology.broadcast_queue_of(source, broadcast_type, service, str(uuid.uuid4()))
        self._source, self._news_type = source, broadcast_type
        self._schema = schema()
        self._on_broadcast = on_broadcast
        self._on_gap = on_gap
        inbound.register(self)

    def declare(self, declarations: Declarations) -> None:
        declarations.broadcast_queue(self._source, self._news_type, self.queue)
        self._on_gap()

    def on_message(self, message: Any) -> None:
        try:
            payload = self._schema.load(orjson.loads(message.body))
        except (ValueError, ValidationError):
            log.warning("%s %s: not understood", self._source, self._news_type)
        else:
            self._on_broadcast(payload)

    def on_lost(self) -> None:
        self._on_gap()
