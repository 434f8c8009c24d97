"""When `shop run` says that it is ready."""

import contextlib
import http.server
import threading
from types import SimpleNamespace

import pytest

from shop.local import run
from shop.local.server import LocalError


@contextlib.contextmanager
def answering(status):
    """The address of a server that answers with nothing but `status`."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 404])
def test_a_gateway_that_keeps_its_probes_to_itself_is_ready_too(status, monkeypatch):
    """With HTTP_PROBES=false nobody is told at the public port."""
    monkeypatch.setattr(run, "PATIENCE", 2)
    with answering(status) as place:
        run._await_ready(place, SimpleNamespace(poll=lambda: None))


def test_one_that_is_not_ready_is_waited_for(monkeypatch):
    """And then given up."""
    monkeypatch.setattr(run, "PATIENCE", 0.3)
    with answering(503) as place, pytest.raises(LocalError, match="not ready"):
        run._await_ready(place, SimpleNamespace(poll=lambda: None))
