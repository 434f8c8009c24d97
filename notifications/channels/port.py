"""What a channel is given, and what it must do."""

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its address. No repr shows that, nor the text, which may hold a token."""

    id: uuid.UUID
    address: str = field(repr=False)
    subject: str
    body: str = field(repr=False)
    written_at: datetime.datetime


class Channel(Protocol):
    """A way to reach someone."""

    def deliver(self, message: Message) -> None:
        """Hand `message` over; raises `Undeliverable` or `NotNow`."""
