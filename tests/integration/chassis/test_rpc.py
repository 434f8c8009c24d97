"""Calls between services: answers, errors, deadlines, and Nameko's own clients and services."""

import datetime
import decimal
import subprocess
import sys
import time
import uuid

import eventlet
import pika
import pytest
import yaml
from nameko.exceptions import MethodNotFound, RemoteError
from nameko.rpc import RpcProxy as StockProxy
from nameko.rpc import rpc as stock_rpc
from nameko.standalone.rpc import ClusterRpcProxy

from chassis.broker import topology
from chassis.errors import (
    Conflict,
    DeadlineExceeded,
    Fault,
    Internal,
    Invalid,
    ServiceUnavailable,
)
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from tests.integration.chassis.world import Middle, Speaker


class Stock:
    """A service as Nameko's documentation shows it."""

    name = "stock"
    speaker = StockProxy("speaker")

    @stock_rpc
    def double(self, number):
        return 2 * number

    @stock_rpc
    def fail(self):
        raise ValueError("no")

    @stock_rpc
    def ask_speaker(self, number):
        return self.speaker.echo(number=number)


class Asker(Service):
    """One of ours that calls the stock one."""

    name = "asker"
    stock = RpcProxy("stock", timeout=5)

    @rpc
    def ask(self, method, *args):
        return getattr(self.stock, method)(*args)


@pytest.fixture
def speaker(call, start):
    start(Speaker)
    return call.speaker


def test_arguments_come_by_position_and_by_name(speaker):
    """Both of Nameko's ways to give arguments work, with and without a schema."""
    assert speaker.plain(1) == [1, 2]
    assert speaker.plain(1, b=3) == [1, 3]
    assert speaker.echo(7) == [7]
    assert speaker.echo(number=7, times=2) == [7, 7]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"number": "seven"}, "number"),
        ({"number": {"__type__": "decimal", "__value__": "7"}}, "number"),
        ({"number": 7, "more": 1}, "more"),
        ({}, "number"),
        ({"number": 1.5}, "number"),
    ],
)
def test_wrong_arguments_are_named(speaker, arguments, field):
    """The caller is told which field does not fit; nothing is run."""
    with pytest.raises(Invalid) as refused:
        speaker.echo(**arguments)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [("nonsense", (), "method_not_found"), ("plain", (), "incorrect_signature")],
)
def test_wrong_calls_are_refused(speaker, method, arguments, code):
    """An unknown method and a wrong signature are told by code; no user of ours is to blame."""
    with pytest.raises(Internal) as refused:
        getattr(speaker, method)(*arguments)
    assert refused.value.code == code


def test_errors_are_typed_by_code(call, start):
    """A caller gets its own class for a code it named, with the data, else the generic class."""
    start(Speaker, Middle)
    assert call.middle.typed() == {"class": "Full", "left": 3, "detail": "Nothing fits any more."}
    with pytest.raises(Conflict) as generic:
        call.middle.pass_on("full")
    assert (generic.value.code, generic.value.data) == ("full", {"left": 3})


def test_unforeseen_errors_show_no_internals(speaker):
    """The text of an exception may hold anything, so it stays in the log of its service."""
    with pytest.raises(Internal) as told:
        speaker.broken()
    assert "hunter2" not in str(told.value) + repr(told.value.data)


def test_an_unsendable_result_is_an_error_of_that_call_only(speaker):
    """A result that is no JSON is reported; the service goes on."""
    with pytest.raises(Internal):
        speaker.unsendable()
    assert speaker.plain(1) == [1, 2]


@pytest.mark.parametrize("left", [2**64, "\ud800", {1, 2}], ids=repr)
def test_an_unsendable_fault_is_an_error_of_that_call_only(call, start, left):
    """A fault whose data are no JSON is reported, and the call is over: it holds no worker."""

    class Careless(Service):
        name = "speaker"

        @rpc
        def full(self):
            raise Conflict("No.", left=left)

    (container,) = start(Careless)
    for _ in range(container.config["max_workers"] + 1):
        with pytest.raises(Internal):
            call.with_timeout(2).speaker.full()


def test_nobody_bound_is_told_at_once(call):
    """A service that never was there costs no waiting."""
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        call.nobody.get(1)
    assert time.monotonic() - began < 5  # and not at the deadline, after 10 s


def test_nobody_there_is_told_at_the_deadline(call, start):
    """A stopped service leaves its queue behind; the caller gives up in time (trap 1)."""
    (container,) = start(Speaker)
    container.stop()
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        call.with_timeout(0.5).speaker.plain(1)
    assert 0.4 < time.monotonic() - began < 5


def test_a_slow_service_is_told_from_an_absent_one(call, start):
    """Nobody knows the outcome of a call that is still being worked on."""
    start(Speaker)
    with pytest.raises(DeadlineExceeded):
        call.with_timeout(0.2).speaker.slow(1)


def test_a_call_that_timed_out_leaves_nothing_behind(call, start):
    """Reply slots of calls that were given up are freed (trap 1)."""
    start(Speaker)
    caller = call.with_timeout(0.1)
    for _ in range(5):
        with pytest.raises(DeadlineExceeded):
            caller.speaker.slow(0.3)
    replies = call._replies
    assert replies._waiting == {}


def test_a_late_request_is_never_run(call, start, rows, eventually):
    """A request that expired in the queue of a stopped service is gone when that comes back."""
    (container,) = start(Speaker)
    container.stop()
    with pytest.raises(ServiceUnavailable):
        call.with_timeout(0.3).speaker.note("late")
    start(Speaker)
    call.speaker.note("in time")
    assert [row.text for row in rows("SELECT text FROM notes")] == ["in time"]


@pytest.mark.parametrize(
    ("method", "arguments", "answer"),
    [
        ("note", {"text": "one", "seconds": 1}, "interrupted"),
        ("note", {"text": "one", "seconds": 1, "key": "k"}, None),
        ("slow", {"seconds": 1}, 1),
    ],
)
def test_a_call_that_comes_again(call, start, method, arguments, answer, eventually):
    """Who had it is gone, perhaps after the work: it is begun again only when that does no harm."""
    (first,) = start(Speaker)
    calling = eventlet.spawn(_outcome, lambda: getattr(call.speaker, method)(**arguments))
    eventually(lambda: first._worker_threads)
    first.kill()
    start(Speaker)
    assert calling.wait() == answer


def _outcome(work):
    try:
        return work()
    except Fault as fault:
        return fault.code


def test_the_deadline_travels(call, start, eventually):
    """What a callee calls in turn gets what is left, not its own default of 5 s."""
    _, middle = start(Speaker, Middle)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        call.with_timeout(0.5).middle.pass_on("slow", 20)
    eventually(lambda: not middle._worker_threads)  # its own call ended too
    assert time.monotonic() - began < 4


def test_the_request_id_travels(call, start):
    """Context data goes with the call, as in Nameko, and into each line of the log."""
    seen = []

    class Witness(Service):
        name = "carts"

        @rpc
        def get(self):
            import structlog

            said = structlog.contextvars.get_contextvars()
            seen.append((said["request_id"], said["trace_id"]))

    start(Witness)
    trace = f"{7:032x}"
    call.with_data(request_id="abc", traceparent=f"00-{trace}-{1:016x}-00").carts.get()
    assert seen == [("abc", trace)]


def test_a_reply_in_the_name_of_another_is_none(call, start, channel):
    """A call is answered by the service that was asked, and by no other that knows its number."""
    start(Speaker)
    pending = call.speaker.slow.call_async(0.5)
    replies = call._replies
    forged = b'{"result": "forged", "error": null}'
    for callee in ("listener", "*", ""):
        channel.basic_publish(
            topology.RPC_EXCHANGE,
            topology.reply_key("tester", replies.process, callee),
            forged,
            pika.BasicProperties(correlation_id=pending._correlation_id),
        )
    assert pending.result() == 0.5


def test_many_calls_at_once(speaker):
    """More calls than workers are queued, and each gets its own answer."""
    pool = eventlet.GreenPool(100)
    answers = list(pool.imap(lambda n: speaker.echo(number=n), range(1, 301)))
    assert answers == [[n] for n in range(1, 301)]


def test_stock_clients_call_our_services(speaker, config):
    """`ClusterRpcProxy`, which is also what `nameko shell` offers, works, errors included."""
    with ClusterRpcProxy(config) as cluster:
        assert cluster.speaker.plain(3) == [3, 2]
        assert cluster.speaker.echo(number=1, times=2) == [1, 1]
        with pytest.raises(RemoteError) as fault:
            cluster.speaker.full()
        told = 'full: Nothing fits any more.; {"left":3}'
        assert (fault.value.exc_type, fault.value.value) == ("Full", told)
        with pytest.raises(MethodNotFound):
            cluster.speaker.nonsense()


def test_stock_clients_are_told_which_field_is_wrong(speaker, config):
    """What our own callers read in `errors` is in the message, and in the exception's arguments."""
    with ClusterRpcProxy(config) as cluster:
        with pytest.raises(RemoteError) as fault:
            cluster.speaker.echo(number=0, times="x", more=1)
        told = str(fault.value)
        assert "Invalid invalid: Some fields are not valid" in told
        for field in ("number: Must be", "times: Not a valid integer.", "more: Unknown field."):
            assert field in told
        with pytest.raises(RemoteError, match=r"number: Missing data for required field\."):
            cluster.speaker.echo()


@pytest.mark.parametrize(
    ("value", "received"),
    [
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        (datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC), "2026-01-31T00:00:00+00:00"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        ({"price": [decimal.Decimal("2")]}, {"price": ["2"]}),
        ({"__type__": "colour", "__value__": 7}, {"__type__": "colour", "__value__": 7}),
    ],
)
def test_stock_clients_send_amounts_ids_and_moments(start, config, value, received):
    """What they can't say in JSON comes as text, as from callers of ours: schemas take that."""
    seen = []

    class Taker(Service):
        name = "speaker"

        @rpc
        def take(self, value, named=None):
            seen.extend([value, named])

    start(Taker)
    with ClusterRpcProxy(config, timeout=5) as cluster:
        cluster.speaker.take(value, named=value)
    assert seen == [received, received]


def test_nameko_shell_shows_which_field_is_wrong(speaker, config, tmp_path):
    """Whoever types a call reads there what to type instead."""
    errors = _shell(config, tmp_path, "n.rpc.speaker.echo(number=0)\n").stderr
    assert "number: Must be greater than or equal to 1" in errors


def test_stock_and_our_services_call_each_other(call, start):
    """A stock service with `RpcProxy` calls ours, and ours calls it."""
    start(Speaker, Stock, Asker)
    assert call.asker.ask("double", 4) == 8
    assert call.asker.ask("ask_speaker", 4) == [4]
    with pytest.raises(Internal):  # RemoteError in the asker, which does not foresee it
        call.asker.ask("fail")


def test_nameko_shell(speaker, config, tmp_path):
    """`nameko shell --config` calls our services."""
    typed = "print('answer', n.rpc.speaker.echo(number=5))\n"
    assert "answer [5]" in _shell(config, tmp_path, typed).stdout


def _shell(config, folder, typed):
    """What `nameko shell` prints when that is `typed`."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"AMQP_URI": config["AMQP_URI"]}))
    command = [sys.executable, "-W", "ignore", "-m", "nameko", "shell", "--config", str(path)]
    with eventlet.Timeout(20):
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
