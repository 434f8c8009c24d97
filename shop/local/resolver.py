"""Names of hosts are looked up by the C library, in a thread, while other greenthreads go on."""

import socket
from typing import Any

from eventlet import patcher, tpool
from eventlet.green import socket as green

_look_up = patcher.original("socket").getaddrinfo


def look_up_in_threads() -> None:
    """Replace `getaddrinfo`, on which all connecting rests, in what eventlet has patched."""
    socket.getaddrinfo = green.getaddrinfo = getaddrinfo


def getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[Any, ...]]:
    """As the standard library's; an address as such needs no thread."""
    try:
        return _look_up(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
    except socket.gaierror:
        return tpool.execute(_look_up, host, port, family, type, proto, flags)
