"""Request bodies: off the socket within bounds, and as strict JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from eventlet import wsgi

from chassis.web.errors import BadRequest, ContentTooLarge, MalformedJson

#: Objects and lists within each other, beyond which nobody of good will nests.
MAX_DEPTH = 20

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n\Z")
_MAX_CHUNK_LINE = 256
_MAX_TRAILERS = 16


class Body(wsgi.Input):
    """Eventlet's request input, read in one go and within a limit.

    Eventlet's own chunk reader takes lines of any length and sizes such as `0x5` or `-5`; a proxy
    in front that reads them otherwise would see other requests than we do.
    """

    @property
    def is_announced(self) -> bool:
        """Whether the client said that a body follows."""
        return self.chunked_input or bool(self.content_length)

    @property
    def is_read(self) -> bool:
        """Whether nothing of the body is left on the connection."""
        if self.chunked_input:
            return self.chunk_length == 0
        return self.position >= (self.content_length or 0)

    def read_all(self, limit: int) -> bytes:
        """The whole body; `ContentTooLarge` when it is longer than `limit` bytes."""
        if self.chunked_input:
            return self._read_chunks(limit)
        if self.content_length > limit:
            raise ContentTooLarge(f"A body has at most {limit} bytes")
        return self._whole(self.read(), self.content_length)

    def _read_chunks(self, limit: int) -> bytes:
        if self.should_send_hundred_continue:
            self.send_hundred_continue_response()
            self.is_hundred_continue_response_sent = True
        parts, taken = [], 0
        while size := self._chunk_size():
            # What frames a chunk counts too: a body of one-byte chunks costs more than it holds.
            taken += size + 4
            if taken > limit:
                raise ContentTooLarge(f"A body has at most {limit} bytes")
            parts.append(self._whole(self.rfile.read(size), size))
            if self.rfile.read(2) != b"\r\n":
                raise BadRequest("A chunk is longer than it says")
        for _ in range(_MAX_TRAILERS):
            if self._line() == b"\r\n":
                self.chunk_length = 0
                return b"".join(parts)
        raise BadRequest("Too many trailers")

    def _chunk_size(self) -> int:
        match = _CHUNK_SIZE.match(self._line())
        if match is None:
            raise BadRequest("A chunk has no proper size")
        return int(match[1], 16)

    def _line(self) -> bytes:
        return self.rfile.readline(_MAX_CHUNK_LINE)

    @staticmethod
    def _whole(data: bytes, size: int) -> bytes:
        if len(data) < size:
            raise BadRequest("The body ended before its announced end")
        return data


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; raises `MalformedJson`.

    Refused are also what parsers read differently: a name given twice, NaN and infinity, numbers
    beyond a double, half surrogates, a byte order mark.
    """
    try:
        orjson.loads(raw)  # the strict one of the two
        value = json.loads(raw, object_pairs_hook=_object)
    except _GivenTwice as twice:
        raise MalformedJson(f"A field is given twice: {twice.name[:40]!r}") from None
    except (ValueError, RecursionError):
        raise MalformedJson("The body can't be read as JSON") from None
    if not isinstance(value, dict):
        raise MalformedJson("The body has to be a JSON object")
    if _is_deeper(value, MAX_DEPTH):
        raise MalformedJson(f"Nested deeper than {MAX_DEPTH} levels")
    return value


class _GivenTwice(Exception):
    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _GivenTwice(name)
        result[name] = value
    return result


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)
