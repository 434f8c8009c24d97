"""What gathers for a handler that takes events by the batch."""

from collections import deque
from collections.abc import Iterable
from typing import Any


class Batches:
    """Messages in their order, `most` at a time, one batch in work at once."""

    def __init__(self, most: int):
        self.most = most
        self._is_busy = False
        self._gathered: deque[Any] = deque()
        self._alone: deque[Any] = deque()

    def add(self, message: Any) -> bool:
        """Whether a batch has to be begun for it: none is in work."""
        self._gathered.append(message)
        was_busy, self._is_busy = self._is_busy, True
        return not was_busy

    def take(self) -> list[Any]:
        """The next batch; of one that has failed, each message is one."""
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
