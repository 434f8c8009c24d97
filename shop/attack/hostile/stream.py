"""What one hostile stream is, and the requests that streams are made of.

They ask for `/ok`, post to `/take`, and hide a request for `/inner`; `Stream.at` makes other paths
of the first two.
"""

from __future__ import annotations

from dataclasses import dataclass

H = "Host: x\r\n"
GET = f"GET /ok HTTP/1.1\r\n{H}"
INNER = f"GET /inner HTTP/1.1\r\n{H}\r\n"
#: What comes behind each stream.
LAST = f"GET /next HTTP/1.1\r\n{H}Connection: close\r\n\r\n"
POST = f"POST /take HTTP/1.1\r\n{H}Content-Type: application/json\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
LENGTH = len(INNER)


@dataclass(frozen=True)
class Stream:
    """Bytes, and the statuses of the answers to them. One that `closes` is the last of its
    connection; after the others a request that follows is answered."""

    name: str
    text: bytes | str
    statuses: tuple[int, ...] = (400,)
    closes: bool = True

    @property
    def data(self) -> bytes:
        """The bytes, with a request behind them that is answered unless the stream closes."""
        sent = self.text if isinstance(self.text, bytes) else self.text.encode()
        return sent + LAST.encode()

    @property
    def answers(self) -> int:
        """How many there are to `data`."""
        return len(self.statuses) + (not self.closes)

    def at(self, read: str, write: str) -> bytes:
        """`data` for a server where `read` can be read and `write` takes a body."""
        renamed = ((b"/ok", read), (b"/next", read), (b"/take", write))
        data = self.data
        for path, other in renamed:
            data = data.replace(path, other.encode())
        return data


def good(name: str, text: bytes | str, *statuses: int) -> Stream:
    """A stream that is read, and then the next request is."""
    return Stream(name, text, statuses or (200,), False)
