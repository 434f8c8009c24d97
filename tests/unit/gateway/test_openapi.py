"""The published description: valid, complete, and true in its examples."""

import json
import pathlib
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from chassis.web import route_table
from chassis.web.openapi import describe
from gateway.access import ADMIN, ENROLLING, STAFF, USER
from gateway.api_docs import MANUAL, TAGS
from gateway.examples import EXAMPLES
from gateway.field_descriptions import ANSWERS, FIELDS
from gateway.schemas.docs import FILES
from gateway.service import GatewayService
from tests.unit.gateway.expected import REFUSALS

#: Who may call is said, too: a padlock does not tell customers from staff.
AUDIENCES = {
    (USER, ENROLLING): "For users who are signed in.",
    (STAFF,): "For staff and admins.",
    (ADMIN,): "For admins.",
}
ROUTES = route_table(GatewayService)
DOCUMENT = describe(ROUTES, MANUAL)
OPERATIONS = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}


def validator(shape):
    """Holds values against a schema of the document."""
    root = {"components": DOCUMENT["components"]} | shape
    return Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)


def body_of(name):
    """The schema of a route's body."""
    return OPERATIONS[name]["requestBody"]["content"]["application/json"]["schema"]


def examples():
    """(where, schema, example) of everything that has one."""
    for name, operation in OPERATIONS.items():
        places = {"request": operation.get("requestBody", {})} | operation["responses"]
        for where, place in places.items():
            for content in place.get("content", {}).values():
                if "example" in content:
                    yield f"{name} {where}", content["schema"], content["example"]
        for parameter in operation["parameters"]:
            if "example" in parameter:
                yield f"{name} {parameter['name']}", parameter["schema"], parameter["example"]
    for name, answer in DOCUMENT["components"]["responses"].items():
        content = answer["content"]["application/problem+json"]
        yield name, content["schema"], content["example"]


def test_the_document_is_openapi():
    """By the specification's own schema."""
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(json.loads(json.dumps(DOCUMENT)))


def test_every_route_is_described_and_nothing_else():
    """Route set = specification set, by method, path and name."""
    described = {
        (method.upper(), path, operation["operationId"])
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {(entry.method, entry.path, name) for name, entry in ROUTES.items()}


@pytest.mark.parametrize(("where", "shape", "example"), list(examples()))
def test_every_example_is_what_it_is_an_example_of(where, shape, example):
    """By the very schema that is published beside it."""
    assert [e.message for e in validator(shape).iter_errors(example)] == []


@pytest.mark.parametrize("name", ROUTES)
def test_an_operation_tells_all_that_a_caller_needs(name):
    """Words, group, who may call, examples of both bodies; and what is sent passes our own door."""
    entry, operation = ROUTES[name], OPERATIONS[name]
    assert operation["summary"]
    assert set(operation["tags"]) < set(TAGS)
    assert bool(operation["security"]) == (401 in entry.who.refusals)
    for audience, words in AUDIENCES.items():
        assert (words in operation["description"]) == (entry.who in audience), words
    sent = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
    assert sent == [part[1:-1] for part in entry.path.split("/") if part.startswith("{")]
    if entry.body:
        content = operation["requestBody"]["content"]["application/json"]
        assert entry.body().validate(content["example"]) == {}
    if entry.answer and entry.media_type == "application/json":
        content = operation["responses"][str(entry.status)]["content"]["application/json"]
        assert entry.answer().validate(content["example"]) == {}


def test_examples_and_sentences_are_of_what_is_there():
    """What is left of a field, parameter or answer goes with it."""
    there = set(DOCUMENT["components"]["schemas"])
    for owner, schema in DOCUMENT["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            there |= {field, f"{field}[]", f"{owner}.{field}"}
    for operation in OPERATIONS.values():
        for parameter in operation["parameters"]:
            there |= {parameter["name"], f"{parameter['in']}.{parameter['name']}"}
    assert set(EXAMPLES) | set(FIELDS) <= there
    assert set(ANSWERS) <= {entry.answer.__name__ for entry in ROUTES.values() if entry.answer}


def descriptions():
    """(where, sentence) of every field, parameter and answer."""
    for owner, schema in DOCUMENT["components"]["schemas"].items():
        for field, shape in schema.get("properties", {}).items():
            yield f"{owner}.{field}", shape["description"]
    for name, operation in OPERATIONS.items():
        for parameter in operation["parameters"]:
            yield f"{name} {parameter['in']}.{parameter['name']}", parameter["description"]
        for status, answer in operation["responses"].items():
            if "description" in answer:
                yield f"{name} {status}", answer["description"]


def test_descriptions_say_something():
    """Two words are no sentence; what has to be there is never null; a page has several."""
    said = dict(descriptions())
    short = {w: s for w, s in said.items() if len(s.split()) < (2 if " 2" in w else 3)}
    assert short == {}
    assert [w for w in said if " path." in w and "null" in said[w]] == []
    for name, entry in ROUTES.items():
        if entry.answer and entry.answer.__name__.endswith("Page"):
            answer = said[f"{name} {entry.status}"]
            assert re.search(r"\bpage\b", answer), name
            assert re.search(r"[a-z]s\b", answer), name


@pytest.mark.parametrize("name", ROUTES)
def test_an_operation_names_the_statuses_that_it_may_answer_with(name):
    """These and no others: success, what is its own, and what may happen to any request, of which
    the classes stand for what callers can do nothing about."""
    entry = ROUTES[name]
    expected = {entry.status, 422, 429, 500, *REFUSALS[f"{entry.method} {entry.path}"]}
    assert set(OPERATIONS[name]["responses"]) == {"4XX", "5XX", *map(str, expected)}


@pytest.mark.parametrize(
    ("name", "fault"),
    [("log_in", {"username": "both"}), ("adjust_stock", {"on_hand": 1})],
)
def test_one_of_two_fields_is_left_to_the_door(name, fault):
    """Described as plain optional fields: generators make nothing of the rule, but it holds."""
    good = OPERATIONS[name]["requestBody"]["content"]["application/json"]["example"]
    (other,) = fault
    assert ROUTES[name].body().validate(good | fault)
    neither = {k: v for k, v in good.items() if k not in (other, "email", "delta")}
    assert ROUTES[name].body().validate(neither)
    assert set(good) | {other} <= set(DOCUMENT["components"]["schemas"][
        body_of(name)["$ref"].rpartition("/")[2]
    ]["properties"])  # fmt: skip


def test_a_stream_can_be_resumed():
    """The description names the header that brings what was missed."""
    parameters = {p["name"]: p for p in OPERATIONS["stream_notifications"]["parameters"]}
    assert parameters["Last-Event-ID"]["in"] == "header"
    shape = validator(parameters["Last-Event-ID"]["schema"])
    assert [shape.is_valid(id) for id in ("", "17", "x", "9" * 19)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("add_to_cart", {"product_id": 0}),
        ("add_to_cart", {"product_id": 2**63}),
        ("add_to_cart", {"quantity": 1001}),
        ("add_to_cart", {"quantity": "2"}),
        ("add_to_cart", {"unknown": 1}),
        ("create_product", {"price": "1.23456"}),
        ("create_product", {"price": "-1.00"}),
        ("create_product", {"price": 9.99}),
        ("create_product", {"currency": "eur"}),
        ("create_product", {"name": "  "}),
        ("create_product", {"name": "x" * 201}),
        ("create_product", {"name": "nul\x00"}),
        ("create_product", {"images": ["https://a.example/"] * 21}),
        ("create_product", {"attributes": {str(n): n for n in range(51)}}),
        ("create_product", {"attributes": {"": 1}}),
        ("create_product", {"stock": 10_000_001}),
        ("create_category", {"slug": "x" * 81}),
        ("add_address", {"country": "XX"}),
        ("add_address", {"line1": None}),
        ("pay_order", {"order_id": "1"}),
        ("pay_order", {"method": {"type": "card", "token": "4242424242424242"}}),
        ("change_order", {"shipping_address": None}),
        ("adjust_stock", {"delta": -10_000_001}),
    ],
)
def test_what_the_door_refuses_the_description_refuses(name, fault):
    """One change makes a good body a bad one, here and there."""
    good = OPERATIONS[name]["requestBody"]["content"]["application/json"]["example"]
    bad = good | fault
    assert validator(body_of(name)).is_valid(good)
    assert ROUTES[name].body().validate(bad)
    assert not validator(body_of(name)).is_valid(bad)


def test_optional_fields_may_be_null_where_the_door_takes_it():
    """In bodies and answers; in a query nothing is null."""
    address = OPERATIONS["add_address"]["requestBody"]["content"]["application/json"]["example"]
    assert validator(body_of("add_address")).is_valid(address | {"line2": None})
    types = [p["schema"]["type"] for p in OPERATIONS["list_products"]["parameters"]]
    assert all(isinstance(kind, str) for kind in types)


def test_the_page_is_made_of_files_that_are_there():
    """And of none from elsewhere."""
    static = pathlib.Path("gateway/static")
    page = (static / "docs.html").read_text()
    for name in FILES:
        assert (static / name).stat().st_size > 0
    assert "http:" not in page
    assert "https:" not in page
