"""Channels whose deliveries are counted, and appear in traces."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Any

from chassis.errors import Unavailable
from notifications.channels.port import Channel, Letter
from notifications.errors import NotNow, Undeliverable

#: `note(provider, operation, outcome, seconds)`.
Note = Callable[[str, str, str, float], None]

#: `with outside("send email", {...})`: a call to somebody outside (`chassis.tracing`).
Outside = Callable[[str, Mapping[str, Any]], AbstractContextManager[None]]


class Watched:
    """A `Channel` that tells `note` of each delivery: ok, refused, no_answer or failed; it is made
    within `outside`, which learns to whose `server`, never to whom."""

    def __init__(
        self, name: str, channel: Channel, server: str | None, note: Note, outside: Outside
    ):
        self._name = name
        self._channel = channel
        self._about = {"notification.channel": name}
        if server:
            self._about["server.address"] = server
        self._note = note
        self._outside = outside

    def deliver(self, letter: Letter) -> None:
        began, outcome = perf_counter(), "failed"
        about = {**self._about, "notification.id": str(letter.id)}
        try:
            with self._outside(f"send {self._name}", about):
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


def watched(
    channels: Mapping[str, Channel], settings: Mapping[str, Any], note: Note, outside: Outside
) -> dict[str, Channel]:
    """The same, each watched."""
    servers = {"email": settings["smtp_host"]}
    return {
        name: Watched(name, channel, servers.get(name), note, outside)
        for name, channel in channels.items()
    }
