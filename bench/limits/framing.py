"""What it costs to find where a request ends: llhttp as the gateway has it, beside eventlet.wsgi.

Both in front of the same application, a route that a Nameko worker answers at once, in a process of
its own each, asked in turns over connections that stay open:

    python -W ignore -m bench.limits.framing

The WSGI side has no bounds but those that eventlet.wsgi has itself.
"""

import socket
import subprocess
import sys
from contextlib import closing, suppress
from types import SimpleNamespace

import click
import eventlet
import eventlet.wsgi
import psutil

from chassis.container import ServiceContainer
from chassis.web import Response, route
from chassis.web.request import Request
from chassis.web.request_head import RequestHead
from chassis.web.server import Server

#: About as long as a product with a description, pictures and attributes.
SIZE = 600
CONNECTIONS, REQUESTS, ROUNDS = 16, 1600, 7

ASK = (
    b"GET /answer HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    b"Accept-Encoding: gzip, deflate\r\n\r\n"
)


class Anyone:
    """Lets everybody in."""

    refusals = ()

    def admit(self, service, request):
        pass


class Answering:
    """One route."""

    name = "answering"

    @route("GET", "/answer", who=Anyone())
    def answer(self, request):
        """The same for all."""
        return Response({"text": "x" * (SIZE - 11)})


def serve(parser: str) -> None:
    """Answer on a free port, which is printed, until killed."""
    quota = {name: {"quota": 0} for name in ("default", "writes", "sign-in")}
    web = {"rate_limits": quota, "client_connections": 4000, "client_requests": 200}
    config = {"WEB_SERVER_ADDRESS": "127.0.0.1:0", "AMQP_URI": "amqp://nowhere", "web": web}
    container = ServiceContainer(Answering, config | {"max_workers": 256})
    container.start()
    server = next(e for e in container.extensions if isinstance(e, Server))
    if parser == "llhttp":
        click.echo(server._sock.getsockname()[1])
        eventlet.sleep(3600)
    listener = eventlet.listen(("127.0.0.1", 0))
    click.echo(listener.getsockname()[1])
    eventlet.wsgi.server(listener, _application(server), log_output=False, keepalive=True)


def _application(server: Server):
    """The gateway's application as WSGI has it."""

    def application(environ, start_response):
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        path, query = environ["RAW_PATH_INFO"], environ.get("QUERY_STRING", "")
        head = RequestHead(environ["REQUEST_METHOD"], path, query, False, headers)
        request = Request(head, environ["REMOTE_ADDR"])
        body = SimpleNamespace(is_pending=False, has_length=False, close=lambda: None)
        answer, payload, _ = server.app.answer(request, body, None)
        status, *lines = answer.lines(len(payload)).split("\r\n")
        sent = [tuple(line.split(": ", 1)) for line in lines]
        sent += [("X-Request-ID", request.request_id), *request.response_headers]
        start_response(status.partition(" ")[2], sent)
        return [payload]

    return application


def load(port: int) -> None:
    """Ask so many times."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for _ in range(REQUESTS // CONNECTIONS):
        for client in clients:
            client.sendall(ASK)
        for client in clients:
            received = b""
            while b"\r\n\r\n" not in received or not received.endswith(b'"}'):
                part = client.recv(65536)
                assert part, received
                received += part
            assert received.startswith(b"HTTP/1.1 200")
    for client in clients:
        client.close()


@click.command()
@click.option("--serve", "parser", type=click.Choice(["llhttp", "wsgi"]), hidden=True)
@click.option("--read", default=0.0, help="Microseconds that a whole uncached read takes.")
def main(parser: str | None, read: float) -> None:
    """Processor time of the server for each request, in microseconds: the least and the median."""
    if parser:
        serve(parser)
        return
    taken: dict[str, list[float]] = {"llhttp": [], "wsgi": []}
    servers = {}
    for name in taken:
        command = [sys.executable, "-W", "ignore", "-m", "bench.limits.framing", "--serve", name]
        servers[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ports = {name: int(process.stdout.readline()) for name, process in servers.items()}
        for number in range(ROUNDS + 1):
            for name, process in servers.items():
                clock = psutil.Process(process.pid)
                before = sum(clock.cpu_times()[:2])
                load(ports[name])
                if number:  # the first one warms up
                    spent = sum(clock.cpu_times()[:2]) - before
                    taken[name].append(spent / REQUESTS * 1e6)
    finally:
        for process in servers.values():
            with suppress(OSError), closing(process.stdout):
                process.kill()
    for name, found in taken.items():
        click.echo(f"{name} least {min(found):6.1f}  median {sorted(found)[len(found) // 2]:6.1f}")
    if read:
        more = min(taken["wsgi"]) - min(taken["llhttp"])
        click.echo(f"eventlet.wsgi takes {more:.1f} more: {more / read:.1%} of an uncached read")


if __name__ == "__main__":
    eventlet.monkey_patch()
    main()
