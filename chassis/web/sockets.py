"""Where connections come from: a socket of this process, or one that several processes accept from.

A listening socket keeps connections that nobody has accepted yet. They are lost when it is closed,
also those that the kernel gave one of several sockets on the same port (SO_REUSEPORT), where the
other processes would have time for them. Nothing is lost when who starts the processes opens the
socket and hands it to each: what one that stops has not accepted, another one does.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import eventlet
from eventlet.green import socket as green
from nameko.exceptions import ConfigurationError

#: Connections that the kernel keeps for us while we are busy.
BACKLOG = 512


def listen(host: str, port: int, shared: bool) -> Any:
    """A socket of our own, `shared` with others that ask for the same; raises Nameko's
    `ConfigurationError`."""
    try:
        return eventlet.listen((host, port), backlog=BACKLOG, reuse_port=shared)
    except (OSError, OverflowError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "no such port"
        raise ConfigurationError(f"Can't listen on {host or '*'}:{port}: {why}") from None


def inherit(descriptor: int) -> Any:
    """The socket that our parent process has open as `descriptor`, which stays open; raises
    Nameko's `ConfigurationError`."""
    try:
        found = green.socket(fileno=os.dup(descriptor))
        if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return found
    except OSError:
        pass
    raise ConfigurationError(f"File descriptor {descriptor} is no socket that listens") from None


def waiting(listener: Any) -> Iterator[tuple[Any, Any]]:
    """The connections, as `accept` gives them, that nobody has accepted so far."""
    listener.settimeout(0.001)
    with suppress(TimeoutError):
        for _ in range(BACKLOG):
            yield listener.accept()
