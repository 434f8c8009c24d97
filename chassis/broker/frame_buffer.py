"""Many frames with one system call.

Under load most of what an RPC costs is system calls: py-amqp sends each message by itself, and
reads each frame in three pieces. Here what is sent within one turn of the event loop leaves
together, and what has arrived is read together. A lone message waits for nothing but its turn.
"""

from collections.abc import Callable
from logging import getLogger
from struct import pack, unpack_from
from typing import Any

import eventlet
from amqp.exceptions import AMQPError, UnexpectedFrame
from eventlet.semaphore import Semaphore

log = getLogger(__name__)

#: AMQP 0-9-1, 2.3: method, content header, content body; each ends with the last.
_METHOD, _HEADER, _BODY, _END = 1, 2, 3, 0xCE

#: Bytes that may wait for the end of a turn; who adds more has to send them.
MOST = 64 * 1024

#: Bytes to ask of the socket at once.
CHUNK = 64 * 1024

#: Seconds after which a broker that does not read what we write is given up.
WRITE_TIMEOUT = 5


class FrameBuffer:
    """py-amqp's writer of frames; `on_stuck(connection)` is called when it can't be written to."""

    def __init__(self, connection: Any, transport: Any, on_stuck: Callable[[Any], None]):
        self._connection = connection
        self._transport = transport
        self._on_stuck = on_stuck
        self._frames: list[bytes] = []
        self._size = 0
        self._is_due = False
        self._order = Semaphore()

    def __call__(
        self, frame_type: int, channel: int, method: Any, arguments: Any, content: Any
    ) -> None:
        """Take one method with its content; as py-amqp's own does."""
        start = pack(">HH", *method) + (arguments or b"") if frame_type == _METHOD else b""
        frames = _frame(frame_type, channel, start)
        if content is not None:
            frames += self._of_content(channel, method[0], content)
        self._connection.bytes_sent += 1
        self._frames.append(frames)
        self._size += len(frames)
        if self._size >= MOST:
            self.flush()
        elif not self._is_due:
            self._is_due = True
            eventlet.spawn_n(self._flush_at_end_of_turn)

    def flush(self) -> None:
        """Send what was collected; raises OSError when the broker has gone or does not read."""
        with self._order:
            frames, self._frames = b"".join(self._frames), []
            self._size, self._is_due = 0, False
            if frames:
                self._write(frames)

    def _write(self, frames: bytes) -> None:
        timeout = eventlet.Timeout(WRITE_TIMEOUT)
        try:
            self._transport.write(frames)
        except BaseException as error:
            # Half a frame may be on the wire: this connection is of no more use.
            self._on_stuck(self._connection)
            if error is timeout:
                raise OSError("the broker does not read what we write") from None
            if isinstance(error, AttributeError):  # a closed TLS transport has no socket any more
                raise OSError("the connection is closed") from None
            raise
        finally:
            timeout.cancel()

    def _of_content(self, channel: int, method_class: int, content: Any) -> bytes:
        body, most = content.body, self._connection.frame_max - 8
        if isinstance(body, str):
            body = body.encode()
        about = pack(">HHQ", method_class, 0, len(body)) + content._serialize_properties()
        frames = _frame(_HEADER, channel, about)
        for start in range(0, len(body), most):
            frames += _frame(_BODY, channel, body[start : start + most])
        return frames

    def _flush_at_end_of_turn(self) -> None:
        try:
            self.flush()
        except (OSError, AMQPError) as error:
            log.debug("a connection can't be written to: %s", error)


class FrameReader:
    """Reads from an open connection, after py-amqp has read its last frame by itself."""

    def __init__(self, connection: Any):
        self._read = connection.transport.sock.recv
        self._on_frame = connection.on_inbound_frame
        self._rest = b""

    def read(self) -> None:
        """Wait for more, and have all frames that are complete handled; raises OSError when the
        broker has gone, and what the handlers raise."""
        arrived = self._read(CHUNK)
        if not arrived:
            raise OSError("the broker closed the connection")
        data, at = self._rest + arrived, 0
        while len(data) - at >= 8:
            frame_type, channel, size = unpack_from(">BHI", data, at)
            end = at + 7 + size
            if end >= len(data):
                break
            if data[end] != _END:
                raise UnexpectedFrame("a frame without its end")
            self._on_frame((frame_type, channel, data[at + 7 : end]))
            at = end + 1
        self._rest = data[at:]


def _frame(frame_type: int, channel: int, payload: bytes) -> bytes:
    return pack(">BHI", frame_type, channel, len(payload)) + payload + b"\xce"
