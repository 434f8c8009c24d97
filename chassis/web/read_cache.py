"""A cache of what was read: bounded in size and age, with tags by which outdated entries are
dropped, and one read for all who ask at once.

An entry has tags, names of what it contains. `forget(tags)` drops all entries with one of them;
what was asked for before a `forget` is neither kept for later readers nor given to them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Set
from dataclasses import dataclass
from typing import Any

from eventlet import Timeout
from eventlet.event import Event

from chassis.errors import DeadlineExceeded, Unavailable

#: What an entry takes beside what it holds, and beside that each of its tags: a little more than
#: was measured.
_BYTES_OF_ENTRY, _BYTES_OF_TAG = 500, 400

Made = tuple[Any, Set[Hashable] | None, int]


@dataclass(slots=True)
class _Entry:
    """What is kept until it is too old; `size` in bytes."""

    value: Any
    until: float
    tags: Set[Hashable]
    size: int


class _Flight:
    """A read under way, and those who wait for it."""

    __slots__ = ("began", "forgotten", "landed")

    def __init__(self, began: float):
        self.began = began
        self.landed = Event()
        #: What was forgotten since it began: it may or may not have seen the change.
        self.forgotten: set[Hashable] = set()

    def wait(self, timeout: float) -> Any:
        with Timeout(timeout, DeadlineExceeded()):
            return self.landed.wait()


class ReadCache:
    """Values by key, the least recently used go first.

    `max_age` is in seconds from when a read *began*, so that no value is older than that, whatever
    it missed.
    """

    def __init__(
        self,
        max_entries: int,
        max_bytes: int,
        max_age: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._keys: dict[Hashable, set[str]] = {}  # by tag
        self._flights: dict[str, _Flight] = {}
        self.size = 0  # bytes

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, key: str, make: Callable[[], Made], timeout: float, afresh: bool = False) -> Any:
        """What is kept for `key`, else what an equal read under way brings, else what is made now.

        `make()` returns a value, its tags (None: not to be kept) and its size in bytes. Who waits
        for somebody else's read does so for `timeout` seconds (`DeadlineExceeded`), and gets its
        error as well. `afresh`, it is made now in any case.
        """
        now = self._clock()
        if not afresh:
            entry = self._entries.get(key)
            if entry is not None and now < entry.until:
                self._entries.move_to_end(key)
                return entry.value
            flight = self._flights.get(key)
            if flight is not None and not flight.forgotten and now < flight.began + self._max_age:
                return flight.wait(timeout)
        return self._fly(key, make, _Flight(now))

    def forget(self, tags: Iterable[Hashable]) -> None:
        """Drop entries with one of `tags`, and keep no result of reads under way that will have
        one."""
        tags = set(tags)
        for flight in self._flights.values():
            flight.forgotten |= tags
        for tag in tags:
            for key in self._keys.pop(tag, ()):
                self._drop(key)

    def clear(self) -> None:
        """Drop everything, and keep nothing that is under way."""
        self._flights.clear()
        self._entries.clear()
        self._keys.clear()
        self.size = 0

    def _fly(self, key: str, make: Callable[[], Made], flight: _Flight) -> Any:
        """Make the value; an older flight for `key` still lands, but for nobody who comes now."""
        self._flights[key] = flight
        try:
            value, tags, size = make()
        except BaseException as error:
            if self._flights.get(key) is flight:
                del self._flights[key]
            is_logged = isinstance(error, Exception)  # not so when we are killed
            flight.landed.send_exception(error if is_logged else Unavailable(retry_after=1))
            raise
        if self._flights.get(key) is flight:
            del self._flights[key]
            self._drop(key)
            if tags is not None and tags.isdisjoint(flight.forgotten):
                self._keep(key, _Entry(value, flight.began + self._max_age, tags, size))
        flight.landed.send(value)
        return value

    def _keep(self, key: str, entry: _Entry) -> None:
        entry.size += len(key) + _BYTES_OF_ENTRY + _BYTES_OF_TAG * len(entry.tags)
        if entry.size > self._max_bytes:
            return
        self._entries[key] = entry
        self.size += entry.size
        for tag in entry.tags:
            self._keys.setdefault(tag, set()).add(key)
        while len(self._entries) > self._max_entries or self.size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size -= entry.size
        for tag in entry.tags:
            keys = self._keys.get(tag)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._keys[tag]
