"""The gateway's application as WSGI has it, for eventlet's own server; GETs without a body."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from chassis.web.app import App
from chassis.web.request import Request
from chassis.web.request_head import RequestHead

#: In place of a body that is still to be read.
_NO_BODY = SimpleNamespace(is_pending=False, has_length=False, close=lambda: None)


def application(app: App) -> Callable[..., Iterable[bytes]]:
    """What `eventlet.wsgi.server` calls; the bounds are those that eventlet.wsgi has itself."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        path, query = environ["RAW_PATH_INFO"], environ.get("QUERY_STRING", "")
        head = RequestHead(environ["REQUEST_METHOD"], path, query, False, headers)
        request = Request(head, environ["REMOTE_ADDR"])
        answer, payload, _ = app.answer(request, _NO_BODY, None)
        status, *lines = answer.lines(len(payload)).split("\r\n")
        sent = [tuple(line.split(": ", 1)) for line in lines]
        sent += [("X-Request-ID", request.request_id), *request.response_headers]
        start_response(status.partition(" ")[2], sent)
        return [payload]

    return answer
