"""Deliveries as they appear in traces: on which channel and to whose server, never to whom."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from notifications.channels.port import Channel, Letter

#: `with outside("send email", {...})`: a call to somebody outside (`chassis.tracing`).
Outside = Callable[[str, Mapping[str, Any]], AbstractContextManager[None]]


class Recorded:
    """A channel whose deliveries `outside` records; `server` is the host that takes them."""

    def __init__(self, name: str, channel: Channel, server: str | None, outside: Outside):
        self._name = f"send {name}"
        self._channel = channel
        self._about = {"notification.channel": name}
        if server:
            self._about["server.address"] = server
        self._outside = outside

    def deliver(self, letter: Letter) -> None:
        """As the channel does."""
        with self._outside(self._name, {**self._about, "notification.id": str(letter.id)}):
            self._channel.deliver(letter)


def recorded(
    channels: Mapping[str, Channel], settings: Mapping[str, Any], outside: Outside
) -> dict[str, Channel]:
    """The channels, each recorded."""
    servers = {"email": settings["smtp_host"]}
    return {
        name: Recorded(name, channel, servers.get(name), outside)
        for name, channel in channels.items()
    }
