"""The listening socket, its connections, and an orderly end."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator
from functools import partial
from logging import getLogger
from typing import Any

import eventlet
from nameko.exceptions import ConfigurationError
from nameko.web.server import WebServer
from werkzeug.routing import MapAdapter

from chassis import config as configuration
from chassis.errors import Unavailable
from chassis.gauges import Sample
from chassis.hooks import Hooks
from chassis.observers import observers_of
from chassis.web import sockets
from chassis.web.access_log import AccessLog
from chassis.web.app import App
from chassis.web.errors import Overloaded
from chassis.web.limits import Callers
from chassis.web.paths import url_map
from chassis.web.probes import Probes
from chassis.web.protocol import Connection
from chassis.web.request import Request, network_of_peer
from chassis.web.responses import Response
from chassis.web.settings import WebSettings
from chassis.web.shares import RequestPlaces, Shares
from chassis.web.stopping import Stopping
from chassis.web.streams import Streams

log = getLogger(__name__)

_POLL_SECONDS = 0.02
#: A connection that was used so lately is about to be used again: its next request is answered,
#: even after the signal to stop. Others are closed then, which their clients notice.
_IN_USE_SECONDS = 1.0
#: Workers that answer probes, for which all others may be taken.
_PROBE_WORKERS = 16
#: Files that a process has open besides its connections.
_OTHER_FILES = 200


class Server(Hooks, WebServer):
    """Nameko's web server with bounds on what clients may take, and a stop that loses nothing.

    Listens on `WEB_SERVER_ADDRESS`; the bounds are the section `web` of the configuration.
    """

    # Of Nameko's server, which has no types.
    _sock: Any
    _starting: bool
    _is_accepting: bool

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, Any] = {}
        self.streams = Streams()
        self._stopping = Stopping()
        self._connections: set[Connection] = set()
        self._probed: dict[str, Any] = {}  # routes by path, as long as the process lives

    def check(self) -> None:
        """Load the bounds and take the port, before anything else of the service starts; raises
        Nameko's `ConfigurationError`. Who connects early waits until we accept."""
        if self._sock is None:
            values = self.container.config.get("web") or {}
            self.limits = configuration.check(WebSettings(), values, "web")
            workers = self.container.max_workers - _PROBE_WORKERS
            self.limits["max_requests"] = max(1, min(self.limits["max_requests"], workers))
            self._divide(self.limits)
            self._sock = self._listen()
            self.stop_delay = self.limits["stop_delay_seconds"]
            _allow_files(self.limits["max_connections"] + _OTHER_FILES)

    def _divide(self, limits: dict[str, Any]) -> None:
        """What there is of each kind, and how much of it one client may have."""
        self._places = Shares(limits["max_connections"], limits["client_connections"])
        self.request_places = RequestPlaces(limits)
        #: Bytes of bodies, from when they are read until their request is answered.
        self.bodies = Shares(limits["bodies_limit"], limits["client_bodies_limit"])

    def setup(self) -> None:
        self.check()

    def start(self) -> None:
        """Accept connections; called once by each route, acts once."""
        if self._starting:
            return
        self._starting = True
        self._probed = {route.path: route for route in self._providers if route.probe}
        self.app = self._make_app()
        self._gt = self.container.spawn_managed_thread(self.run)

    def _make_app(self) -> App:
        observing = observers_of(self.container)
        self.access_log = AccessLog(observing)
        self._probes = Probes(self.limits["request_seconds"], self._stopping)
        return App(
            self.limits,
            self._routing(),
            self._redirects(),
            places=self.request_places,
            probes=self._probes,
            callers=next((e for e in self.container.extensions if isinstance(e, Callers)), None),
            streams=self.streams,
            access_log=self.access_log,
            observers=observing,
        )

    @property
    def is_stopping(self) -> bool:
        """Asked to stop, and still serving what comes."""
        return self._stopping.has_begun

    def _listen(self) -> Any:
        if (descriptor := self.limits["listen_fd"]) is not None:
            return sockets.inherit(descriptor)
        host, port = self.bind_addr
        return sockets.listen(host, port, shared=self.limits["share_port"])

    def _routing(self) -> MapAdapter:
        """What finds the public route of a path and method."""
        taken: set[tuple[str, str]] = set()
        for route in self._providers:
            _check_unique(route, self.container.service_cls, taken)
        return url_map(self._providers, self._hidden()).bind("localhost")

    def _redirects(self) -> dict[str, str]:
        """Where paths lead that are no route's, but for those that lead to what is not public."""
        hidden = url_map(self._hidden()).bind("localhost")
        targets = self.limits["redirects"].items()
        return {path: target for path, target in targets if not hidden.test(target, "GET")}

    def _hidden(self) -> set[Any]:
        """Routes that the public does not have."""
        probes, docs = self.limits["probes"], self.limits["docs"]
        return {r for r in self._providers if (r.probe and not probes) or (r.docs and not docs)}

    def answer_probe(self, path: str) -> Response | None:
        """The answer to a `GET` of a probe for a port of our own; None where there is none.

        Raises what the route raises, and `Unavailable` when we no longer accept connections: who
        balances loads shall look elsewhere."""
        route = self._probed.get(path)
        if route is None:
            return None
        if self._stopping.is_draining:
            raise Unavailable(code="stopping")
        return self._probes.answer(route, Request.of_our_own("GET", path))

    def run(self) -> None:
        """Accept connections for as long as the service lives."""
        while self._is_accepting:
            try:
                accepted = self._sock.accept()
            except OSError as exc:  # out of file descriptors, or gone before we took it
                if self._is_accepting:
                    log.warning("a connection could not be accepted: %s", exc.strerror)
                    eventlet.sleep(0.1)
                continue
            self._welcome(*accepted)
            eventlet.sleep(0)  # those who came together are for other processes, too

    def _welcome(self, sock: Any, address: Any) -> None:
        sock.settimeout(self.limits["write_seconds"])
        self.container.spawn_managed_thread(
            partial(self._serve, sock, address), identifier="http connection"
        )

    def _serve(self, sock: Any, address: Any) -> None:
        """One connection from its first to its last request; no failure leaves this method."""
        # Behind a proxy of ours all connections are its own: it counts those of its clients.
        client = None if self.limits["trusted_proxies"] else network_of_peer(address[0])
        has_place = self._places.take(client)
        connection = None
        try:
            connection = Connection(
                sock, address[0], self.app, self.limits, self.bodies, self._stopping
            )
            if not has_place:
                connection.refuse(Overloaded())
                return
            self._connections.add(connection)
            connection.serve()
        except OSError as exc:
            log.debug("connection lost: %s", exc)
        except Exception:
            log.exception("a connection ended in an error")
        finally:
            if has_place:
                self._places.give_back(client)
            self._connections.discard(connection)
            (connection or sock).close()

    def samples(self) -> Iterator[Sample]:
        """How much of its bounds is taken."""
        yield Sample("shop_http_connections", "Open connections.", len(self._connections))
        yield Sample("shop_http_streams", "Streams that flow on them.", len(self.streams))
        yield Sample(
            "shop_http_requests_in_hand", "Requests in work.", self.request_places.requests.total
        )
        most = self.request_places.requests.limit
        yield Sample("shop_http_requests_limit", "Requests that may be in work at once.", most)
        sent = self.bodies.total
        yield Sample("shop_http_body_bytes", "Bytes of bodies that are kept now.", sent)

    def drain(self) -> None:
        """Stop accepting and let the requests under way finish, and those that are about to come on
        connections in use, within `drain_seconds`.

        Every route calls this when the service stops; the first call does it.
        """
        if self._stopping.has_begun:
            return
        self._stopping.has_begun = True
        eventlet.sleep(self.stop_delay)
        self._close_listener()
        self._stopping.is_draining = True
        self.streams.end("stopping")
        deadline = time.monotonic() + self.limits["drain_seconds"]
        while self._is_busy() and time.monotonic() < deadline:
            eventlet.sleep(_POLL_SECONDS)

    def _is_busy(self) -> bool:
        """Whether a connection is in use or about to be; closes all others."""
        for connection in list(self._connections):
            connection.part(_IN_USE_SECONDS)
        return any(not connection.is_over for connection in self._connections)

    def _close_listener(self) -> None:
        if self._is_accepting and self._sock is not None:
            self._is_accepting = False
            if self._gt is not None:
                self._gt.kill()
                if self.limits["listen_fd"] is None:  # nobody else will take them
                    for sock, address in sockets.waiting(self._sock):
                        self._welcome(sock, address)
            self._sock.close()

    def stop(self) -> None:
        self._close_listener()
        self.wait_for_providers()

    def kill(self) -> None:
        self._close_listener()


def _allow_files(needed: int) -> None:
    """Raise this process's own limit of open files, which is 1024 on most systems."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < needed:
        log.warning("may open %d files; with that many connections %d are needed", most, needed)
        needed = most
    if now != resource.RLIM_INFINITY and now < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))


def _check_unique(route: Any, service_cls: type, taken: set[tuple[str, str]]) -> None:
    """Two routes for one method and path, or two methods of one name, would hide each other."""
    shape = (route.method, re.sub(r"{\w+}", "{}", route.path))
    functions = [
        vars(c)[route.method_name] for c in service_cls.__mro__ if route.method_name in vars(c)
    ]
    if shape in taken or len(functions) > 1:
        raise ConfigurationError(
            f"{route.method} {route.path} ({route.method_name}) is there twice"
        )
    taken.add(shape)
