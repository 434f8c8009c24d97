"""The load generator, against a server whose answers are known."""

import json
import pathlib
import subprocess
import sys

import pytest

from bench import load

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def port():
    """Where the tiny server answers."""
    command = [sys.executable, str(HERE / "tiny.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield int(server.stdout.readline())
        server.kill()


@pytest.fixture
def run(port):
    """Runs the program; its paths are what it asks for."""

    def run(*paths, **plan):
        requests = [f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n" for path in paths]
        plan = {"port": port, "requests": requests, "connections": 2, "seconds": 0.3} | plan
        done = subprocess.run(
            [sys.executable, load.__file__],
            input=json.dumps(plan).encode(),
            capture_output=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


def test_what_is_answered_is_counted_by_status(run):
    """Requests go in turn, and every answer counts."""
    found = run("/ok/a", "/busy")
    assert found["lost"] == 0
    assert set(found["statuses"]) == {"200", "503"}
    assert abs(found["statuses"]["200"] - found["statuses"]["503"]) <= 1


def test_bodies_can_be_looked_at(run):
    """A sample of them comes with the number of its request, from `first` on."""
    found = run("/ok/a", "/ok/b", first=1)
    assert found["sample"][0] == [1, "b"]
    assert {tuple(pair) for pair in found["sample"]} <= {(0, "a"), (1, "b")}


def test_the_warm_up_does_not_count(run):
    """The rate is of the seconds after it; all answers are in the statuses."""
    found = run("/slow/10", connections=1, warm=0.3, seconds=0.3)
    assert 10 < found["rate"] < 110
    assert found["statuses"]["200"] > found["rate"] * 0.3 * 1.5


def test_an_answer_in_pieces_is_one(run):
    """The length says where it ends."""
    found = run("/parted/hello")
    assert set(found["statuses"]) == {"200"}
    assert {body for _, body in found["sample"]} == {"hello"}


def test_a_closed_connection_is_replaced(run):
    """A server may announce that it closes; that is no failure."""
    found = run("/last/word")
    assert found["lost"] == 0
    assert found["statuses"]["200"] > 10


def test_a_request_without_an_answer_is_lost(run):
    """It is told, and the load goes on."""
    found = run("/ok/a", "/gone")
    assert found["lost"] > 0
    assert found["statuses"]["200"] > 0


def test_at_a_rate_so_many_are_sent(run):
    """No more than asked for, however fast the answers come."""
    found = run("/ok/a", rate=100, seconds=0.5)
    assert found["rate"] == pytest.approx(100, rel=0.15)


def test_at_a_rate_waiting_counts(run):
    """One connection, 20 ms an answer, 100 a second due: the later, the longer they have waited."""
    found = run("/slow/20", rate=100, connections=1, warm=0, seconds=0.5)
    assert found["latencies"]["max"] > 200_000
    assert found["latencies"]["p50"] > 50_000
    assert found["rate"] == pytest.approx(100, rel=0.15)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", None),
        (b"HTTP/1.1 201 Created\r\ncontent-length:2\r\n\r\nab", (201, b"ab", False)),
        (b"HTTP/1.1 409 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", (409, b"", True)),
    ],
)
def test_answers_are_read(data, answer):
    """Status and body, once all of it is there."""
    assert load.parse(data) == answer


def test_an_answer_without_a_length_is_not_guessed_at():
    """Chunks are not read."""
    with pytest.raises(load.Unreadable):
        load.parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
