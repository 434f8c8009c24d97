"""A TCP proxy that misbehaves on demand, between a service and its broker or database."""

import contextlib
import socket
from collections.abc import Callable

import eventlet

#: Is shown the bytes that one side of a connection has sent.
Look = Callable[[bytes], object]


def ignore(data: bytes) -> None:
    """Look at nothing."""


class Proxy:
    """Forwards to `target`; `cut`, `freeze` and `mend` change what it does. `watch`, called for
    each connection, says who looks at what its client and its server send.

    After `cut` every connection is reset and new ones are refused, as when a server has been
    killed. After `freeze` nothing is forwarded and nothing closed, as when it has been stopped.
    """

    def __init__(
        self,
        target: tuple[str, int],
        watch: Callable[[], tuple[Look, Look]] = lambda: (ignore, ignore),
    ):
        self._target = target
        self._watch = watch
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thawed = eventlet.event.Event()
        self._thawed.send()
        self._listener = eventlet.listen(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._accepting = eventlet.spawn(self._accept, self._listener)

    def cut(self) -> None:
        self._accepting.kill()
        self._listener.close()
        self._reset()

    def freeze(self) -> None:
        self._thawed = eventlet.event.Event()

    def mend(self) -> None:
        if not self._thawed.ready():
            self._thawed.send()
        else:
            self._listener = eventlet.listen(("127.0.0.1", self.port))
            self._accepting = eventlet.spawn(self._accept, self._listener)

    def close(self) -> None:
        if not self._thawed.ready():
            self._thawed.send()
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            near, _ = listener.accept()
            eventlet.spawn_n(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        self._thawed.wait()
        try:
            far = eventlet.connect(self._target)
        except OSError:
            near.close()
            return
        self._pairs.append((near, far))
        of_client, of_server = self._watch()
        there = eventlet.spawn(self._pump, near, far, of_client)
        self._pump(far, near, of_server)
        there.wait()
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket, look: Look) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._thawed.wait()
                look(data)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
