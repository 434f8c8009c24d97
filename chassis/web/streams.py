"""Server-Sent Events: answers that go on for as long as the client listens.

A stream holds its connection's greenthread and nothing else, neither a worker nor a place among the
requests. It keeps nothing either: when woken it asks its source for what is new, and a client that
does not take that in time is cut off and comes back with `Last-Event-ID`.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Generator, Iterator
from logging import getLogger
from typing import Any, Protocol

import orjson
from eventlet import Timeout
from eventlet.event import Event
from eventlet.greenio import shutdown_safe
from eventlet.hubs import get_hub

from chassis.errors import Fault
from chassis.web.responses import Response

log = getLogger(__name__)

EVENT_STREAM = "text/event-stream"
#: Bytes that the kernel keeps for a client that reads slowly; left alone it takes megabytes.
_SEND_BUFFER = 64 * 1024
#: A comment: it keeps proxies from closing the connection, and shows which clients are gone.
_HEARTBEAT = b":\n\n"


class Source(Protocol):
    """Where the events of one stream come from."""

    def open(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is to be called when `pull` has something. Raises a `Fault` to refuse."""

    def pull(self) -> bytes:
        """Events that are there now, made by `frame`; none is b"". Raises a `Fault` to end the
        stream. Called when woken, after what it gave was sent, and at each heartbeat."""

    def close(self) -> None:
        """The stream has ended."""


class EventStream(Response):
    """Answers with the events of `source`, and a comment after each `heartbeat_seconds` without."""

    def __init__(self, source: Source, heartbeat_seconds: float):
        super().__init__(b"", headers={"X-Accel-Buffering": "no"}, media_type=EVENT_STREAM)
        self.source = source
        self.heartbeat_seconds = heartbeat_seconds

    def payload(self) -> bytes:
        return b""

    @property
    def is_sized(self) -> bool:
        return False


def frame(event: str, data: Any, id: int | None = None) -> bytes:
    """One event; `data` is JSON-able."""
    head = b"" if id is None else b"id: %d\n" % id
    return head + b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(data))


class Streams:
    """The open streams of a server."""

    def __init__(self) -> None:
        self._open: set[SseConnection] = set()
        #: Why each stream ends that is open or opened now; None while none has to.
        self.end_reason: str | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, stream: SseConnection) -> None:
        self._open.add(stream)

    def discard(self, stream: SseConnection) -> None:
        self._open.discard(stream)

    def end(self, reason: str) -> None:
        """End them all. Who comes later is sent elsewhere at once, with nothing lost."""
        self.end_reason = reason
        for stream in list(self._open):
            stream.end(reason)


class SseConnection:
    """One open stream, as its connection iterates and closes it.

    Its last event is `end`, with the code of the reason, unless the client went first.
    """

    def __init__(self, stream: EventStream, streams: Streams, sock: Any, write_seconds: float):
        self._heartbeat = stream.heartbeat_seconds
        self._source = stream.source
        self._streams = streams
        self._sock = sock
        self._write_seconds = write_seconds
        self._reason = streams.end_reason
        self._is_gone = self._is_sending = False
        self._woken = Event()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._source.open(self.wake)
        self._frames = self._run()
        self._watch = get_hub().add(
            "read", sock.fileno(), self._on_readable, self._on_readable, lambda: None
        )
        streams.add(self)

    def wake(self) -> None:
        """There is something to do."""
        if not self._woken.ready():
            self._woken.send()

    def end(self, reason: str) -> None:
        """Have the stream end with what it is about to send, and then say why."""
        self._reason = self._reason or reason
        self.wake()

    def __iter__(self) -> Iterator[bytes]:
        return self._frames

    def close(self) -> None:
        self._streams.discard(self)
        self._unwatch()
        self._source.close()
        self._frames.close()
        if self._is_sending:
            log.info("a stream was cut off: its client did not read on")
            shutdown_safe(self._sock)  # or closing it would wait for the client once more

    def _run(self) -> Generator[bytes]:
        last = time.monotonic()
        while self._reason is None and not self._is_gone:
            try:
                data = self._source.pull()
            except Fault as fault:
                self._reason = fault.code
                break
            except Exception:
                log.exception("a stream ended in an error")
                self._reason = "internal"
                break
            if not data and not self._rest(last + self._heartbeat - time.monotonic()):
                data = _HEARTBEAT
            if data:
                yield from self._bounded(data)
                last = time.monotonic()
        if not self._is_gone:
            yield from self._bounded(frame("end", {"reason": self._reason}))

    def _bounded(self, data: bytes) -> Iterator[bytes]:
        """Hand out `data` to be written; the time is for all of it, not for each byte."""
        self._is_sending = True
        with Timeout(self._write_seconds):  # raised in the write, not in here
            yield data
        self._is_sending = False

    def _rest(self, seconds: float) -> bool:
        """Wait to be woken; False when the time was over first."""
        if not self._woken.ready():
            with Timeout(max(0, seconds), False):
                self._woken.wait()
        if not self._woken.ready():
            return False
        self._woken = Event()
        return True

    def _on_readable(self, *_: Any) -> None:
        """The client has closed its end, or goes on sending, which ends its stream as well."""
        self._unwatch()
        self._is_gone = True
        self.wake()

    def _unwatch(self) -> None:
        if self._watch is not None:
            get_hub().remove(self._watch)
            self._watch = None
