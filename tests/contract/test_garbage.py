"""Garbage on every queue of every service: told to its sender or kept, and never in the way."""

import json
import re
import uuid
from collections import Counter

import pika
import pytest

from chassis.broker import topology
from chassis.errors import Fault
from tests.contract import shapes
from tests.contract.answers import ERROR
from tests.contract.samples import payloads
from tests.contract.services import SERVICES, calls, handlings, published
from tests.support import eventually

JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
HUGE = {"headers": {"nameko.request_id": "x" * 100_000}}
DEEP = b"[" * 10_000 + b"]" * 10_000
HINT = {"__type__": "x", "__value__": "y"}

#: Bodies that are no call and no event, with the properties that they come with.
NONSENSE = {
    "empty": (b"", JSON),
    "binary": (bytes(range(256)), {}),
    "not UTF-8": (b'{"args": [], "kwargs": {"user_id": "\xff\xfe"}}', JSON),
    "pickled": (b"\x80\x04N.", {"content_type": "application/x-python-serialize"}),
    "no object": (b'["args", "kwargs"]', JSON),
    "a null": (b"null", JSON | HUGE),
    "deep": (DEEP, JSON),
    "deep below": (b'{"args": ' + DEEP + b', "kwargs": {}}', JSON),
    "hint": (json.dumps({"args": HINT, "kwargs": HINT}).encode(), JSON),
}

#: Values that fit no argument, in JSON.
WRONG = (
    json.dumps(HINT), '{"a": {"b": 1}}', "[null]", "[[[[[]]]]]", '"\\u0000"', "-1", "1e400",
    "9" * 400,
)  # fmt: skip

#: What a sender has no business to read: traces, statements, libraries, addresses of ours.
INTERNALS = re.compile(
    r"Traceback|File \"|\.py\b|\bline \d+|SELECT |orjson|marshmallow|sqlalchemy|psycopg|amqp:|0x"
)


class Prankster:
    """Sends whatever, and reads what comes back and what was kept."""

    def __init__(self, uri):
        self._connection = pika.BlockingConnection(pika.URLParameters(uri + "?heartbeat=0"))
        self._channel = self._connection.channel()
        self._address = str(uuid.uuid4())
        self._mailbox = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._mailbox, topology.RPC_EXCHANGE, self._address)

    def send(self, queue, body, properties):
        self._channel.basic_publish("", queue, body, pika.BasicProperties(**properties))

    def ask(self, method, body, properties):
        """Send with a return address, as a call of `service.method`; its correlation id."""
        number = str(uuid.uuid4())
        back = {"reply_to": self._address, "correlation_id": number}
        returnable = pika.BasicProperties(**(properties | back))
        self._channel.basic_publish(topology.RPC_EXCHANGE, method, body, returnable)
        return number

    def answers(self, number):
        """That many answers: correlation id → text."""
        texts = {}

        def complete():
            for properties, body in self.take(self._mailbox):
                texts[properties.correlation_id] = body.decode()
            return len(texts) >= number

        eventually(complete)
        return texts

    def take(self, queue):
        """All that is in a queue now: [(properties, body)]."""
        taken = []
        while (got := self._channel.basic_get(queue, auto_ack=True))[0]:
            taken.append(got[1:])
        return taken

    def take_in_time(self, queue, number):
        """At least so many, taken once they are there."""
        taken = []
        eventually(lambda: taken.extend(self.take(queue)) or len(taken) >= number)
        return taken

    def close(self):
        self._connection.close()


@pytest.fixture
def shop(start, tmp_path):
    """Every service, the gateway included; after the test each of them is as well as before."""
    return start(*SERVICES, notifications={"outbox": str(tmp_path)})


@pytest.fixture
def prankster(config, shop, call, caplog):
    """A sender of garbage, whom all services outlive."""
    prankster = Prankster(config["AMQP_URI"])
    yield prankster
    prankster.close()
    for service in SERVICES:
        health = getattr(call, service.name).health()
        assert (health["service"], health["status"]) == (service.name, "ok")
    telling = ("chassis.broker.reconnecting", "chassis.outages")
    links = [record for record in caplog.records if record.name in telling]
    assert links == [], "a connection broke"


def code_of(answer):
    return (json.loads(answer)["error"] or {}).get("code", answer)


def hides_its_internals(answer):
    """Whether an answer is an error, and says no more than an error may."""
    error = json.loads(answer)["error"]
    path = error.pop("exc_path")
    known = path.startswith(("nameko.exceptions.", "chassis.errors."))
    shape = {name: shape for name, shape in ERROR.items() if name in error}
    return known and not [*shapes.problems(shape, error, "")] and not INTERNALS.search(str(error))


def test_senders_of_garbage_are_told(prankster):
    """Whoever leaves an address learns that it was no call, whatever it was."""
    asked = {
        prankster.ask(f"{service.name}.health", body, properties): (service.name, kind)
        for service in SERVICES
        for kind, (body, properties) in NONSENSE.items()
    }
    answers = prankster.answers(len(asked))
    codes = {asked[number]: code_of(answer) for number, answer in answers.items()}
    assert codes == dict.fromkeys(asked.values(), "malformed_request")
    assert all(hides_its_internals(answer) for answer in answers.values())


def test_calls_that_do_not_fit_are_refused(prankster):
    """Methods that are not there, and arguments that are not taken."""
    asked = {}
    for service in SERVICES:
        for method in ("nothing", "__init__", "db", ""):
            number = prankster.ask(f"{service.name}.{method}", b'{"args":[],"kwargs":{}}', JSON)
            asked[number] = "method_not_found"
        for body in (b'{"args":[1],"kwargs":{}}', json.dumps({"args": [], "kwargs": HINT})):
            asked[prankster.ask(f"{service.name}.health", body, JSON)] = "incorrect_signature"
    answers = prankster.answers(len(asked))
    assert {number: code_of(answer) for number, answer in answers.items()} == asked
    assert all(hides_its_internals(answer) for answer in answers.values())


def test_arguments_of_the_wrong_kind_are_named(prankster):
    """Every method of every service, each of its arguments, every value that fits nowhere."""
    asked = {}
    for method, schema in calls().items():
        names = schema().fields if schema else ()
        for value in WRONG if names else ():
            kwargs = ", ".join(f'"{name}": {value}' for name in names)
            body = f'{{"args": [], "kwargs": {{{kwargs}}}}}'.encode()
            asked[prankster.ask(method, body, JSON)] = f"{method}({value[:20]})"
    answers = prankster.answers(len(asked))
    codes = {asked[number]: code_of(answer) for number, answer in answers.items()}
    accepted = {call: code for call, code in codes.items() if code != "invalid"}
    assert set(accepted.values()) <= {"malformed_request"}, accepted
    assert all(hides_its_internals(answer) for answer in answers.values())


def test_what_nobody_answers_for_is_kept(prankster):
    """Calls without an address, and events that are none, wait for an operator: whole, with the
    queue that they came to and the reason, and each of them once."""
    sent = {service.name: Counter() for service in SERVICES}

    def send(service, queue, body, properties):
        prankster.send(queue, body, properties)
        sent[service][queue, body] += 1

    for service in SERVICES:
        for body, properties in NONSENSE.values():
            send(service.name, topology.rpc_queue_of(service.name), body, properties)
    for handling in handlings():
        for body, properties in [*NONSENSE.values(), *wrong_events(handling)]:
            send(handling.service, handling.queue, body, properties)
    for service, kept in sent.items():
        taken = prankster.take_in_time(topology.dead_letters_of(service), kept.total())
        assert Counter((one.headers["x-parked-from"], body) for one, body in taken) == kept
        assert all(one.headers["x-parked-why"] for one, _ in taken)
    assert not any(prankster.take(topology.dead_letters_of(service)) for service in sent)


def wrong_events(handling):
    """Nearly events: without id, without a moment, with the wrong fields; body and properties."""
    schema = published()[handling.source, handling.type]
    payload = schema.dump(next(payloads(schema)))
    body = json.dumps(payload).encode()
    moment = {"nameko.occurred_at": "2026-01-01T00:00:00+00:00"}
    complete = JSON | {"message_id": str(uuid.uuid4()), "headers": moment}
    yield body, JSON | {"headers": moment}
    yield body, complete | {"message_id": "7"}
    yield body, complete | {"headers": {}}
    yield body, complete | {"headers": {"nameko.occurred_at": 5}}
    yield b"{}", complete
    for value in WRONG:
        fields = ", ".join(f'"{name}": {value}' for name in payload)
        yield f"{{{fields}}}".encode(), complete


def test_garbage_among_replies_is_dropped(prankster, shop, call):
    """Replies that are none, or that nobody waits for, end no call of anybody."""
    for container in shop:
        for extension in container.extensions:
            if hasattr(extension, "expect"):
                for body, properties in NONSENSE.values():
                    number = {"correlation_id": f"{extension.process}.1"}
                    prankster.send(extension.queue, body, properties | number)
    with pytest.raises(Fault) as refused:
        call.carts.add_item(user_id=uuid.uuid4(), product_id=1, quantity=1)
    assert refused.value.code == "invalid"  # so products was asked, and its answer came
