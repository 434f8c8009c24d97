"""Reading what others sent, whatever that is."""

from collections.abc import Callable
from logging import getLogger
from typing import Any

from amqp.method_framing import frame_handler

log = getLogger(__name__)

#: AMQP 0-9-1, 4.2.6: class, weight and body size come first in a content header, then the flags
#: that say which properties follow.
_HEADER_FRAME = 2
_BEFORE_FLAGS = 12
_NO_PROPERTIES = b"\0\0"


def tolerant_frame_handler(
    connection: Any, callback: Callable[..., None]
) -> Callable[[tuple[int, int, bytes]], bool]:
    """py-amqp's reader of frames, for which a message with properties that can't be read (text that
    is no UTF-8, a table nested without end) is a message without properties.

    Its own raises, which would end the connection; the broker would deliver the message again, and
    so on for ever. A message without properties becomes a dead letter.
    """
    read = frame_handler(connection, callback)

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        frame_type, channel, payload = frame
        if frame_type != _HEADER_FRAME:
            return read(frame)
        try:
            return read(frame)
        except Exception as error:
            log.error("a message with unreadable properties: %s", type(error).__name__)
            bare = bytes(payload[:_BEFORE_FLAGS]) + _NO_PROPERTIES
            return read((frame_type, channel, bare))

    return on_frame
