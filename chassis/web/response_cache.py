"""Cached answers of routes with `cache_tags`, kept by the process that gives them.

A hit costs neither a worker nor a call nor any JSON: each way to write a request is validated once,
and an answer is encoded once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from nameko.extensions import SharedExtension

from chassis import config as configuration
from chassis.hooks import Hooks
from chassis.web.read_cache import Made, ReadCache
from chassis.web.responses import Response, as_own
from chassis.web.settings import ReadCacheSettings

if TYPE_CHECKING:
    from chassis.web.request import Request, RunnableRoute

#: Ways to write a request whose meaning is known, and how long one may be to be among them.
_MAX_SPELLINGS, _MAX_SPELLING = 4096, 256
#: What an answer's headers take, measured.
_BYTES_OF_HEADERS = 1200


class EncodedResponse(Response):
    """An answer for all who ask the same, with nothing left to encode; `tags` name what it shows,
    `size` is in bytes."""

    __slots__ = ("_lines", "size", "tags")

    def __init__(self, response: Response, tags: Iterable[Hashable]):
        payload = response.payload()
        super().__init__(payload, response.status, response.headers, response.media_type)
        self._lines = response.lines(len(payload))
        self.tags = frozenset(tags)
        self.size = len(payload) + _BYTES_OF_HEADERS

    def lines(self, length: int) -> str:
        return self._lines


class ResponseCache(Hooks, SharedExtension):
    """The cached answers of a service's routes; its bounds are the section `read_cache`."""

    def __init__(self) -> None:
        super().__init__()
        self._cache: ReadCache | None = None
        self._keys: dict[tuple[str, ...], str] = {}  # by how a request is written

    def check(self) -> None:
        """Make the cache, unless `max_age_seconds` is 0; raises Nameko's `ConfigurationError`."""
        section = self.container.config.get("read_cache") or {}
        bounds = configuration.check(ReadCacheSettings(), section, "read_cache")
        if bounds["max_age_seconds"]:
            max_bytes = int(bounds["max_megabytes"] * 2**20)
            self._cache = ReadCache(bounds["max_entries"], max_bytes, bounds["max_age_seconds"])

    def setup(self) -> None:
        self.check()

    def answer(self, route: RunnableRoute, request: Request, timeout: float) -> Response:
        """The answer to a request, kept or made now; `timeout` is for one that another request is
        waiting for already. Raises what `route.run` and its validation raise."""
        if self._cache is None:
            return route.run(request)
        key = self._key(route, request)
        make = partial(_make, route, request)
        response = self._cache.read(key, make, timeout, afresh=_goes_past(request))
        return response if isinstance(response, EncodedResponse) else as_own(response, request)

    def forget(self, tags: Iterable[Hashable]) -> None:
        """Drop the answers with one of `tags`."""
        if self._cache is not None:
            self._cache.forget(tags)

    def clear(self) -> None:
        """Anything may have changed."""
        if self._cache is not None:
            self._cache.clear()

    def _key(self, route: RunnableRoute, request: Request) -> str:
        """The same for all requests that mean the same; raises `Invalid`, as ever."""
        spelling = (route.path, *request.path_values.values(), request.query_string)
        key = self._keys.get(spelling)
        if key is None:
            # Schemas load fields in their own order, defaults included.
            key = f"{route.path} {route.arguments(request)!r}"
            if sum(map(len, spelling)) <= _MAX_SPELLING:
                if len(self._keys) >= _MAX_SPELLINGS:
                    self._keys.clear()
                self._keys[spelling] = key
        return key


def _make(route: RunnableRoute, request: Request) -> Made:
    response = route.run(request)
    if isinstance(response, EncodedResponse):
        return response, response.tags, response.size
    return response, None, 0


def _goes_past(request: Request) -> bool:
    """Whether the client will have nothing that was kept (RFC 9111, 5.2.1.4)."""
    sent = request.header("Cache-Control")
    return sent is not None and "no-cache" in (part.strip() for part in sent.lower().split(","))
