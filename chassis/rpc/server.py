"""The answering side of RPC."""

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import partial
from logging import getLogger
from typing import Any

from marshmallow import Schema
from nameko.exceptions import (
    ConfigurationError,
    ContainerBeingKilled,
    IncorrectSignature,
    MalformedRequest,
    MethodNotFound,
)
from nameko.extensions import SharedExtension
from nameko.rpc import Rpc as NamekoRpc

from chassis import deadline
from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.broker.connection import BrokerUnavailable
from chassis.broker.declarations import Declarations
from chassis.broker.inbound import Inbound
from chassis.broker.message import CONTENT, TRANSIENT, data_of, dumps
from chassis.broker.outbound import Outbound
from chassis.broker.topology import RPC_EXCHANGE, may_reply_to, rpc_queue_of
from chassis.entrypoints import Exceptions, Measured, expected
from chassis.errors import Fault, Interrupted
from chassis.hooks import Hooks
from chassis.observers import observers_of
from chassis.rpc import wire
from chassis.steps import Step
from chassis.validation import dump, load
from chassis.workers import workers_for_rpc

log = getLogger(__name__)

#: Seconds for which a reply waits for a lost connection to come back, or a broker that is short of
#: memory or disk to take messages again.
REPLY_TIMEOUT = 5.0

#: A method has returned; its caller does not know.
RETURNED = Step("rpc.returned")


class RpcConsumer(Hooks, SharedExtension):
    """Takes the requests of a service from its queue and hands each to its method."""

    inbound = Inbound()
    outbound = Outbound()
    publisher = ConfirmedPublisher()

    no_ack = False

    def __init__(self) -> None:
        super().__init__()
        self._methods: dict[str, Rpc] = {}
        self.queue = ""
        self.prefetch = 0

    def check(self) -> None:
        """Refuse Nameko's own `@rpc` in the same service: both would read the one queue, and each
        refuse the calls that are for the other."""
        for entrypoint in self.container.entrypoints:
            if isinstance(entrypoint, NamekoRpc) and not isinstance(entrypoint, Rpc):
                raise ConfigurationError(f"{entrypoint.method_name}: use chassis.rpc.rpc")

    def setup(self) -> None:
        # Also without a method: a caller then learns that its method does not exist.
        service = self.container.service_name
        self.queue = rpc_queue_of(service)
        # A worker for each message that is taken: the reader of the connection then never has to
        # wait for one, which would keep replies and heartbeats waiting too.
        self.prefetch = workers_for_rpc(self.container)
        self.inbound.register(self)

    def register(self, entrypoint: "Rpc") -> None:
        self._methods[f"{self.container.service_name}.{entrypoint.method_name}"] = entrypoint

    def stop(self) -> None:
        self.inbound.cancel(self)

    def declare(self, declarations: Declarations) -> None:
        declarations.rpc_queue(self.container.service_name)

    def on_lost(self) -> None:
        """Requests under way go on; their replies are sent over the next connection."""

    def on_message(self, message: Any) -> None:
        """Start the worker that answers `message`, or say why not."""
        reply_to = message.properties.get("reply_to", "")
        if not may_reply_to(reply_to, self.container.service_name):
            self._spawn(partial(self._dead_letter, message, "no reply_to of a caller"))
            return
        try:
            routing_key = message.delivery_info["routing_key"]
            try:
                entrypoint = self._methods[routing_key]
            except KeyError:
                raise MethodNotFound(routing_key.rpartition(".")[2]) from None
            entrypoint.on_request(message)
        except ContainerBeingKilled:
            pass  # the message goes back to the queue with the connection
        except (MalformedRequest, MethodNotFound, IncorrectSignature, Fault) as refused:
            observers_of(self.container).rejected()
            self._spawn(partial(self.answer, message, None, refused))
        except Exception as error:
            log.exception("%s: a message that nobody foresaw", self.queue)
            self._spawn(partial(self._dead_letter, message, type(error).__name__))

    def answer(self, message: Any, result: Any, exc: BaseException | None) -> None:
        """Send the reply, then let the broker forget the request.

        After an outage the reply waits for the new connection; when that does not come the caller
        has given up, and asks again by its key if it wants to know what became of the work.
        """
        body = self._encode(message, result, exc)
        self.outbound.await_connection(REPLY_TIMEOUT)
        try:
            self.outbound.publish(
                RPC_EXCHANGE,
                message.properties["reply_to"],
                body,
                mandatory=False,
                correlation_id=message.properties.get("correlation_id", ""),
                delivery_mode=TRANSIENT,
                **CONTENT,
            )
        except BrokerUnavailable:
            log.debug("a reply could not be sent, the broker is away")
        self.inbound.ack(message)

    def _encode(self, message: Any, result: Any, exc: BaseException | None) -> bytes:
        service = self.container.service_name
        call_id = message.properties.get("correlation_id", "")
        try:
            error = None if exc is None else wire.error_of(exc, service, call_id)
            return dumps({"result": result, "error": error})
        except TypeError as unsendable:  # the result, or what a fault tells
            log.exception("%s returned what can't be sent", message.delivery_info["routing_key"])
            error = wire.error_of(unsendable, service, call_id)
            return dumps({"result": None, "error": error})

    def _spawn(self, work: Callable[[], None]) -> None:
        """Off the reader of the connection, which must not wait for the broker."""
        self.container.spawn_managed_thread(work, identifier="rpc consumer")

    def _dead_letter(self, message: Any, reason: str) -> None:
        is_safe = self.publisher.dead_letter(
            message, self.container.service_name, self.queue, reason
        )
        self.inbound.settle(message, is_safe)


class Rpc(Measured, NamekoRpc):
    """Makes a method callable: `@rpc(Request, Answer)`, `@rpc(Request)` when it answers nothing,
    or `@rpc` alone, which takes and answers what JSON can carry.

    By marshmallow schemas: the arguments are loaded by `request` (`Invalid` names what does not
    fit) and the method gets them as keyword arguments; what it returns is dumped by `answer`.

    `once`: doing it twice would be wrong, unless both calls carry the same `key`. A call without
    one that the broker hands out again, because who had it died or lost its connection, is answered
    with `Interrupted` then: it may have been done. Reads, and what may be repeated, need none of
    this.

    `expected_exceptions` and `sensitive_arguments` are Nameko's.
    """

    kind = "rpc"
    rpc_consumer = RpcConsumer()

    def __init__(
        self,
        request: type[Schema] | None = None,
        answer: type[Schema] | None = None,
        *,
        once: bool = False,
        expected_exceptions: Exceptions = (),
        **kwargs: Any,
    ):
        # A fault is an answer: Nameko is not to report it as an error of ours.
        super().__init__(expected_exceptions=expected(Fault, expected_exceptions), **kwargs)
        self.schema_class, self.answer_class = request, answer
        self._schema = request() if request else None
        self._answer_schema = answer() if answer else None
        self.once = once

    def setup(self) -> None:
        function = getattr(self.container.service_cls, self.method_name)
        self._signature = inspect.signature(partial(function, None))
        self.rpc_consumer.register(self)

    def stop(self) -> None:
        self.rpc_consumer.stop()

    def on_request(self, message: Any) -> None:
        """Spawn the worker; runs in the reader of the connection, so it only looks at shapes."""
        args: Sequence[Any]
        args, kwargs = wire.loads_request(message)
        data = data_of(message.headers)
        deadline.begin_from_header(data)
        if self._schema is None:
            self._check_signature(args, kwargs)
        else:
            args, kwargs = (), _load(self._schema, args, kwargs)
        if self.once and message.delivery_info["redelivered"] and kwargs.get("key") is None:
            raise Interrupted
        self.container.spawn_worker(
            self, args, kwargs, context_data=data, handle_result=partial(self._answer, message)
        )

    def _check_signature(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as exc:
            raise IncorrectSignature(str(exc)) from None

    def _answer(self, message: Any, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        if exc_info is None:
            try:
                result = dump(self._answer_schema, result) if self._answer_schema else result
            except Exception:  # not what the contract says: the caller learns that it is our fault
                log.exception("%s: an answer that its schema cannot dump", self.method_name)
                exc_info = sys.exc_info()
        if exc_info is None:
            RETURNED.reached(self)
        try:
            self.rpc_consumer.answer(message, result, exc_info[1] if exc_info else None)
        except Exception:  # whatever it is, it must not end the service
            log.exception("a reply could not be sent")
            return result, exc_info or sys.exc_info()
        return result, exc_info


def _load(schema: Schema, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What the schema makes of the arguments; positional ones come in its fields' order."""
    names = list(schema.load_fields)
    if len(args) > len(names) or set(names[: len(args)]) & set(kwargs):
        raise IncorrectSignature(f"takes {', '.join(names)}")
    return load(schema, dict(zip(names, args, strict=False)) | kwargs)


rpc = Rpc.decorator
