"""`GET /metrics` for all services of a process, the probes of those with routes, and nothing else.

It has a port of its own, which is not for the public: it shows how much is sold. Load
balancers and supervisors ask here, whatever the public does to the other port. Requests are
read as those of the public are (`chassis.web.protocol`): here, too, anything may be sent.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from logging import getLogger
from typing import Any

import eventlet
from eventlet import GreenPool, Timeout
from nameko.exceptions import ConfigurationError
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from chassis import database
from chassis.errors import Fault
from chassis.hooks import hooks_of
from chassis.metrics import lag
from chassis.metrics.database import QueryCollector, ask
from chassis.metrics.instruments import REGISTRY
from chassis.metrics.samples import families, samples_of
from chassis.trace import new_trace_id
from chassis.web.errors import MethodNotAllowed, NoSuchRoute
from chassis.web.protocol import Connection
from chassis.web.request import Request, refused
from chassis.web.request_body import RequestBody
from chassis.web.responses import Response, problem
from chassis.web.shares import Shares
from chassis.web.stopping import Stopping

log = getLogger(__name__)

#: Connections at once; more wait in the kernel's backlog.
_PLACES, _BACKLOG = 16, 64
#: Seconds that one of them may take, whatever it does.
_TIMEOUT = 10
_LIMITS = {"trusted_proxies": 0} | dict.fromkeys(
    ("header_seconds", "idle_seconds", "write_seconds"), _TIMEOUT
)
#: Nobody sends a body, and each answer is the last of its connection.
_NO_BODIES, _LAST = Shares(0, 0), Stopping(has_begun=True)

#: By address; a process has one, its tests may have more.
_exporters: dict[tuple[str, int], Exporter] = {}


def exporter_of(config: dict[str, Any]) -> Exporter | None:
    """The exporter of this process, which has taken its port by then; None where there is to be
    none. Raises Nameko's `ConfigurationError` when the port is taken."""
    address = config["METRICS_HOST"], config["METRICS_PORT"]
    if not address[1]:
        return None
    if address not in _exporters:
        _exporters[address] = Exporter(address)
    return _exporters[address]


class Exporter(Collector):
    """Answers with the metrics of services, from the first `add` to the last `remove`."""

    def __init__(self, address: tuple[str, int]):
        self._address = address
        try:
            self._sock = eventlet.listen(address, backlog=_BACKLOG, reuse_port=False)
        except OSError as error:
            host, port = address
            raise ConfigurationError(
                f"Can't listen on {host}:{port} (METRICS_PORT): {error.strerror}"
            ) from None
        self._collectors: dict[Any, QueryCollector | None] = {}
        #: What answers the path of a probe, or with None: by container.
        self._probes: dict[Any, list[Callable[[str], Any]]] = {}
        self._threads: list[Any] = []
        self._places = GreenPool(_PLACES)

    def add(self, container: Any) -> None:
        """Include a service from now on."""
        self._collectors[container] = QueryCollector(container) if database.has(container) else None
        self._probes[container] = [part.answer_probe for part in hooks_of(container)]
        if not self._threads:
            self._threads = [eventlet.spawn(self._run), eventlet.spawn(lag.watch)]

    def remove(self, container: Any) -> None:
        """Leave a service out from now on; after the last one the port is free. Does not wait."""
        self._collectors.pop(container, None)
        self._probes.pop(container, None)
        if not self._collectors and _exporters.pop(self._address, None) is self:
            self._sock.close()
            for thread in self._threads:
                thread.kill()

    def collect(self) -> Iterator[Metric]:
        """What `prometheus_client` writes down. Others get their turn after each metric, for there
        may be thousands of lines."""
        for metric in REGISTRY.collect():
            yield metric
            eventlet.sleep(0)
        samples = [sample for container in self._collectors for sample in samples_of(container)]
        samples += ask([each for each in self._collectors.values() if each is not None])
        yield from families(samples)

    def _run(self) -> None:
        while True:
            try:
                sock, address = self._sock.accept()
            except OSError as error:  # out of file descriptors, or gone before we took it
                if self not in _exporters.values():
                    return
                log.warning("a scrape could not be accepted: %s", error.strerror)
                eventlet.sleep(1)
                continue
            self._places.spawn_n(self._serve, sock, address)

    def _serve(self, sock: Any, address: Any) -> None:
        """One request; no failure leaves this method."""
        connection = None
        try:
            with Timeout(_TIMEOUT, False):
                connection = Connection(sock, address[0], self, _LIMITS, _NO_BODIES, _LAST)
                connection.serve()
        except OSError:  # the client is gone
            pass
        except Exception:
            log.exception("a scrape ended in an error")
        finally:
            (connection or sock).close()

    def answer(
        self, request: Request, body: RequestBody, sock: Any
    ) -> tuple[Response, bytes, None]:
        """The answer to `request`, and its payload."""
        try:
            response = self._answer(request)
        except Fault as fault:
            response = refused(fault, request)
        return response, response.payload(), None

    def refuse(self, fault: Fault, request_id: str) -> Response:
        """The answer to what is no request."""
        return problem(fault, "", request_id, new_trace_id())

    def _answer(self, request: Request) -> Response:
        if request.method != "GET":
            raise MethodNotAllowed(allow=["GET"])
        if request.path == "/metrics":
            return Response(generate_latest(self), media_type=CONTENT_TYPE_PLAIN_0_0_4)
        for probe in itertools.chain.from_iterable(self._probes.values()):
            if (response := probe(request.path)) is not None:
                return response
        raise NoSuchRoute("Here are /metrics, and the probes of a gateway")
