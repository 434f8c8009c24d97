"""What Nameko promises to those who write services and extensions for it, kept by the chassis."""

import logging
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import requests
from marshmallow import Schema, fields
from nameko.containers import get_container_cls
from nameko.events import BROADCAST, EventDispatcher, EventHandler
from nameko.events import event_handler as nameko_handler
from nameko.exceptions import MethodNotFound
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, DependencyProvider
from nameko.rpc import Rpc as NamekoRpc
from nameko.rpc import RpcProxy as NamekoProxy
from nameko.rpc import rpc as nameko_rpc
from nameko.standalone.events import event_dispatcher
from nameko.standalone.rpc import ClusterRpcProxy
from nameko.testing.services import (
    entrypoint_hook,
    entrypoint_waiter,
    replace_dependencies,
    restrict_entrypoints,
    worker_factory,
)
from nameko.testing.utils import get_extension
from nameko.timer import Timer
from nameko.timer import timer as nameko_timer
from nameko.web.handlers import HttpRequestHandler
from nameko_prometheus import PrometheusMetrics
from nameko_sqlalchemy import Database as NamekoDatabase
from nameko_tracer import Tracer
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.orm import declarative_base

from chassis import events
from chassis.errors import Conflict, Fault, Internal
from chassis.fields import Request
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from chassis.timers import timer
from chassis.web import route

ANYONE = SimpleNamespace(refusals=(), admit=lambda service, request: None)


class Foreseen(Exception):
    """An error of a service that is no fault of the chassis."""


class Item(Request):
    """A body of any shape."""

    name = fields.String(required=True)


class Heard(Schema):
    """The payload of an event."""


class Results(DependencyProvider):
    """Keeps what dependencies are told of a worker."""

    def __init__(self):
        self.seen = []

    def worker_result(self, worker_ctx, result=None, exc_info=None):
        self.seen.append((worker_ctx.entrypoint.method_name, result, exc_info))


#: What the guest was told.
heard = []


class Sample(Service):
    """A service of somebody who knows Nameko."""

    name = "sample"
    results = Results()
    metrics = PrometheusMetrics()
    tracer = Tracer()

    @rpc(expected_exceptions=Foreseen, sensitive_arguments="secret")
    def fail(self, secret):
        raise Foreseen("as foreseen")

    @rpc(expected_exceptions=(Foreseen, KeyError))
    def echo(self, value):
        return value

    @timer(interval=30)
    def tick(self):
        """Runs once at the start."""

    @timer(3600, eager=False, expected_exceptions=Foreseen)
    def later(self):
        """Does not run at the start."""


class Door(Service):
    """A gateway of somebody who knows Nameko."""

    name = "door"
    results = Results()
    metrics = PrometheusMetrics()
    tracer = Tracer()
    other = RpcProxy("sample", timeout=3)

    @route("POST", "/api/items", who=ANYONE, body=Item, status=201)
    def add(self, request, body):
        """Add an item."""
        return {"name": body["name"]}

    @route("GET", "/api/items", who=ANYONE)
    def refuse(self, request):
        """Refuse."""
        raise Conflict("Not now.")

    @route("GET", "/api/broken", who=ANYONE, expected_exceptions=Foreseen)
    def break_down(self, request):
        """Fail."""
        raise ZeroDivisionError


class Guest:
    """A service as Nameko's documentation shows it, with all that it has."""

    name = "guest"
    dispatch = EventDispatcher()
    sample = NamekoProxy("sample")
    db = NamekoDatabase(declarative_base(name="GuestBase"))
    tracer = Tracer()

    @nameko_rpc(expected_exceptions=Foreseen, sensitive_arguments="value")
    def ask(self, value):
        return self.sample.echo(value)

    @nameko_rpc
    def one(self):
        return self.db.session.execute(text("SELECT 1")).scalar()

    @nameko_rpc
    def tell(self, what):
        self.dispatch("happened", what)

    @nameko_handler("guest", "happened", requeue_on_error=True)
    def once(self, what):
        heard.append(("once", what))

    @nameko_handler("guest", "happened", handler_type=BROADCAST, reliable_delivery=False)
    def each(self, what):
        heard.append(("each", what))

    @nameko_timer(interval=0.2)
    def tick(self):
        heard.append("tick")


@pytest.fixture
def fresh_registry():
    """Prometheus' default registry without what a test adds."""
    before = set(REGISTRY._collector_to_names)
    yield
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


@pytest.fixture
def sample(start, fresh_registry):
    """The running service."""
    return start(Sample)[0]


@pytest.fixture
def door(start, fresh_registry, config):
    """The running gateway; `.url`."""
    (container,) = start(Door)
    return SimpleNamespace(container=container, url=f"http://{config['WEB_SERVER_ADDRESS']}")


def results_of(container):
    return get_extension(container, Results).seen


def test_expected_exceptions_are_the_services_own_besides_the_chassis(sample, call, logged):
    """They may be one class or several, and are no error in the log; the faults stay expected."""
    with pytest.raises(Internal):
        call.sample.fail("x")
    entrypoint = get_extension(sample, NamekoRpc, method_name="fail")
    assert Foreseen in entrypoint.expected_exceptions
    assert Fault in entrypoint.expected_exceptions
    assert not any("error handling worker" in line for line in logged)


def test_a_timer_runs_at_once_unless_it_is_not_to(sample, call, eventually):
    """Nameko's `eager` is the default here, and an option still."""
    eventually(lambda: ("tick", None, None) in results_of(sample))
    assert call.sample.echo("hello") == "hello"
    assert not any(name == "later" for name, _, _ in results_of(sample))


def test_metrics_of_nameko_prometheus_count_calls_and_requests(sample, door, call, eventually):
    """A dependency that reads results ends no process, and finds statuses and methods."""
    assert call.sample.echo("hello") == "hello"
    assert requests.post(f"{door.url}/api/items", json={"name": "x"}, timeout=5).status_code == 201
    assert requests.get(f"{door.url}/api/items", timeout=5).status_code == 409
    assert requests.get(f"{door.url}/api/broken", timeout=5).status_code == 500
    assert requests.post(f"{door.url}/api/items", json={"name": "x"}, timeout=5).status_code == 201

    def counted(name, **labels):
        return REGISTRY.get_sample_value(name, labels)

    eventually(lambda: counted("sample_rpc_requests_total", method_name="echo") == 1)
    for method, endpoint, status, times in (
        ("POST", "/api/items", "201", 2),
        ("GET", "/api/items", "409", 1),
        ("GET", "/api/broken", "500", 1),
    ):
        labels = {"http_method": method, "endpoint": endpoint, "status_code": status}
        eventually(lambda labels=labels, times=times: (
            counted("door_http_requests_total", **labels) == times
        ))  # fmt: skip


def test_nameko_tracer_traces_calls_and_requests(sample, door, call, caplog, eventually):
    """Both stages of each, without a warning that it failed; what is sensitive is redacted."""
    caplog.set_level(logging.INFO, "nameko_tracer")
    call.sample.echo("hello")
    with pytest.raises(Internal):
        call.sample.fail("the secret")
    requests.post(f"{door.url}/api/items", json={"name": "the secret"}, timeout=5)

    def traced():
        records = [r for r in caplog.records if hasattr(r, "nameko_trace")]
        return [
            (r.nameko_trace["entrypoint_name"], r.nameko_trace["stage"], r.nameko_trace)
            for r in records
        ]

    eventually(lambda: len([t for t in traced() if t[0] in ("echo", "fail", "add")]) == 6)
    assert "Failed to log entrypoint trace" not in caplog.text
    echoed = next(t[2] for t in traced() if t[:2] == ("echo", "request"))
    assert echoed["call_args"] == {"value": "hello"}
    assert "the secret" not in str([t[2]["call_args"] for t in traced()])


def test_a_routes_method_can_be_called_like_any_other():
    """As a unit test does it, without a container: the method gets what it is given."""
    service = worker_factory(Door)
    assert service.add("request", body={"name": "x"}) == {"name": "x"}
    with pytest.raises(Conflict):
        service.refuse("request")


def test_hooks_patched_on_an_instance_are_heeded(sample, call):
    """Also when the first worker has long run: mocks of a test, monkey patches of a tool."""
    assert call.sample.echo(1) == 1
    provider = get_extension(sample, Results)
    with (
        patch.object(provider, "worker_setup") as setup,
        patch.object(provider, "worker_result") as result,
        patch.object(provider, "worker_teardown") as teardown,
        entrypoint_waiter(sample, "echo"),
    ):
        assert call.sample.echo(2) == 2
    assert setup.call_count == result.call_count == teardown.call_count == 1
    assert result.call_args.args[1] == 2


def test_an_entrypoint_hook_runs_a_method(sample):
    """Nameko's way into a hosted service."""
    with entrypoint_hook(sample, "echo") as echo:
        assert echo("hello") == "hello"
    assert ("echo", "hello", None) in results_of(sample)


def test_restricted_entrypoints_leave_the_queue(config, vhost, fresh_registry):
    """What is left out is not there, and says so at once, to chassis and stock callers alike."""
    container = get_container_cls(config)(Sample, config)
    restrict_entrypoints(container, "tick")
    container.start()
    try:
        with ClusterRpcProxy({"AMQP_URI": vhost.uri}, timeout=5) as rpc_:
            with pytest.raises(MethodNotFound):
                rpc_.sample.echo("hello")
    finally:
        container.stop()


def test_replaced_dependencies_are_those_of_the_workers(config, fresh_registry):
    """`replace_dependencies` as Nameko's own container has it."""
    container = get_container_cls(config)(Door, config)
    other = replace_dependencies(container, "other")
    container.start()
    try:
        with entrypoint_hook(container, "add") as add:
            assert add("request", body={"name": "x"}) == {"name": "x"}
        assert not other.echo.called
    finally:
        container.stop()


def test_a_stock_service_runs_beside_ours(sample, config, call, chassis_database, eventually):
    """With its own entrypoints, options and dependencies, in the container of the chassis."""
    heard.clear()
    url = f"{chassis_database}_chassis"
    settings = {**config, "DB_URIS": {"guest:GuestBase": url}}
    container = get_container_cls(settings)(Guest, settings)
    container.start()
    try:
        with ClusterRpcProxy({"AMQP_URI": config["AMQP_URI"]}, timeout=5) as cluster:
            assert cluster.guest.ask("hello") == "hello"
            assert cluster.guest.one() == 1
            with entrypoint_waiter(container, "once", timeout=5):
                cluster.guest.tell({"this": 1})
            event_dispatcher({"AMQP_URI": config["AMQP_URI"]})("guest", "happened", {"that": 2})
        wanted = [(name, what) for name in ("once", "each") for what in ({"this": 1}, {"that": 2})]
        eventually(lambda: all(each in heard for each in [*wanted, "tick"]))
        assert call.sample.echo("ours") == "ours"
    finally:
        container.stop()


def test_entrypoints_are_of_namekos_kinds():
    """Tools tell them apart by Nameko's classes."""

    def kind(function):
        return getattr(function, ENTRYPOINT_EXTENSIONS_ATTR).pop()

    class Named:
        @rpc
        def called(self):
            """Called."""

        @events.event_handler("source", "happened", Heard, expected_exceptions=(Foreseen,))
        def heard(self, event):
            """Heard."""

        @timer(interval=1)
        def ticked(self):
            """Ticked."""

        @route("GET", "/", who=ANYONE)
        def asked(self, request):
            """Asked."""

    assert isinstance(kind(Named.called), NamekoRpc)
    assert isinstance(kind(Named.ticked), Timer)
    assert isinstance(kind(Named.asked), HttpRequestHandler)
    handler = kind(Named.heard)
    assert isinstance(handler, EventHandler)
    assert Foreseen in handler.expected_exceptions


@pytest.mark.parametrize("option", ["handler_type", "reliable_delivery", "requeue_on_error"])
def test_options_of_namekos_handlers_are_refused_by_name(option):
    """They would promise what the chassis does otherwise, so they are no silent no-op."""
    with pytest.raises(TypeError, match=option):
        events.event_handler("source", "happened", Heard, **{option: True})(lambda self, event: 1)


def test_namekos_own_rpc_beside_that_of_the_chassis_is_refused(config):
    """Both would read the one queue, and each refuse what is for the other: every second call."""

    class Mixed(Service):
        name = "mixed"

        @rpc
        def ours(self):
            """By the chassis."""

        @nameko_rpc
        def theirs(self):
            """By Nameko."""

    with pytest.raises(SystemExit, match=r"mixed: theirs: use chassis\.rpc\.rpc"):
        get_container_cls(config)(Mixed, config)
