"""Request bodies: off the socket within bounds, and as strict JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import orjson

from chassis.web.errors import ContentTooLarge, MalformedJson, Overloaded
from chassis.web.framing import Framing
from chassis.web.request_head import RequestHead
from chassis.web.shares import Shares

#: Objects and lists within each other, and in all, more than any honest client sends. Each list
#: costs as much as a hundred digits, and nobody else is served while a body is read.
MAX_DEPTH, MAX_CONTAINERS = 20, 10_000
#: A text, as far as it goes: one without an end takes the rest.
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


class RequestBody:
    """The body of one request, read when somebody asks for it, within a limit and a budget.

    What it takes of the budget is given back by `close`.
    """

    def __init__(
        self,
        framing: Framing,
        head: RequestHead,
        budget: Shares,
        client: str,
        tell_to_go_on: Callable[[], None],
    ):
        self._framing = framing
        self._head = head
        self._budget = budget
        self._client = client
        self._taken = 0
        self._tell_to_go_on = tell_to_go_on
        #: Whether the client said that a body follows, be it an empty one.
        self.has_length = head.has_length
        #: Whether something of the body may be left on the connection.
        self.is_pending = head.is_chunked or head.content_length > 0

    def read_all(self, limit: int) -> bytes:
        """The whole body; raises `ContentTooLarge` when it is longer than `limit` bytes, and
        `Overloaded` when there is no room for it just now."""
        if not self.is_pending:
            return b""
        if self._head.content_length > limit:
            raise ContentTooLarge(f"A body has at most {limit} bytes")
        if self._head.awaits_continue:
            self._tell_to_go_on()
        body = self._framing.read_body(self._head, limit, self._take)
        self.is_pending = False
        return body

    def close(self) -> None:
        """The request is answered, and nobody needs the body any more."""
        self._budget.give_back(self._client, self._taken)
        self._taken = 0

    def _take(self, size: int) -> None:
        if not self._budget.take(self._client, size):
            raise Overloaded("Too much is being sent just now; come back later", retry_after=1)
        self._taken += size


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; raises `MalformedJson`.

    Refused are also what parsers read differently: a name given twice, NaN and infinity, numbers
    beyond a double, half surrogates, a byte order mark.
    """
    _measure(raw)
    try:
        orjson.loads(raw)  # the strict one of the two
        value = json.loads(raw, object_pairs_hook=_object, parse_int=_integer)
    except _GivenTwice as twice:
        raise MalformedJson(f"A field is given twice: {twice.name[:40]!r}") from None
    except (ValueError, RecursionError):
        raise MalformedJson("The body can't be read as JSON") from None
    if not isinstance(value, dict):
        raise MalformedJson("The body has to be a JSON object")
    return value


def _measure(raw: bytes) -> None:
    """Refuse what is too deep or has too much in it by its brackets, before any of it is made."""
    brackets = _TEXT.sub(b"", raw).translate(None, _NO_BRACKETS)
    steps = [_STEPS[bracket] for bracket in brackets]
    if steps.count(1) > MAX_CONTAINERS:
        raise MalformedJson(f"More than {MAX_CONTAINERS} objects and lists")
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise MalformedJson(f"Nested deeper than {MAX_DEPTH} levels")


class _GivenTwice(Exception):
    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


def _integer(digits: str) -> int | float:
    """An integer of 64 bits, as all that we send on has to be; a longer one is a number that has
    lost its last digits, as it is to most readers of JSON (RFC 8259, 6)."""
    if len(digits) > 20:
        return float(digits)
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _GivenTwice(name)
        result[name] = value
    return result
