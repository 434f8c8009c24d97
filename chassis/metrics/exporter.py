"""`GET /metrics` for all services of a process, the probes of those with routes, and nothing else.

It has a port of its own, which is not for the public: it tells how much is sold. Whoever balances
loads or restarts what is unwell asks here, whatever the public does to the other port.
"""

from __future__ import annotations

import http
import itertools
import re
from collections.abc import Callable, Iterator
from logging import getLogger
from typing import Any

import eventlet
from eventlet import GreenPool, Timeout
from nameko.exceptions import ConfigurationError
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import Metric

from chassis import database
from chassis.errors import Fault
from chassis.hooks import hooks_of
from chassis.metrics import lag
from chassis.metrics.database import QueryCollector, ask
from chassis.metrics.instruments import REGISTRY
from chassis.metrics.samples import families, samples_of

log = getLogger(__name__)

#: Connections at once; more wait in the kernel's backlog.
_PLACES, _BACKLOG = 16, 64
#: Seconds that one of them may take, whatever it does.
_PATIENCE = 10
_LONGEST_HEAD = 8192
_REQUEST = re.compile(rb"([A-Z]+) ([^ ?]+)(?:\?[^ ]*)? HTTP/1\.[01]\r?\n")

#: By address; a process has one, its tests may have more.
_exporters: dict[tuple[str, int], Exporter] = {}


def of(config: dict[str, Any]) -> Exporter | None:
    """The exporter of this process, which has taken its port by then; None where there is to be
    none. Raises Nameko's `ConfigurationError` when the port is taken."""
    address = config["METRICS_HOST"], config["METRICS_PORT"]
    if not address[1]:
        return None
    if address not in _exporters:
        _exporters[address] = Exporter(address)
    return _exporters[address]


class Exporter:
    """Tells of services to who asks, from the first `add` to the last `remove`."""

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
        """Tell of a service from now on."""
        self._collectors[container] = QueryCollector(container) if database.has(container) else None
        self._probes[container] = [part.answer_probe for part in hooks_of(container)]
        if not self._threads:
            self._threads = [eventlet.spawn(self._run), eventlet.spawn(lag.watch)]

    def remove(self, container: Any) -> None:
        """Tell of a service no longer; with the last one the port is free. Does not wait."""
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
                sock, _ = self._sock.accept()
            except OSError as error:  # out of file descriptors, or gone before we took it
                if self not in _exporters.values():
                    return
                log.warning("a scrape could not be accepted: %s", error.strerror)
                eventlet.sleep(1)
                continue
            self._places.spawn_n(self._serve, sock)

    def _serve(self, sock: Any) -> None:
        """One request; no failure leaves this method."""
        try:
            with sock, Timeout(_PATIENCE, False):
                status, media_type, body = self._answer(_head(sock))
                lines = (
                    f"HTTP/1.1 {status}",
                    f"Content-Type: {media_type}",
                    f"Content-Length: {len(body)}",
                    "Connection: close",
                )
                sock.sendall("\r\n".join((*lines, "", "")).encode() + body)
        except OSError:  # the client is gone
            pass
        except Exception:
            log.exception("a scrape ended in an error")

    def _answer(self, head: bytes) -> tuple[str, str, bytes]:
        request = _REQUEST.match(head)
        if request is None:
            return "400 Bad Request", "text/plain", b"not understood\n"
        if request[1] != b"GET":
            return "405 Method Not Allowed\r\nAllow: GET", "text/plain", b"only GET\n"
        if request[2] != b"/metrics":
            return self._probe(request[2].decode("latin-1"))
        return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self)

    def _probe(self, path: str) -> tuple[str, str, bytes]:
        for probe in itertools.chain.from_iterable(self._probes.values()):
            try:
                answer = probe(path)
            except Fault as fault:
                return f"{fault.status} {fault.code}", "text/plain", b"no answer in time\n"
            if answer is not None:
                status = http.HTTPStatus(answer.status)
                return f"{status.value} {status.phrase}", answer.media_type, answer.payload()
        return "404 Not Found", "text/plain", b"there is /metrics, and probes of a gateway\n"


def _head(sock: Any) -> bytes:
    """What was sent up to the end of the head, or of patience."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        arrived = sock.recv(_LONGEST_HEAD)
        if not arrived:
            break
        head += arrived
    return head
