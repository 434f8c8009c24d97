"""Streams of bytes that are not, or not quite, HTTP/1.1, each with its one reading (RFC 9112).

Most of them have smuggled requests past other servers' proxies.
"""

from shop.attack.hostile import bodies, heads, lines
from shop.attack.hostile.stream import Stream

STREAMS: list[Stream] = [*lines.STREAMS, *heads.STREAMS, *bodies.STREAMS]
