"""A toy service behind the web layer, on a real socket and without a broker."""

import contextlib
import json
import socket
from types import SimpleNamespace

import eventlet
from marshmallow import fields as plain
from nameko.containers import ServiceContainer

from chassis import errors, fields
from chassis.web import Response, route
from chassis.web.server import Server
from tests.support import ONE_CLIENT


class Everybody:
    """An audience that lets all in."""

    refusals = ()

    def admit(self, service, request):
        request.actor = request.header("X-Actor")


class Nobody:
    """An audience that lets none in."""

    def admit(self, service, request):
        raise errors.Unauthenticated()


ANYONE, NOBODY = Everybody(), Nobody()


class ThingPath(fields.Request):
    thing_id = fields.Uuid(required=True)


class NewThing(fields.Request):
    name = fields.Text(max=20, required=True)
    price = fields.Money()
    tags = plain.List(fields.Text(max=10))


class Note(fields.Request):
    note = fields.Text(max=100)


#: What the toy has run, for tests that expect nothing.
SERVED = []


class Toy:
    name = "toy"

    #: What `/hang` does before it answers.
    pause = staticmethod(lambda: eventlet.sleep(0.5))

    @route("GET", "/things", who=ANYONE, query=fields.Page)
    def list_things(self, request, query):
        """A page of things."""
        following = "next page=" if query["cursor"] is None else None
        return {"items": [query["limit"]], "next": following}

    @route("POST", "/things", who=ANYONE, body=NewThing, status=201)
    def add_thing(self, request, body):
        """A new thing."""
        return Response(body, 201, {"Location": "/things/1"})

    @route("GET", "/things/{thing_id}", who=ANYONE, path=ThingPath)
    def get_thing(self, request, thing_id):
        """One thing."""
        raise errors.NotFound()

    @route("DELETE", "/things/{thing_id}", who=ANYONE, path=ThingPath, status=204)
    def delete_thing(self, request, thing_id):
        """Gone."""
        return None

    @route("POST", "/notes", who=ANYONE, body=Note)
    def add_note(self, request, body):
        """A note, or none."""
        SERVED.append(body)
        return body

    @route("GET", "/closed", who=NOBODY)
    def closed(self, request):
        """For nobody."""
        return {}

    @route("GET", "/fault/{thing_id}", who=ANYONE, path=ThingPath)
    def fault(self, request, thing_id):
        """Faults."""
        raise errors.Conflict("Two are left.", code="out_of_stock", lines=[{"available": 2}])

    @route("GET", "/away", who=ANYONE)
    def away(self, request):
        """Somebody is away."""
        raise errors.Unavailable(retry_after=7)

    @route("GET", "/crash", who=ANYONE)
    def crash(self, request):
        """A mistake of ours."""
        raise RuntimeError("password=hunter2")

    @route("GET", "/unsendable", who=ANYONE)
    def unsendable(self, request):
        """Another mistake of ours."""
        return {"secret": object()}

    @route("GET", "/hang", who=ANYONE)
    def hang(self, request):
        """Takes a while."""
        self.pause()
        SERVED.append("hang")
        return {"slept": True}

    @route("GET", "/probe", who=ANYONE, probe=True)
    def probe(self, request):
        """How is it."""
        SERVED.append("probe")
        return {"request_id": request.request_id}

    @route("GET", "/manual", who=ANYONE, docs=True)
    def manual(self, request):
        """What is here."""
        return {}

    @route("GET", "/manual/{thing_id}", who=ANYONE, path=ThingPath, docs=True)
    def chapter(self, request, thing_id):
        """More of it."""
        return {}

    @route("GET", "/alive", who=ANYONE)
    def alive(self, request):
        """Is it there."""
        return {"request_id": request.request_id, "traceparent": request.traceparent}


@contextlib.contextmanager
def running(service=Toy, address="127.0.0.1:0", read_cache=None, **limits):
    """The service, on a free port if not told which, and with ONE_CLIENT's bounds beside `limits`:
    `.port`, `.url`, `.container`, `.server`."""
    config = {"WEB_SERVER_ADDRESS": address, "max_workers": 70}
    config["web"] = ONE_CLIENT | limits
    config["read_cache"] = read_cache
    container = ServiceContainer(service, config)
    container.start()
    server = next(e for e in container.extensions if isinstance(e, Server))
    port = server._sock.getsockname()[1]
    try:
        yield SimpleNamespace(
            port=port, url=f"http://127.0.0.1:{port}", container=container, server=server
        )
    finally:
        container.kill()


class Raw:
    """A client that sends the bytes it is told to, whatever they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.file = self.socket.makefile("rb")

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part if isinstance(part, bytes) else part.encode())
        return self

    def answer(self):
        """Status, headers (names in lower case) and body of the next answer; None at the end."""
        line = self.file.readline()
        if not line:
            return None
        headers = {}
        while (header := self.file.readline()) != b"\r\n":
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self.file.read(int(headers.get("content-length", 0)))
        return SimpleNamespace(
            status=int(line.split()[1]), headers=headers, body=json.loads(body) if body else None
        )

    def is_closed(self):
        """Whether the server has closed its end, with nothing more to read."""
        return self.file.read() == b""

    def close(self):
        self.file.close()
        self.socket.close()
