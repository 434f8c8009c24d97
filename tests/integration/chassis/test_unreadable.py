"""Messages whose properties and headers nobody can read: one such message must not end a service,
nor come again for ever."""

import struct

import orjson
import pika
import pytest
from amqp.basic_message import Message

from chassis.broker.connection import connect
from tests.integration.chassis.world import Listener, Speaker

CALLS = "rpc-listener"
EVENTS = "evt-speaker-said--listener.on_said"
LETTERS = "listener.dead-letters"


class Raw(Message):
    """A message with properties written by hand."""

    def __init__(self, body, raw):
        super().__init__(body)
        self._raw = raw

    def _serialize_properties(self):
        return self._raw


def short(text):
    return bytes([len(text)]) + text


def headers(table):
    """Only headers: the flag for them, then the table."""
    return struct.pack(">HI", 0x2000, len(table)) + table


def text(key, value):
    return short(key) + b"S" + struct.pack(">I", len(value)) + value


def deep(levels):
    value = b"V"
    for _ in range(levels):
        table = short(b"k") + value
        value = b"F" + struct.pack(">I", len(table)) + table
    return headers(short(b"d") + value)


UNREADABLE = {
    "content type that is no UTF-8": struct.pack(">H", 0x8000) + short(b"\xff"),
    "return address that is no UTF-8": struct.pack(">H", 0x0200) + short(b"\xff"),
    "message id that is no UTF-8": struct.pack(">H", 0x0080) + short(b"\xff"),
    "moment far away": headers(short(b"t") + b"T" + struct.pack(">Q", 2**62)),
    "header name that is no UTF-8": headers(text(b"\xff", b"x")),
    "call stack that is none": headers(short(b"nameko.call_id_stack") + b"I" + bytes(4)),
    "copy to where it came from": headers(
        short(b"CC") + b"A" + struct.pack(">I", 5 + len(EVENTS)) + text(b"", EVENTS.encode())[1:]
    ),
    "headers 900 deep": deep(900),
    "headers 2,000 deep": deep(2000),
    "headers that fill a frame": headers(text(b"x", b"y" * 130_900)),
}


@pytest.mark.parametrize("queue", [CALLS, EVENTS])
@pytest.mark.parametrize("properties", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_message_is_parked_once(
    call, start, config, rows, eventually, queue, properties
):
    """It ends among the dead letters, and the service goes on with calls and events."""
    (_, container) = start(Speaker, Listener)
    sender = connect(config, "prankster", heartbeat=0)
    for _ in range(4):  # more than there are workers for events
        message = Raw(orjson.dumps({"args": [], "kwargs": {}}), properties)
        sender.channel().basic_publish(message, "", queue)
    connection = pika.BlockingConnection(pika.URLParameters(config["AMQP_URI"] + "?heartbeat=0"))
    channel = connection.channel()

    def depth(name):
        return channel.queue_declare(name, passive=True).method.message_count

    eventually(lambda: depth(LETTERS) >= 4, timeout=20)
    call.speaker.say("fine")
    eventually(lambda: rows("SELECT 1 FROM notes WHERE text = 'heard fine'"))
    assert call.listener.quick() == "quick"
    assert depth(LETTERS) <= 8  # the four, and their copies where the sender asked for one
    assert depth(queue) == 0
    assert not container._died.ready()
    connection.close()
    sender.collect()
