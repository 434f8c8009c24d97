"""Channels whose deliveries are counted, and appear in traces."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Unavailable
from chassis.external import ExternalCall
from contracts.notifications.enums import Channel
from notifications.channels import port
from notifications.channels.port import Message
from notifications.errors import NotNow, Undeliverable


class Instrumented:
    """A `Channel` each of whose deliveries is an `external_call`, whose outcome is ok, refused,
    no_answer or failed; traces learn to whose `server`, never to whom."""

    def __init__(
        self, name: str, channel: port.Channel, server: str | None, external_call: ExternalCall
    ):
        self._name = name
        self._channel = channel
        self._about = {"notification.channel": name}
        if server:
            self._about["server.address"] = server
        self._external_call = external_call

    def deliver(self, message: Message) -> None:
        about = {**self._about, "notification.id": str(message.id)}
        with self._external_call(self._name, "deliver", about) as call:
            try:
                self._channel.deliver(message)
            except Undeliverable:
                call.outcome = "refused"
                raise
            except (NotNow, Unavailable):
                call.outcome = "no_answer"
                raise


def instrumented(
    channels: Mapping[str, port.Channel], settings: Mapping[str, Any], external_call: ExternalCall
) -> dict[str, port.Channel]:
    """The same, each instrumented."""
    servers: dict[str, str | None] = {Channel.EMAIL: settings["smtp_host"]}
    return {
        name: Instrumented(name, channel, servers.get(name), external_call)
        for name, channel in channels.items()
    }
