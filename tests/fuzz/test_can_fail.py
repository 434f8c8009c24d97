"""What runs the fuzzing says so when an API is wrong: here each operation is, but one."""

import json
import re

import eventlet
import pytest
from eventlet import wsgi

from tests.e2e.description import DOCUMENT
from tests.fuzz import run
from tests.fuzz.run import Plan, fuzz

pytestmark = pytest.mark.timeout(600)

JSON = "application/json"
RIGHT = ("200 OK", JSON, b'{"watts": 40}')
ANSWERS = {
    "right": RIGHT,
    "shape": ("200 OK", JSON, b'{"watts": "many"}'),
    "status": ("201 Created", JSON, RIGHT[2]),
    "type": ("200 OK", "text/plain", RIGHT[2]),
    "broken": ("500 Internal Server Error", JSON, b"{}"),
    "silent": None,
}
FOUND = {
    "shape": "Response violates schema",
    "status": "Undocumented status code",
    "type": "Undocumented Content-Type",
    "broken": "Server error",
    "silent": "Read timed out",
}
LAMP = {
    "type": "object",
    "properties": {"watts": {"type": "integer"}},
    "required": ["watts"],
}
KNOWN = "0b8f2d3e-5c1a-4f7e-9a64-2f1d7c3b9e10"


def description():
    """All operations alike: they take an id and answer with a lamp."""
    order_id = {"in": "path", "name": "order_id", "required": True}
    order_id["schema"] = {"type": "string", "format": "uuid"}
    answers = {"200": {"description": "A lamp", "content": {JSON: {"schema": LAMP}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Toy", "version": "1"},
        "paths": {
            f"/{name}/{{order_id}}": {"get": {"parameters": [order_id], "responses": answers}}
            for name in ANSWERS
        },
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run against that server: exit status, what it wrote by operation, and the ids that the
    right operation was asked for."""
    asked = []

    def answer(environ, start_response):
        _, name, wanted = f"{environ['PATH_INFO']}/".split("/", 2)
        if name == "openapi.json":
            status, kind, body = "200 OK", JSON, json.dumps(description()).encode()
        elif environ["REQUEST_METHOD"] != "GET":
            start_response("405 Method Not Allowed", [("Allow", "GET")])
            return [b""]
        else:
            if name == "right":
                asked.append(wanted.removesuffix("/"))
            if ANSWERS[name] is None:
                eventlet.sleep(60)
            status, kind, body = ANSWERS[name] or RIGHT
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    sock = eventlet.listen(("127.0.0.1", 0))
    server = eventlet.spawn(wsgi.server, sock, answer, log_output=False)
    log = tmp_path_factory.mktemp("fuzz") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "REQUEST_SECONDS", 5)
        plan = Plan(phases="fuzzing", examples=6, seed=1)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/openapi.json"
        status = fuzz(url, plan, log, known={"order_id": [KNOWN]})
    server.kill()
    parts = re.split(r"^_+ GET /(\w+)/.* _+$", log.read_text(), flags=re.MULTILINE)
    return status, dict(zip(parts[1::2], parts[2::2], strict=True)), asked


def test_a_wrong_api_fails(finished):
    """And each fault is told with its operation, none of the one that is right."""
    status, told, _ = finished
    assert status == 1
    assert {name: FOUND[name] in told.get(name, "") for name in FOUND} == dict.fromkeys(FOUND, True)
    assert "right" not in told


def test_things_that_are_there_are_asked_for(finished):
    """By about half of the requests that could have meant one of them."""
    *_, asked = finished
    assert 0.2 < asked.count(KNOWN) / len(asked) < 0.8


def test_only_streams_are_left_out():
    """Every operation whose answer ends is tried."""
    endless = {
        operation["operationId"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        if "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
    }
    assert endless == {run.ENDLESS}
