"""What holds for every route, read off the route table."""

import pytest
from marshmallow import RAISE, fields, validate

from chassis.fields import Answer
from chassis.web import route_table
from gateway.schemas.payments import CameBack, ProviderEvent
from gateway.service import GatewayService
from tests.unit.gateway.expected import WHO

ROUTES = route_table(GatewayService)
BOUNDING = (validate.Length, validate.Regexp, validate.OneOf, validate.Range)


def requests_of(entry):
    """The schemas of what a route takes."""
    return [s for s in (entry.path_schema, entry.query, entry.body) if s is not None]


def fields_of(schema, prefix=""):
    """All fields of a schema, nested ones too, by their dotted names."""
    for name, field in schema().fields.items():
        yield f"{prefix}{name}", field
        inner = field.inner if isinstance(field, fields.List) else field
        if inner is not field:
            yield f"{prefix}{name}[]", inner
        if isinstance(inner, fields.Nested):
            yield from fields_of(type(inner.schema), f"{prefix}{name}.")


def test_every_route_admits_whom_the_contract_says():
    """The table and the declarations agree, route by route."""
    declared = {f"{entry.method} {entry.path}": entry.who for entry in ROUTES.values()}
    assert declared == WHO


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_says_what_it_answers(name):
    """A schema for what comes back, unless nothing does."""
    entry = ROUTES[name]
    if entry.media_type == "application/json":
        assert (entry.answer is None) == (entry.status in (202, 204))
    if entry.answer:
        assert entry.answer.Meta.unknown == RAISE or issubclass(entry.answer, Answer)


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_refuses_what_it_does_not_know(name):
    """In path, query and body, at every depth; but what a provider writes grows as it likes."""
    for schema in requests_of(ROUTES[name]):
        if schema in (ProviderEvent, CameBack):
            continue
        assert schema.Meta.unknown == RAISE
        for path, field in fields_of(schema):
            if isinstance(field, fields.Nested):
                assert field.schema.unknown == RAISE, path


@pytest.mark.parametrize("name", ROUTES)
def test_everything_a_route_takes_is_bounded(name):
    """Text, lists and numbers have a limit, or a form that is one."""
    unbounded = []
    for schema in requests_of(ROUTES[name]):
        for path, field in fields_of(schema):
            free = isinstance(field, fields.String | fields.List | fields.Dict | fields.Number)
            free = free and not isinstance(field, fields.UUID)
            bounds = [v for v in field.validators if isinstance(v, BOUNDING) or callable(v)]
            if free and not bounds:
                unbounded.append(path)
    assert unbounded == []
