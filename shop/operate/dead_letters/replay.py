"""Puts dead letters back to the handlers that could not handle them."""

import datetime
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from chassis.events.janitor import INBOX_DAYS
from shop.operate.dead_letters.box import put, sift
from shop.operate.dead_letters.letter import Letter
from shop.operate.dead_letters.selection import Selection

#: Until then a handler knows an event that it has handled.
_REMEMBERED = datetime.timedelta(days=INBOX_DAYS)


@dataclass
class Replay:
    """One run: up to `limit` of the `selection`, in the order in which they were parked.

    Each goes to the one queue it came from, so no other handler hears of it again; a handler that
    did what it asks knows its id, so being told twice does no harm.
    """

    selection: Selection
    limit: int
    now: datetime.datetime
    is_dry: bool = False
    even_old: bool = False
    replayed: list[dict[str, Any]] = field(default_factory=list)
    #: What was selected and could not be put back, with `left` saying why.
    left: list[dict[str, Any]] = field(default_factory=list)
    #: How many more are selected, beyond the limit.
    more: int = 0
    _closed: set[str] = field(default_factory=set)

    def run(self, connection: pika.BlockingConnection, boxes: list[str]) -> None:
        for box in boxes:
            sift(connection, box, self._put_back)

    def report(self) -> dict[str, Any]:
        return {
            "dry_run": self.is_dry,
            "replayed": self.replayed,
            "left": self.left,
            "more": self.more,
        }

    def _put_back(self, channel: BlockingChannel, letter: Letter) -> bool:
        if not self.selection.matches(letter, self.now):
            return False
        if len(self.replayed) >= self.limit:
            self.more += 1
            return False
        reason = self._obstacle(letter)
        if reason is None and not self.is_dry and not self._put(channel, letter):
            reason = "its queue is full or gone: is that service migrated and running?"
        if reason is not None:
            self.left.append(letter.told(self.now) | {"left": reason})
            return False
        self.replayed.append(letter.told(self.now))
        return not self.is_dry

    def _put(self, channel: BlockingChannel, letter: Letter) -> bool:
        """Once a queue has refused one, those that come after it would overtake it."""
        assert letter.origin is not None
        if letter.origin in self._closed:
            return False
        done = put(channel, letter.origin, letter, letter.headers())
        if not done:
            self._closed.add(letter.origin)
        return done

    def _obstacle(self, letter: Letter) -> str | None:
        if letter.event is None:
            return "it is no event: who called has long gone; drop it"
        old = letter.occurred_at is not None and self.now - letter.occurred_at > _REMEMBERED
        if old and not self.even_old:
            return (
                f"older than {INBOX_DAYS} days: handlers do not remember whether they handled"
                " it; --even-old if they did not"
            )
        return None
