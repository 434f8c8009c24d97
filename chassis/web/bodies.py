"""Request bodies: off the socket within bounds, and as strict JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

from chassis.web.errors import BadRequest, ContentTooLarge, MalformedJson
from chassis.web.heads import Head

#: Objects and lists within each other, beyond which nobody of good will nests.
MAX_DEPTH = 20

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n\Z")
_MAX_CHUNK_LINE = 256
_MAX_TRAILERS = 16


class Body:
    """The body of one request, read in one go and within a limit.

    Chunks are read strictly: a proxy in front that reads sizes such as `0x5` or `-5` otherwise
    would see other requests than we do.
    """

    def __init__(self, stream: Any, head: Head, tell_to_go_on: Callable[[], None]):
        self._stream = stream
        self._length = head.content_length
        self._is_chunked = head.is_chunked
        self._tell_to_go_on = tell_to_go_on if head.awaits_continue else None
        #: Whether the client said that a body follows.
        self.is_announced = self._is_chunked or self._length > 0
        #: Whether nothing of the body is left on the connection.
        self.is_read = not self.is_announced

    def read_all(self, limit: int) -> bytes:
        """The whole body; `ContentTooLarge` when it is longer than `limit` bytes."""
        if self._length > limit:
            raise ContentTooLarge(f"A body has at most {limit} bytes")
        if self._tell_to_go_on:
            self._tell_to_go_on()
        if self._is_chunked:
            body = self._read_chunks(limit)
        else:
            body = self._whole(self._stream.read(self._length), self._length)
        self.is_read = True
        return body

    def _read_chunks(self, limit: int) -> bytes:
        parts, taken = [], 0
        while size := self._chunk_size():
            # What frames a chunk counts too: a body of one-byte chunks costs more than it holds.
            taken += size + 4
            if taken > limit:
                raise ContentTooLarge(f"A body has at most {limit} bytes")
            parts.append(self._whole(self._stream.read(size), size))
            if self._stream.read(2) != b"\r\n":
                raise BadRequest("A chunk is longer than it says")
        for _ in range(_MAX_TRAILERS):
            if self._line() == b"\r\n":
                return b"".join(parts)
        raise BadRequest("Too many trailers")

    def _chunk_size(self) -> int:
        match = _CHUNK_SIZE.match(self._line())
        if match is None:
            raise BadRequest("A chunk has no proper size")
        return int(match[1], 16)

    def _line(self) -> bytes:
        return self._stream.readline(_MAX_CHUNK_LINE)

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
