"""The calling side of RPC."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from logging import getLogger
from typing import Any, Protocol

import eventlet
import orjson
from eventlet.event import Event
from nameko.exceptions import deserialize as deserialize_stock
from nameko.extensions import DependencyProvider, SharedExtension

from chassis import deadline, observers
from chassis.broker.connection import BrokerUnavailable
from chassis.broker.consumer_probe import ConsumerProbe
from chassis.broker.declarations import Declarations
from chassis.broker.inbound import Inbound
from chassis.broker.message import CONTENT, TRANSIENT, dumps, headers_of
from chassis.broker.outbound import Outbound
from chassis.broker.reconnecting import BrokerConnection
from chassis.broker.topology import RPC_EXCHANGE, reply_key, reply_queue_of, rpc_queue_of
from chassis.errors import DeadlineExceeded, Fault, ServiceUnavailable, Unavailable, from_wire
from chassis.observers import observers_of

log = getLogger(__name__)

#: Seconds a call may take when neither it nor its caller says less.
DEFAULT_TIMEOUT = 5.0

#: Seconds between two probes of whether the broker blocks us, while replies are due.
PROBE_EVERY = 1.0

#: Seconds for which a call waits for a connection to the broker before it gives up.
RECONNECTION = 1.0


class ConnectionLost(Unavailable):
    """The broker went while we waited: the work may or may not have been done."""

    code = "connection_lost"
    title = "The message broker went away during the call"


class ReplyListener(SharedExtension):
    """Waits for the replies to all calls of a service, on one exclusive queue."""

    inbound = Inbound()
    outbound = Outbound()
    consumer_probe = ConsumerProbe()

    prefetch = 0  # as many as come: each one has somebody waiting for it
    no_ack = True

    def __init__(self) -> None:
        super().__init__()
        self.process = str(uuid.uuid4())
        self.queue = ""
        self._waiting: dict[str, tuple[str, Event]] = {}
        self._numbers = itertools.count()
        self._probing: Any = None

    def setup(self) -> None:
        self.queue = reply_queue_of(self.container.service_name, self.process)
        self.inbound.register(self)
        self.outbound.when_returned(self._on_returned)
        self.outbound.when_stuck(partial(self._give_up, self.outbound))

    def start(self) -> None:
        self._probing = self.container.spawn_managed_thread(self._keep_probing, "rpc probe")

    def stop(self) -> None:
        if self._probing is not None:
            self._probing.kill()

    kill = stop

    def declare(self, declarations: Declarations) -> None:
        declarations.reply_queue(self.container.service_name, self.process)

    def expect(self, callee: str, timeout: float) -> tuple[str, str, Event]:
        """Where `callee` shall reply to, a correlation id, and the event that gets the reply.

        A connection that was just lost, or is just being made, is waited for a little. Raises
        `BrokerUnavailable` when there is no queue that a reply could come to.
        """
        wait = min(timeout, RECONNECTION)
        if not (self.inbound.await_connection(wait) and self.outbound.await_connection(wait)):
            link = self.outbound if self.inbound.connected else self.inbound
            raise link.as_logged(BrokerUnavailable(retry_after=1))
        reply_to = reply_key(self.container.service_name, self.process, callee)
        correlation_id = f"{self.process}.{next(self._numbers)}"
        event = Event()
        self._waiting[correlation_id] = reply_to, event
        return reply_to, correlation_id, event

    def forget(self, correlation_id: str) -> None:
        """Nobody waits any longer; a later reply is dropped."""
        self._waiting.pop(correlation_id, None)

    def on_message(self, message: Any) -> None:
        correlation_id = message.properties.get("correlation_id")
        reply_to, event = self._waiting.get(correlation_id, ("", None))
        if event is None:
            return  # after its deadline, or not ours
        if message.delivery_info["routing_key"] != reply_to:
            log.error("a reply from another service than was asked")
            return
        del self._waiting[correlation_id]
        try:
            reply = orjson.loads(message.body)
            reply["error"], reply["result"]
        except (ValueError, KeyError, TypeError):
            log.error("a malformed reply of %d bytes", len(message.body))
            event.send_exception(ServiceUnavailable("The service sent a malformed reply"))
        else:
            event.send(reply)

    def on_lost(self) -> None:
        """No reply that is due will come: the queue went with the connection."""
        self._give_up(self.inbound)

    def _give_up(self, link: BrokerConnection) -> None:
        """Nor does one while the broker takes no messages."""
        waiting, self._waiting = self._waiting, {}
        for _, event in waiting.values():
            event.send_exception(link.as_logged(ConnectionLost(retry_after=1)))

    def _keep_probing(self) -> None:
        """Send ourselves an empty message from time to time: a broker that is short of memory or
        disk takes no replies, and says so only to those who publish."""
        service = self.container.service_name
        address = reply_key(service, self.process, service)
        while True:
            eventlet.sleep(PROBE_EVERY)
            if self._waiting:
                with suppress(BrokerUnavailable):
                    self.outbound.publish(RPC_EXCHANGE, address, b"", mandatory=False)

    def _on_returned(self, correlation_id: str) -> None:
        _, event = self._waiting.pop(correlation_id, ("", None))
        if event is not None:
            event.send_exception(ServiceUnavailable(retry_after=1))


class CallContext(Protocol):
    """What a call has of the work that it is made for: that of a worker, or `NO_WORK`."""

    data: Mapping[str, Any]
    #: What travels on with a call.
    context_data: Mapping[str, Any]


class _NoWork:
    data: Mapping[str, Any] = {}
    context_data: Mapping[str, Any] = {}


#: Of calls that no worker makes: no deadline but their own, and nobody's request id.
NO_WORK = _NoWork()


class RpcProxy(DependencyProvider):
    """Injects a proxy to another service: `self.inventory.reserve(order_id=..., lines=[...])`.

    `timeout` is in seconds; a call gets the least of it and what its own caller has left.
    `errors` are the classes that the callee's faults become, matched by code; others come as the
    generic class of their status (see `chassis.errors`). Also raised: `ServiceUnavailable` (nobody
    there, nothing done), `DeadlineExceeded` (no answer in time, outcome unknown), `Unavailable`
    (the broker is away).
    """

    replies = ReplyListener()

    def __init__(
        self,
        target_service: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        errors: Sequence[type[Fault]] = (),
    ):
        self.target_service = target_service
        self.timeout = timeout
        self.errors = tuple(errors)

    def get_dependency(self, worker_ctx: Any) -> ServiceProxy:
        return ServiceProxy(
            self.replies, self.target_service, self.timeout, self.errors, worker_ctx
        )


class ServiceProxy:
    """One service; its attributes are the remote methods.

    A worker gets its own from `RpcProxy`. An extension, which calls outside of workers, has a
    `ReplyListener` and makes one.
    """

    def __init__(
        self,
        replies: ReplyListener,
        service: str,
        timeout: float = DEFAULT_TIMEOUT,
        errors: tuple[type[Fault], ...] = (),
        context: CallContext = NO_WORK,
    ):
        self._replies = replies
        self._service = service
        self._timeout = timeout
        self._errors = errors
        self._context = context

    def __getattr__(self, method: str) -> MethodProxy:
        return MethodProxy(self, method)


class MethodProxy:
    """One remote method: call it, or `call_async` it and take the `result` later."""

    def __init__(self, service: ServiceProxy, method: str):
        self._callee = service
        self._method = method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call_async(*args, **kwargs).result()

    def call_async(self, *args: Any, **kwargs: Any) -> Reply:
        """Send the request; the clock of its deadline runs from now on."""
        callee = self._callee
        replies, service, context = callee._replies, callee._service, callee._context
        timeout = deadline.remaining(context.data, callee._timeout)
        budget = max(1, int(timeout * 1000))
        data = deadline.outgoing(context.context_data) | {deadline.HEADER: budget}
        body = dumps({"args": args, "kwargs": kwargs})
        until = time.monotonic() + timeout
        correlation_id = ""
        end = observers_of(replies.container).call(data, service, self._method)
        try:
            reply_to, correlation_id, event = replies.expect(service, timeout)
            replies.outbound.publish(
                RPC_EXCHANGE,
                f"{service}.{self._method}",
                body,
                mandatory=True,
                reply_to=reply_to,
                correlation_id=correlation_id,
                expiration=str(budget),
                delivery_mode=TRANSIENT,
                application_headers=headers_of(data),
                **CONTENT,
            )
        except BaseException as error:
            replies.forget(correlation_id)
            if end is not None:
                end(error)
            raise
        return Reply(callee, correlation_id, event, until, end)


class Reply:
    """An answer that may still be under way."""

    def __init__(
        self,
        callee: ServiceProxy,
        correlation_id: str,
        event: Event,
        until: float,
        end: observers.End | None,
    ):
        self._callee = callee
        self._correlation_id = correlation_id
        self._event = event
        self._until = until
        self._end = end

    def result(self) -> Any:
        """What the method returned, or its fault raised; waits until the deadline at most."""
        try:
            result = self._result()
        except BaseException as error:
            self._ended(error)
            raise
        self._ended(None)
        return result

    def _ended(self, error: BaseException | None) -> None:
        """Tell so, the first time that somebody takes the result."""
        end, self._end = self._end, None
        if end is not None:
            end(error)

    def _result(self) -> Any:
        timeout = eventlet.Timeout(max(0, self._until - time.monotonic()))
        try:
            reply = self._event.wait()
        except eventlet.Timeout as expired:
            if expired is not timeout:
                raise
            raise self._nobody_answered() from None
        finally:
            timeout.cancel()
            self._callee._replies.forget(self._correlation_id)
        if reply["error"]:
            raise self._fault(reply["error"])
        return reply["result"]

    def _nobody_answered(self) -> Fault:
        """Nobody there is another thing than slow: the former may be tried again at once."""
        service = self._callee._service
        if self._callee._replies.outbound.blocked:
            return ConnectionLost(retry_after=1)  # nor could the service have answered
        if self._callee._replies.consumer_probe.has_no_consumer(rpc_queue_of(service)):
            return ServiceUnavailable(f"The service {service} is away", retry_after=1)
        return DeadlineExceeded(f"The service {service} did not answer in time")

    def _fault(self, error: Any) -> Exception:
        if isinstance(error, dict) and "code" in error:
            return from_wire(error, self._callee._errors)
        return deserialize_stock(error)  # of a stock Nameko service
