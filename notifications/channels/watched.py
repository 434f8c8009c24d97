"""Channels whose deliveries are counted."""

from collections.abc import Callable, Mapping
from time import perf_counter

from chassis.errors import Unavailable
from notifications.channels.port import Channel, Letter
from notifications.errors import NotNow, Undeliverable

#: `note(provider, operation, outcome, seconds)`.
Note = Callable[[str, str, str, float], None]


class Watched:
    """A `Channel` that tells `note` of each delivery: ok, refused, no_answer or failed."""

    def __init__(self, name: str, channel: Channel, note: Note):
        self._name = name
        self._channel = channel
        self._note = note

    def deliver(self, letter: Letter) -> None:
        began, outcome = perf_counter(), "failed"
        try:
            self._channel.deliver(letter)
            outcome = "ok"
        except Undeliverable:
            outcome = "refused"
            raise
        except (NotNow, Unavailable):
            outcome = "no_answer"
            raise
        finally:
            self._note(self._name, "deliver", outcome, perf_counter() - began)


def watched(channels: Mapping[str, Channel], note: Note) -> dict[str, Channel]:
    """The same, counted."""
    return {name: Watched(name, channel, note) for name, channel in channels.items()}
