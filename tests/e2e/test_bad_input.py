"""Garbage at every route: a clear answer for the sender, never a 5xx."""

import http.client
import json

import pytest
import requests

from gateway.schemas.payments import ProviderEvent
from tests.e2e.client import ROUTES, filled

WRITING = [name for name, entry in ROUTES.items() if entry.body]
READING = [name for name, entry in ROUTES.items() if entry.method == "GET"]

VALUES = [
    None,
    True,
    0,
    -1,
    2**63,
    10**300,
    1e308,
    0.1,
    "",
    " ",
    "a\0b",
    "\u202e\ufeff",
    "\x7f\x1b[31m",
    "9" * 5000,
    "a" * 200_000,
    "' OR 1=1 --",
    [],
    [[]],
    ["a"] * 10_000,
    {},
    {"__type__": "decimal", "__value__": "1"},
    {"a": {"b": {"c": {"d": 1}}}},
]


@pytest.mark.parametrize("name", WRITING)
def test_no_value_of_any_field_makes_a_5xx(shop, name):
    """Each field of each body in turn with each kind of nonsense, by somebody who may."""
    entry = ROUTES[name]
    path = filled(entry.path)
    for field in [f.data_key or n for n, f in entry.body().fields.items()]:
        for value in VALUES:
            status, body = _answer(shop.admin, entry.method, path, {field: value})
            assert status < 500, (field, value, body)


@pytest.mark.parametrize("name", WRITING)
def test_a_type_tag_is_an_unknown_field(shop, name):
    """`{"__type__": ...}` is data like any other: 422, and the call does not hang (NAMEKO.md)."""
    entry = ROUTES[name]
    body = {"__type__": "decimal", "__value__": "1"}
    problem = shop.admin.call(entry.method, filled(entry.path), body, 422)
    # What a provider adds to its events is none of our business.
    assert ("__type__" in problem["errors"]) != (entry.body is ProviderEvent)


@pytest.mark.parametrize("name", READING)
def test_no_query_makes_a_5xx(shop, name):
    """Each query field in turn, and unknown ones."""
    entry = ROUTES[name]
    known = [f.data_key or n for n, f in entry.query().fields.items()] if entry.query else []
    for field in [*known, "limit", "unknown", "__type__"]:
        for value in ("", "%00", "%ff", "0", "-1", "9" * 400, "a" * 3000, "null", "%F0%9F%92%A9"):
            path = f"{filled(entry.path)}?{field}={value}"
            status, body = _answer(shop.admin, entry.method, path)
            assert status < 500, (field, value, body)


@pytest.mark.parametrize("name", [name for name, entry in ROUTES.items() if "{" in entry.path])
def test_an_id_of_the_wrong_form_is_refused(shop, name):
    """404 or 422 before any service is asked for it."""
    entry = ROUTES[name]
    start, _, rest = entry.path.partition("{")
    rest = rest.partition("}")[2]
    body = {} if entry.body else None
    for value in ("0", "-1", "x", "%00", "9" * 40, "null", "%27", "1e3", "a" * 4000):
        path = f"{start}{value}{rest}"
        answer = requests.request(
            entry.method,
            shop.url + path,
            json=body,
            headers={"Authorization": f"Bearer {shop.admin.token}"},
            timeout=10,
        )
        assert answer.status_code in (404, 405, 422), (path, answer.text)


def test_a_cursor_is_not_trusted(shop):
    """One of another list, a cut one, one made up: 422."""
    for _ in range(2):
        shop.product()
    users = shop.admin.get("/api/users?limit=1")["next"]
    products = shop.nobody.get("/api/products?limit=1")["next"]
    for cursor in (users, products[:-2], products + "A", "W10", "bnVsbA", "e30"):
        shop.nobody.get(f"/api/products?cursor={cursor}", 422)
    shop.admin.get(f"/api/users?cursor={products}", 422)
    shop.nobody.get("/api/products?limit=1&sort=price&cursor=" + products, 422)


def test_bytes_that_are_no_json_are_a_400(shop):
    """Of whatever kind."""
    for raw in (b"{", b"\xff\xfe", b"[]", b'{"a":1,"a":2}', b"\0", b"<xml/>", b"a=b"):
        answer = requests.post(
            shop.url + "/api/users/login",
            data=raw,
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json"), raw


def test_a_body_may_come_in_chunks(shop):
    """Without a length, as streaming clients send it."""
    host, _, port = shop.config["WEB_SERVER_ADDRESS"].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    line = json.dumps({"variant_id": 2**60, "quantity": 1}).encode()
    headers = {"Content-Type": "application/json"}
    parts = [b'{"items":', b"[", line, b"]}"]
    connection.request("POST", "/api/inventory/check", iter(parts), headers, encode_chunked=True)
    assert json.loads(connection.getresponse().read())["items"][0]["available"] is False
    connection.close()


def test_the_trace_of_a_request_is_in_the_timeline(shop, eventually):
    """From `traceparent` through the RPCs to what an operator looks at."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    buyer, product = shop.customer(), shop.product()
    order = shop.order(buyer, product)
    method = {"type": "card", "token": "tok_visa"}
    body = {"order_id": order["id"], "method": method}
    buyer.post("/api/payments", body, 201, headers=headers)

    def traced():
        entries = buyer.get(f"/api/orders/{order['id']}/timeline")["items"]
        return {e["kind"] for e in entries if e["trace_id"] == trace_id}

    eventually(lambda: traced() >= {"payment", "stock", "order", "mail"})


def _answer(client, method, path, body=None):
    """The status and the body. An answer that came too late is asked for once more: it says that
    the machine was busy, unless this input makes it late each time."""
    for _ in range(2):
        answer = client.call(method, path, body, expect=None)
        if client.answer.status_code != 504:
            break
    return client.answer.status_code, answer
