"""Many streams beside requests, in one process."""

import pytest

from chassis.web import route
from chassis.web.streams import EventStream, frame
from tests.support import eventually
from tests.unit.chassis.web_toy import ANYONE, Raw, Toy, running

#: Streams that idle.
MANY = 100


class Quiet:
    """A source that says hello, and then what it is told to."""

    alive = set()

    def __init__(self):
        self.said = False

    def open(self, wake):
        self.alive.add(self)

    def pull(self):
        self.said, was = True, self.said
        return b"" if was else frame("hello", {}, 7)

    def close(self):
        self.alive.remove(self)


class Broken(Quiet):
    """A source with a mistake in it."""

    def pull(self):
        raise RuntimeError("password=hunter2")


class Loud(Quiet):
    """A source that says more than any buffer holds."""

    def pull(self):
        return frame("noise", "x" * 3_000_000)


class Live(Toy):
    name = "toy"

    @route("GET", "/loud", who=ANYONE, media_type="text/event-stream")
    def loud(self, request):
        """Says a lot."""
        return EventStream(Loud(), heartbeat_seconds=5)

    @route("GET", "/stream", who=ANYONE, media_type="text/event-stream")
    def stream(self, request):
        """Says hello."""
        return EventStream(Quiet(), heartbeat_seconds=5)

    @route("GET", "/broken", who=ANYONE, media_type="text/event-stream")
    def broken(self, request):
        """Breaks."""
        return EventStream(Broken(), heartbeat_seconds=5)


@pytest.fixture
def toy():
    with running(Live, max_requests=10, write_seconds=5) as service:
        yield service
    assert not Quiet.alive


def get(client, path):
    client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")


def test_idle_streams_hold_no_place_of_a_request(toy):
    """Ten requests at once are all that this server takes. What thousands of streams cost is
    measured at the real gateway."""
    client = Raw(toy.port)
    streams = [Raw(toy.port) for _ in range(MANY)]
    for stream in streams:
        get(stream, "/stream")
        assert stream.file.readline() == b"HTTP/1.1 200 OK\r\n"
    assert len(toy.server.streams) == MANY
    get(client, "/things")
    assert client.answer().status == 200
    for stream in (client, *streams):
        stream.close()


def test_a_stream_to_an_old_client_has_no_chunks(toy):
    """HTTP/1.0 knows none; the end of the connection is the end."""
    client = Raw(toy.port).send("GET /stream HTTP/1.0\r\n\r\n")
    lines = iter(client.file.readline, b"data: {}\n")
    lines = list(lines)
    assert lines[-2:] == [b"id: 7\n", b"event: hello\n"]
    assert not any(line.lower().startswith(b"transfer-encoding") for line in lines)
    client.close()


def test_what_goes_on_after_a_stream_is_not_served(toy):
    """Who sends the next request before the stream has ended, ends it."""
    client = Raw(toy.port)
    get(client, "/stream")
    while client.file.readline() != b"data: {}\n":
        pass
    get(client, "/things")
    assert b"200 OK" not in client.file.read()
    client.close()


def test_a_mistake_of_ours_ends_the_stream_and_shows_nothing(toy):
    """As with any request: the log has it."""
    client = Raw(toy.port)
    get(client, "/broken")
    rest = client.file.read()
    assert b'event: end\ndata: {"reason":"internal"}\n\n' in rest
    assert b"hunter2" not in rest
    client.close()


def test_who_reads_a_little_now_and_then_is_cut_off():
    """The time is for the whole of what is sent: some progress now and then keeps no stream."""
    with running(Live, write_seconds=0.5) as toy:
        client = Raw(toy.port)
        get(client, "/loud")
        client.socket.recv(1)
        assert len(toy.server.streams) == 1
        eventually(lambda: client.socket.recv(20_000) and not toy.server.streams, every=0.05)
        client.close()
    assert not Quiet.alive
