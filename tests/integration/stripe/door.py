"""An HTTP door before `localstripe`: real requests, recorded; idempotency keys as Stripe has them;
and faults on demand. What else localstripe lacks is in `additions`.

https://docs.stripe.com/api/idempotent_requests
"""

import contextlib
import json
import socket
from dataclasses import dataclass, field

import eventlet
import eventlet.wsgi
from werkzeug.wrappers import Request, Response

from tests.integration.stripe.additions import Stripe, error

#: Longer than any caller waits for an answer.
FOREVER = 60


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    form: dict
    headers: dict = field(repr=False)

    @property
    def key(self):
        return self.headers.get("Idempotency-Key")


@dataclass
class Fault:
    """`kind` happens to the next `times` requests whose line ("POST /v1/…") ends like `line`:
    `timeout_before`, `timeout_after` and `cut_after` (of the request being carried out),
    `error_before`, `error_after` (500) or `limited` (429)."""

    kind: str
    line: str
    times: int


class Door:
    """`stripe`: what is behind it. `seen`: the requests, in order."""

    def __init__(self, upstream):
        self.stripe = Stripe(upstream)
        self.seen, self.notices = [], []
        self._faults, self._saved, self._under_way = [], {}, set()
        self._pool = eventlet.GreenPool()
        self.port = 0
        self.open()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def open(self):
        """Let requests in; on the same port as before."""
        listener = eventlet.listen(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._server = eventlet.spawn(
            eventlet.wsgi.server,
            listener,
            self._serve,
            log_output=False,
            keepalive=False,
            custom_pool=self._pool,
        )

    def shut(self):
        """Connections are refused from now on; whoever waits for an answer gets none."""
        self._server.kill()
        self._listener.close()
        for waiting in list(self._pool.coroutines_running):
            waiting.kill()

    def fail(self, kind, line, times=1):
        """See `Fault`."""
        self._faults.append(Fault(kind, line, times))

    def forget_keys(self):
        """A day has passed: Stripe knows no idempotency key any more."""
        self._saved.clear()

    def asked(self, line):
        """The requests seen whose line ends so."""
        return [seen for seen in self.seen if f"{seen.method} {seen.path}".endswith(line)]

    def told_of(self, thing):
        """What localstripe has sent about it: body and headers. It sends a second late, so what a
        former test has done may come here too."""
        return next((notice for notice in self.notices if thing in notice[0]), None)

    @property
    def changes(self):
        """The requests seen that were to change something."""
        return [seen for seen in self.seen if seen.method == "POST"]

    def _serve(self, environ, start_response):
        request = Request(environ)
        if request.path == "/notices":
            self.notices.append((request.get_data(as_text=True), dict(request.headers)))
            return Response()(environ, start_response)
        form = request.form.to_dict() | request.args.to_dict()
        seen = Seen(request.method, request.path, form, dict(request.headers))
        self.seen.append(seen)
        status, body, headers = self._answer(seen, self._fault(seen), environ)
        answer = Response(json.dumps(body), status, headers, content_type="application/json")
        return answer(environ, start_response)

    def _fault(self, seen):
        line = f"{seen.method} {seen.path}"
        for fault in self._faults:
            if fault.times and line.endswith(fault.line):
                fault.times -= 1
                return fault.kind
        return None

    def _answer(self, seen, fault, environ):
        if fault == "timeout_before":
            eventlet.sleep(FOREVER)
        if fault == "limited":
            return 429, error("rate_limit", "Too many requests."), {}
        answer = self._once(seen, fault)
        if fault == "timeout_after":
            eventlet.sleep(FOREVER)
        if fault == "cut_after":
            with contextlib.suppress(OSError):
                environ["eventlet.input"].get_socket().shutdown(socket.SHUT_RDWR)
        return answer

    def _once(self, seen, fault):
        """The same key: the same answer, whatever it was, once the request had been begun."""
        if seen.method != "POST" or seen.key is None:
            return *self._carry_out(seen, fault), {}
        if seen.key in self._under_way:
            return 409, error("idempotency_error", "In use.", code="idempotency_key_in_use"), {}
        asked = (seen.path, seen.form)
        if seen.key in self._saved:
            before, answer = self._saved[seen.key]
            if before != asked:
                return 400, error("idempotency_error", f"Not the same: {seen.form}"), {}
            return *answer, {"Idempotent-Replayed": "true"}
        self._under_way.add(seen.key)
        try:
            status, body = self._carry_out(seen, fault)
        finally:
            self._under_way.discard(seen.key)
        if status not in (400, 404):
            self._saved[seen.key] = asked, (status, body)
        return status, body, {}

    def _carry_out(self, seen, fault):
        if fault == "error_before":
            return 500, error("api_error", "Sorry.")
        answer = self.stripe.answer(seen.method, seen.path, seen.form)
        return (500, error("api_error", "Sorry.")) if fault == "error_after" else answer
