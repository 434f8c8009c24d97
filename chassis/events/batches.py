"""What gathers for a handler that takes events by the batch."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import eventlet

#: Seconds from the begin of one batch to that of the next, unless that one gets full: what comes
#: meanwhile goes with it, as many events cost little more than one. A handler that has rested for
#: longer begins at once.
PACE = 0.04


class Batches:
    """Messages in their order, `most` at a time, one batch in work at once."""

    def __init__(self, most: int):
        self.most = most
        self._pace, self._next_at = PACE, 0.0
        self._waiting: Callable[[], None] | None = None
        self._is_busy = False
        self._gathered: deque[Any] = deque()
        self._alone: deque[Any] = deque()

    def add(self, message: Any) -> bool:
        """Whether a batch has to be begun for it: none is in work."""
        self._gathered.append(message)
        was_busy, self._is_busy = self._is_busy, True
        if self._waiting is not None and len(self._gathered) >= self.most:
            self._begin_waiting(self._waiting)
        return not was_busy

    def begin(self, start: Callable[[], None]) -> None:
        """Call `start`, which is to `take` the next batch, when that is due or full."""
        is_full = self._alone or len(self._gathered) >= self.most
        delay = self._next_at - time.monotonic()
        if is_full or delay <= 0:
            start()
        else:
            self._waiting = start
            eventlet.spawn_after(delay, self._begin_waiting, start)

    def _begin_waiting(self, start: Callable[[], None]) -> None:
        """Once, whether because it is time or because it got full."""
        if self._waiting is start:
            self._waiting = None
            start()

    def hurry(self) -> None:
        """Let none wait any more; the one that does has begun when it returns."""
        self._pace = self._next_at = 0.0
        if self._waiting is not None:
            self._begin_waiting(self._waiting)

    def take(self) -> list[Any]:
        """The next batch; of one that has failed, each message is one."""
        self._next_at = time.monotonic() + self._pace
        if self._alone:
            return [self._alone.popleft()]
        return [self._gathered.popleft() for _ in range(min(self.most, len(self._gathered)))]

    def split(self, messages: Iterable[Any]) -> None:
        """Have each of a batch that has failed tried alone."""
        self._alone.extend(messages)

    def go_on(self) -> bool:
        """Whether there is another batch; otherwise the next message begins one."""
        self._is_busy = bool(self._alone or self._gathered)
        return self._is_busy
