"""What of tracing needs no servers: settings, the door, and that it is not there when off."""

import subprocess
import sys

import pytest
import requests

from chassis import errors, tracing
from chassis.container import ServiceContainer
from chassis.tracing import export
from chassis.web import route
from chassis.web.server import Server
from shop.packages import SERVICE_PACKAGES
from tests.collector import collecting
from tests.unit.chassis.web_toy import ANYONE

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Echo:
    """Says what it works under."""

    name = "echo"

    @route("GET", "/under", who=ANYONE)
    def under(self, request):
        """What is sent on."""
        return {"traceparent": request.traceparent}

    @route("GET", "/alive", who=ANYONE, probe=True)
    def alive(self, request):
        """For machines."""
        return {"traceparent": request.traceparent}

    @route("GET", "/broken", who=ANYONE)
    def broken(self, request):
        """Not well."""
        raise errors.Unavailable(retry_after=1)


@pytest.fixture
def door(monkeypatch, eventually):
    """`door(path, flags, **settings)`: what is sent on for a request, and the spans of that."""
    monkeypatch.setattr(export, "EVERY", 0.05)

    def ask(path, flags=None, **settings):
        with collecting() as collector:
            tracing = {"endpoint": collector.url} | settings
            config = {
                "web": {"probes": True},
                "AMQP_URI": "amqp://x", "WEB_SERVER_ADDRESS": "127.0.0.1:0", "tracing": tracing,
            }  # fmt: skip
            container = ServiceContainer(Echo, config)
            container.start()
            server = next(e for e in container.extensions if isinstance(e, Server))
            url = f"http://127.0.0.1:{server._sock.getsockname()[1]}{path}"
            headers = {"traceparent": f"00-{TRACE}-{CALLER}-{flags}"} if flags else {}
            answer = requests.get(url, headers=headers, timeout=5)
            container.stop()
            return answer.json().get("traceparent"), collector.spans

    return ask


def test_a_strangers_trace_is_continued_and_its_flag_is_not_believed(door):
    """Nobody outside can have all of theirs recorded, nor hide; its id stays."""
    under, spans = door("/under", "01", sample_ratio=0)
    assert (under, spans) == (f"00-{TRACE}-{CALLER}-00", [])
    under, (span,) = door("/under", "00", sample_ratio=1)
    assert (span.trace_id, span.parent_id) == (TRACE, CALLER)
    assert under == f"00-{TRACE}-{span.id}-01"
    assert span.told == "echo: GET /under SERVER"


def test_neither_query_nor_path_is_told(door):
    """They may hold anything."""
    _, (span,) = door("/under?email=ada@example.com")
    assert span.attributes["http.response.status_code"] == 422
    assert "ada" not in str(span)


def test_callers_can_be_trusted(door):
    """Behind a door of one's own that samples, what that says holds."""
    under, (span,) = door("/under", "01", sample_ratio=0, trust_callers=True)
    assert under == f"00-{TRACE}-{span.id}-01"
    under, spans = door("/under", "00", sample_ratio=1, trust_callers=True)
    assert (under, spans) == (f"00-{TRACE}-{CALLER}-00", [])


def test_a_request_without_a_trace_begins_one(door):
    """Recorded by its ratio; what is not recorded goes on under an id all the same."""
    under, (span,) = door("/under", sample_ratio=1)
    assert (under[3:52], span.parent_id) == (f"{span.trace_id}-{span.id}", "")
    under, spans = door("/under", sample_ratio=0)
    assert spans == []
    assert int(under[3:35], 16)
    assert under[-1] in "02"


@pytest.mark.parametrize("flags", ["01", None])
def test_probes_are_not_recorded(door, flags):
    """And neither is what they set going."""
    under, spans = door("/alive", flags, sample_ratio=1, trust_callers=True)
    assert (under[-2:], spans) == ("00", [])


def test_an_answer_that_is_our_fault_is_an_error(door):
    """By its code."""
    _, (span,) = door("/broken")
    assert span.failed
    assert span.attributes["error.type"] == "unavailable"
    assert span.attributes["http.response.status_code"] == 503


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"endpoint": "collector:4317"}, "tracing.endpoint: A URL such as"),
        ({"endpoint": "http://u:hunter2@h/?x"}, "tracing.endpoint: A URL such as"),
        ({"sample_ratio": 1.5}, "tracing.sample_ratio: "),
        ({"sample_ratio": "often"}, "tracing.sample_ratio: "),
        ({"sample_ratio": float("nan")}, "tracing.sample_ratio: "),
        ({"trust_callers": "perhaps"}, "tracing.trust_callers: "),
        ({"endpiont": "http://h"}, "tracing.endpiont: "),
    ],
)
def test_a_wrong_setting_is_one_line(section, fault):
    """At the start, before anything else, and without what it holds."""
    config = {"AMQP_URI": "amqp://x", "WEB_SERVER_ADDRESS": "127.0.0.1:0", "tracing": section}
    with pytest.raises(SystemExit) as ended:
        ServiceContainer(Echo, config)
    line = str(ended.value)
    assert line.startswith(f"echo: config: {fault}")
    assert "\n" not in line
    assert "hunter2" not in line


@pytest.mark.parametrize("section", [{}, {"endpoint": ""}, {"endpoint": "http://h", "disabled": 1}])
def test_off_is_off(section):
    """Without a collector, or by OpenTelemetry's own switch."""
    assert tracing.tracer_for("echo", {"tracing": section}) is None


def test_off_nothing_of_opentelemetry_is_imported():
    """Neither its time nor its memory is paid."""
    script = (
        "import sys, eventlet; eventlet.monkey_patch()\n"
        f"for name in {SERVICE_PACKAGES}: __import__(name + '.service')\n"
        "from chassis import config, container\n"
        "from users.service import UsersService\n"
        "service = container.ServiceContainer(UsersService, config.load())\n"
        "container.tracing.tracer_for('users', service.config)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SELECT a.b FROM orders AS a JOIN x ON true", "SELECT orders"),
        ("INSERT INTO notes (text) VALUES (%(text)s)", "INSERT notes"),
        ("insert into inbox (e) SELECT unnest(%(e)s) ON CONFLICT DO NOTHING", "INSERT inbox"),
        ("UPDATE carts SET x = 1", "UPDATE carts"),
        ("DELETE FROM cart_lines WHERE y = %(y)s", "DELETE cart_lines"),
        ("WITH w AS (SELECT 1 FROM unnest(%(ids)s)) SELECT * FROM stock", "WITH stock"),
        ("SELECT 1", "SELECT"),
        ("", "OTHER"),
    ],
)
def test_statements_are_named_by_what_they_do_to_which_table(text, name):
    """Few names, for a list to be read."""
    from chassis.tracing import conventions

    assert conventions.statement(text)[0] == name
