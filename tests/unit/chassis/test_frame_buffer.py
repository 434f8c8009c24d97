"""Frames that leave and arrive together: none lost, none torn, in order."""

import contextlib
from struct import unpack_from
from types import SimpleNamespace

import eventlet
import pytest
from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import UnexpectedFrame
from amqp.method_framing import frame_handler
from amqp.serialization import dumps

from chassis.broker import frame_buffer
from chassis.broker.frame_buffer import FrameBuffer, FrameReader


class Wire:
    """The transport of a connection, and what was written to it."""

    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(bytes(data))


class Line:
    """A connection whose reader hears what its writer wrote."""

    def __init__(self, frame_max=4096):
        self.frame_max = frame_max
        self.bytes_sent = self.bytes_recv = 0
        self.wire = Wire()
        self.stuck = []
        self.write = FrameBuffer(self, self.wire, self.stuck.append)
        self.heard = []
        self.on_inbound_frame = frame_handler(self, self._hear)

    def _hear(self, channel, method, arguments, content):
        self.heard.append((channel, content.body or b""))

    def publish(self, body, channel=1):
        arguments = dumps("Bssbb", (0, "exchange", "key", False, False))
        message = Message(body, correlation_id="7", application_headers={"a": 1})
        # A reader knows deliveries, not publications; the frames look alike.
        self.write(1, channel, spec.Basic.Deliver, arguments, message)

    def hear(self, *pieces):
        pieces = iter(pieces)
        self.transport = SimpleNamespace(sock=SimpleNamespace(recv=lambda size: next(pieces, b"")))
        reader = FrameReader(self)
        with contextlib.suppress(OSError):
            while True:
                reader.read()
        return self.heard


def test_what_is_sent_in_one_turn_is_one_write():
    """Each of many messages would be a system call; a later turn is another write."""
    line = Line()
    for number in range(20):
        line.publish(b"%d" % number)
    assert line.wire.writes == []
    eventlet.sleep(0)
    assert len(line.wire.writes) == 1
    line.publish(b"later")
    eventlet.sleep(0)
    assert len(line.wire.writes) == 2
    bodies = [body for _, body in line.hear(*line.wire.writes)]
    assert bodies == [b"%d" % number for number in range(20)] + [b"later"]
    assert line.bytes_sent == 21


def test_frames_come_in_pieces_of_any_size():
    """Byte by byte, or all at once, with heartbeats between."""
    line = Line()
    line.publish(b"one")
    line.write(8, 0, None, None, None)
    line.publish(b"", channel=2)
    line.publish(b"three", channel=3)
    line.write.flush()
    sent = b"".join(line.wire.writes)
    assert line.hear(*(sent[at : at + 1] for at in range(len(sent)))) == [
        (1, b"one"),
        (2, b""),
        (3, b"three"),
    ]


def test_a_long_body_is_cut_into_frames_that_the_broker_takes():
    """None is longer than what was agreed on; the body arrives whole."""
    line = Line(frame_max=4096)
    body = bytes(range(256)) * 100
    line.publish(body)
    line.write.flush()
    sent, at, longest = b"".join(line.wire.writes), 0, 0
    while at < len(sent):
        size = unpack_from(">BHI", sent, at)[2] + 8
        longest, at = max(longest, size), at + size
    assert longest == 4096
    assert line.hear(sent) == [(1, body)]


def test_who_sends_more_than_may_wait_sends_it_himself():
    """A buffer without bound would hide a broker that has stopped reading."""
    line = Line(frame_max=131072)
    for _ in range(3):
        line.publish(b"x" * (frame_buffer.MOST // 2))
    assert len(line.wire.writes) == 1
    assert len(line.wire.writes[0]) >= frame_buffer.MOST


def test_a_broker_that_does_not_read_is_given_up(monkeypatch):
    """Half a frame may be on the wire, so the connection is of no use to anybody."""
    monkeypatch.setattr(frame_buffer, "WRITE_TIMEOUT", 0.02)
    line = Line()
    line.wire.write = lambda data: eventlet.sleep(5)
    line.publish(b"x")
    with pytest.raises(OSError, match="does not read"):
        line.write.flush()
    assert line.stuck == [line]


@pytest.mark.parametrize(
    ("gone", "told"),
    [(ConnectionResetError("reset by peer"), "reset"), (AttributeError("sock"), "is closed")],
)
def test_a_broker_that_is_gone_is_noticed_by_the_reader_not_the_sender(gone, told):
    """Who published has a deadline; the connection is cut, which wakes its reader. A TLS transport
    that is closed has no socket, and says so by another error."""
    line = Line()

    def broken(data):
        raise gone

    line.wire.write = broken
    line.publish(b"x")
    eventlet.sleep(0)
    assert line.stuck == [line]
    line.publish(b"y")
    with pytest.raises(OSError, match=told):
        line.write.flush()


def test_a_frame_without_its_end_ends_the_connection():
    """Whatever follows it could be anything."""
    line = Line()
    line.publish(b"one")
    line.write.flush()
    sent = bytearray(line.wire.writes[0])
    sent[-1] = 0
    line.transport = SimpleNamespace(sock=SimpleNamespace(recv=lambda size: bytes(sent)))
    with pytest.raises(UnexpectedFrame):
        FrameReader(line).read()
