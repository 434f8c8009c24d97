"""Whatever is sent is measured before it is looked into: by HTTP, by RPC and by events."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping

import orjson
import pytest
from marshmallow import Schema, ValidationError
from marshmallow import fields as ma

from chassis import fields, validation
from chassis.errors import Invalid
from chassis.staff import Fact
from chassis.web import route_table
from chassis.web.errors import MalformedJson
from chassis.web.request_body import parse_object
from chassis.web.responses import problem
from contracts.inventory.requests import Check
from contracts.orders.fields import Percent
from contracts.payments.fields import MethodField
from contracts.products.fields import CategoryRef
from gateway import notification_streams
from gateway.schemas.orders import PlaceOrder
from gateway.service import GatewayService
from tests.contract.services import calls, handlings

#: Fields that look at a whole of a known size: numbers, words of a list, forms with a length.
_OF_A_SIZE = (
    *(fields.Boolean, fields.BooleanText, fields.Choice, fields.Country, fields.CurrencyInUse),
    *(fields.Integer, fields.Money, fields.Timestamp, fields.Uuid, fields.ActorField),
    *(CategoryRef, Fact, MethodField, Percent, ma.Enum),
)


def schemas() -> Iterator[tuple[str, type[Schema]]]:
    """Every schema that something is loaded by, with where that is."""
    for name, route in route_table(GatewayService).items():
        parts = {"path": route.path_schema, "query": route.query, "body": route.body}
        for part, schema in (parts | {"headers": route.headers}).items():
            if schema:
                yield f"{name} {part}", schema
    for name, schema in calls().items():
        if schema:
            yield name, schema
    for handling in handlings():
        yield str(handling), handling.schema
    for name, value in vars(notification_streams).items():
        if isinstance(value, type) and issubclass(value, fields.Expected):
            yield f"{notification_streams.__name__}.{name}", value


def leaves(field: ma.Field, where: str) -> Iterator[tuple[str, ma.Field]]:
    yield where, field
    if isinstance(field, ma.List):
        yield from leaves(field.inner, f"{where}[]")
    elif isinstance(field, ma.Dict):
        for inner in (field.key_field, field.value_field):
            if inner:
                yield from leaves(inner, f"{where}{{}}")
    elif isinstance(field, ma.Nested):
        for name, inner in field.schema.load_fields.items():
            yield from leaves(inner, f"{where}.{name}")


ALL = [
    pytest.param(field, id=f"{where} {path}")
    for where, schema in dict(schemas()).items()
    for name, top in schema().load_fields.items()
    for path, field in leaves(top, name)
]


@pytest.mark.parametrize("field", ALL)
def test_every_field_has_a_bound_that_is_checked_first(field):
    """A list, an object and a text know their greatest length, and nothing else is of any size."""
    if isinstance(field, ma.Nested):
        assert not field.many
        return
    if isinstance(field, _OF_A_SIZE):
        return
    assert isinstance(field, fields.String | fields.List | fields.Dict), type(field)
    # One that is too long is refused by that alone, whatever is in it.
    count = field.max + 1
    if isinstance(field, fields.List):
        value = [Untouchable()] * count
    elif isinstance(field, fields.Dict):
        value = {Untouchable(): Untouchable() for _ in range(count)}
    else:
        value = "\0" * count
    with pytest.raises(ValidationError) as refused:
        field.deserialize(value)
    assert refused.value.messages == [f"Longer than maximum length {field.max}."]


class Untouchable:
    """Fails whoever looks at it."""

    @property
    def __class__(self):
        raise AssertionError("looked at")


BODIES = {
    "empty objects in a check": (Check, b'{"items":[' + b",".join([b"{}"] * 87_000) + b"]}"),
    "empty objects in an order": (PlaceOrder, b'{"items":[' + b",".join([b"{}"] * 87_000) + b"]}"),
    "unknown fields": (Check, b"{" + b",".join(b'"%d":1' % n for n in range(24_000)) + b"}"),
    "one long unknown field": (Check, b'{"' + b"x" * 250_000 + b'":1}'),
    "a wrong hundred": (Check, b'{"items":[' + b",".join([b'{"a":1,"b":2}'] * 100) + b"]}"),
    "long text": (Check, b'{"items":"' + b"x" * 250_000 + b'"}'),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_far_too_much_costs_little_and_is_answered_briefly(name):
    """Not much more than reading it as JSON does, and never more than a few kilobytes."""
    schema, body = BODIES[name]
    loaded = json.loads(body)
    reading = processor_time(lambda: json.loads(body))
    checking = processor_time(lambda: refused(schema, loaded))
    assert checking < max(2 * reading, 0.02)
    answer = problem(refused(schema, loaded), "/", "id", "id").payload()
    assert len(answer) < 8_000
    assert b"x" * 100 not in answer


#: Of what a body has room for: dear to make, or to look at.
REPEATED = {
    "objects": "{}",
    "lists": "[]",
    "lists in lists": "[[[[[[[[[]]]]]]]]]",
    "objects with a field": '{"a":1}',
    "numbers": "1",
    "texts": '""',
    "brackets in texts": '"[[[[[[[[["',
    "escaped quotes": r'"\"["',
}


@pytest.mark.parametrize("name", REPEATED)
def test_reading_a_body_never_holds_up_the_others(name):
    """Nobody is served while one is read, so it takes less than 0.1 s, whatever fits into it."""
    part = REPEATED[name]
    body = f'{{"a":[{",".join([part] * (261_000 // (len(part) + 1)))}]}}'.encode()
    assert min(processor_time(lambda: read_or_refused(body)) for _ in range(3)) < 0.1


@pytest.mark.parametrize("end", ["", "]}", '"', "\\"])
@pytest.mark.parametrize("part", ['"', r"\"", "[", '["'])
def test_nor_does_one_that_is_no_json(part, end):
    """Texts that do not end, again and again."""
    body = f'{{"a":[{part * (261_000 // len(part))}{end}'.encode()
    assert min(processor_time(lambda: read_or_refused(body)) for _ in range(3)) < 0.1


@pytest.mark.parametrize(
    "number", [2**63 - 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**20, -(10**27), 10**300]
)
def test_an_integer_of_any_length_can_be_sent_on(number):
    """One of more than 64 bits is a float by then, which no field takes for an integer."""
    (read,) = parse_object(f'{{"n": {number}}}'.encode()).values()
    assert read == pytest.approx(number)
    assert orjson.loads(orjson.dumps(read)) == read
    assert isinstance(read, int) == (-(2**63) <= number < 2**64)


def read_or_refused(body):
    with contextlib.suppress(MalformedJson):
        parse_object(body)


def test_the_first_faults_are_named_and_the_rest_is_said_to_be_there():
    """Twenty of them, in their places."""
    fault = refused(Check, {"items": [{"variant_id": 0, "quantity": 0}] * 100})
    assert list(fault.errors["items"]) == list(range(10))
    assert fault.detail == "Some fields are not valid; the first 20 are named"


def processor_time(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def refused(schema: type[Schema], data: Mapping) -> Invalid:
    with pytest.raises(Invalid) as caught:
        validation.load(schema(), data)
    return caught.value
