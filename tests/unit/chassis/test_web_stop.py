"""One of two servers stops, and no client notices."""

import contextlib
import socket

import eventlet
import pytest
import requests
from eventlet import patcher
from nameko.testing.utils import find_free_port

from chassis.container import ServiceContainer
from tests.support import eventually
from tests.unit.chassis.web_toy import Raw, Toy, running

ASK = "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def listener():
    """A listening socket that servers are given: `.fileno()`, `.port`."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as sock:
        yield sock


class Clients:
    """Callers on connections that they keep, who never ask twice; `failures` are theirs."""

    def __init__(self, url, count, pause=0.0):
        self.failures, self.answers = [], 0
        self._url, self._pause, self._is_over = url, pause, False
        self._threads = [eventlet.spawn(self._go_on) for _ in range(count)]

    def _go_on(self):
        with requests.Session() as session:
            while not self._is_over:
                try:
                    answer = session.post(f"{self._url}/notes", json={}, timeout=10)
                    assert answer.status_code == 200, answer.text
                    self.answers += 1
                except (requests.RequestException, AssertionError) as failure:
                    self.failures.append(repr(failure))
                eventlet.sleep(self._pause)

    def end(self):
        self._is_over = True
        for thread in self._threads:
            thread.wait()


@pytest.mark.parametrize("pause", [0, 0.05, 0.7])
def test_a_stop_fails_no_request(listener, pause):
    """Neither on connections that are kept nor on new ones, although a POST is never repeated."""
    port = listener.getsockname()[1]
    with contextlib.ExitStack() as stack:
        given = {"listen_fd": listener.fileno()}
        toys = [stack.enter_context(running(**given)) for _ in range(2)]
        clients = Clients(f"http://127.0.0.1:{port}", 30, pause)
        for _ in range(4 if pause else 2):
            eventlet.sleep(0.4)
            toys.pop(0).container.stop()
            toys.append(stack.enter_context(running(**given)))
        clients.end()
    assert clients.failures == []
    assert clients.answers > 60


def test_what_one_has_not_accepted_another_does(listener):
    """The socket stays open, and so do the connections that wait in it."""
    port = listener.getsockname()[1]
    with running(listen_fd=listener.fileno()) as first:
        first.container.stop()
        clients = [Raw(port).send(ASK) for _ in range(20)]
        with running(listen_fd=listener.fileno()):
            assert {client.answer().status for client in clients} == {200}
    for client in clients:
        client.close()


def test_who_was_there_before_the_end_is_answered():
    """Without others to take over: what the kernel keeps for us is accepted before it closes."""
    plain = patcher.original("socket")  # so that nothing else runs while they connect
    with running() as toy:
        clients = [plain.create_connection(("127.0.0.1", toy.port)) for _ in range(40)]
        stopping = eventlet.spawn(toy.container.stop)
        for client in clients:
            client.sendall(ASK.encode())
        stopping.wait()
        with pytest.raises(ConnectionRefusedError):
            Raw(toy.port)
    for client in clients:
        assert client.recv(12) == b"HTTP/1.1 200"
        client.close()


def test_each_answer_is_the_last_after_the_signal():
    """So that clients who keep their connection go elsewhere before it is closed."""
    with running(stop_delay_seconds=1) as toy:
        client = Raw(toy.port).send(ASK)
        assert "connection" not in client.answer().headers
        stopping = eventlet.spawn(toy.container.stop)
        eventually(lambda: toy.server.is_stopping)
        assert client.send(ASK).answer().headers["connection"] == "close"
        assert client.is_closed()
        stopping.wait()


def test_waiting_for_the_load_balancer_takes_nothing_from_the_time_to_finish():
    """Who comes in the meantime is served like everybody."""
    config = {"AMQP_URI": "amqp://nowhere", "WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}"}
    web = {"stop_delay_seconds": 2}
    container = ServiceContainer(Toy, config | {"web": web, "STOP_TIMEOUT": 1, "max_workers": 50})
    container.start()
    client = Raw(int(config["WEB_SERVER_ADDRESS"].partition(":")[2]))
    stopping = eventlet.spawn(container.stop)
    eventlet.sleep(1.2)  # longer than the time to finish
    client.send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer().status == 200
    client.close()
    stopping.wait()


def test_a_descriptor_that_is_no_socket_is_one_clear_line():
    """Before anything else starts."""
    for descriptor in (0, 999):
        config = {"WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}"}
        config |= {"AMQP_URI": "amqp://nowhere", "web": {"listen_fd": descriptor}}
        with pytest.raises(SystemExit, match=f"File descriptor {descriptor} is no socket that"):
            ServiceContainer(Toy, config)
