"""A client of the REST contract that checks the form of each answer before a test sees it."""

import re
import uuid

import requests
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from chassis import currencies
from tests.e2e.description import ROUTES, hold

PASSWORD = "a lamp beside the door"
ADDRESS = {
    "line1": "1 Main Street",
    "city": "Utrecht",
    "postal_code": "3511 AB",
    "country": "NL",
}

#: Headers of every answer, whatever it is.
SECURITY = {
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Content-Security-Policy",
    "Referrer-Policy",
    "Cross-Origin-Resource-Policy",
    "Strict-Transport-Security",
    "Cache-Control",
}
PRICED = {"price", "total", "amount", "refunded"}
#: What only a line of an order has, and a tax of one: their currency is the order's.
PARTS = {"line", "taxable"}
AMOUNTS = {
    "unit_price", "line_total", "subtotal", "discount", "shipping", "shipping_tax", "net", "tax",
    "taxable",
}  # fmt: skip
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_AMOUNT = re.compile(r"\d+(\.\d{1,4})?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")

_TEMPLATES = Map(
    Rule(entry.path.replace("{", "<").replace("}", ">"), methods=[entry.method], endpoint=name)
    for name, entry in ROUTES.items()
).bind("localhost")


class Client:
    """One person at the door, or nobody: `client.post("/api/orders", {...}, expect=201)`.

    Answers are held against the schema that the route declares, errors against RFC 9457. The
    methods return the body; `answer` is the whole of the last answer.
    """

    def __init__(self, url, token=None):
        self.url = url
        self.token = token
        self.user_id = None
        self.answer = None
        self._session = requests.Session()
        self._session.trust_env = False  # nobody's proxy; looking for one takes as long as sending

    def get(self, path, expect=200, **kwargs):
        return self.call("GET", path, None, expect, **kwargs)

    def post(self, path, body, expect=200, **kwargs):
        return self.call("POST", path, body, expect, **kwargs)

    def put(self, path, body, expect=200, **kwargs):
        return self.call("PUT", path, body, expect, **kwargs)

    def patch(self, path, body, expect=200, **kwargs):
        return self.call("PATCH", path, body, expect, **kwargs)

    def delete(self, path, expect=204, **kwargs):
        return self.call("DELETE", path, None, expect, **kwargs)

    def call(self, method, path, body=None, expect=200, headers=None):
        """The body of the answer, whose status has to be `expect` (None: any)."""
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        # A stream has no end to wait for; any other body is read when it is looked at.
        self.answer = self._session.request(
            method, self.url + path, json=body, headers=sent, timeout=30, stream=True
        )
        assert expect in (None, self.answer.status_code), (method, path, self.answer.text)
        return check_form(method, path, self.answer)

    def pages(self, path):
        """The items of all pages, following `Link`."""
        items = []
        while path:
            page = self.get(path)
            items += page["items"]
            path = self.answer.links.get("next", {}).get("url")
            assert bool(path) == bool(page["next"])
        return items

    def log_in(self, email):
        tokens = self.post("/api/users/login", {"email": email, "password": PASSWORD})
        self.token = tokens["access_token"]
        return tokens


def check_form(method, path, answer):
    """The answer's body, after a look at its form."""
    assert answer.headers["X-Request-ID"]
    assert set(answer.headers) >= SECURITY
    assert {"RateLimit", "RateLimit-Policy"} <= set(answer.headers)
    if answer.headers.get("Content-Type") == "text/event-stream":
        answer.close()
        return None
    try:
        name, _ = _TEMPLATES.match(path.partition("?")[0].removesuffix("/"), method)
    except HTTPException:
        return _check_problem(path, answer)
    hold(name, answer)
    if answer.status_code >= 400:
        return _check_problem(path, answer)
    if answer.status_code == 304:
        assert answer.headers["ETag"]
        assert answer.content == b""
        return None
    schema = ROUTES[name].answer
    if ROUTES[name].media_type != "application/json":
        return answer.content
    if schema is None:
        assert answer.content == b""
        return None
    faults = schema().validate(answer.json())
    assert not faults, (method, path, faults, answer.text)
    if name != "get_specification":  # whose examples are parts
        _check_notation(answer.json())
    return answer.json()


def _check_notation(value, key="", currency=None):
    """Amounts have the places of their currency, which is beside them or around them, moments are
    RFC 3339 in UTC."""
    if isinstance(value, list):
        for one in value:
            _check_notation(one, currency=currency)
    elif isinstance(value, dict):
        is_part = PARTS & value.keys()
        assert (
            key in ("detail", "attributes")
            or is_part
            or not PRICED & value.keys()
            or "currency" in value
        )
        for name, one in value.items():
            _check_notation(one, name, value.get("currency") or currency)
    elif value is not None:
        if key in PRICED | AMOUNTS:
            assert _AMOUNT.fullmatch(value), (key, value)
            if currency is not None:
                _, _, digits = value.partition(".")
                assert len(digits) == currencies.places(currency), (key, value, currency)
        if key.endswith("_at") or key in ("at", "since"):
            assert _MOMENT.fullmatch(value), (key, value)


def _check_problem(path, answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["instance"] == path.partition("?")[0]
    assert {"type", "title", "detail", "code", "request_id"} < set(document)
    assert _TRACE_ID.fullmatch(document["trace_id"])
    assert (answer.status_code in (429, 503)) == ("Retry-After" in answer.headers)
    assert (answer.status_code == 401) == ("WWW-Authenticate" in answer.headers)
    if answer.status_code == 422:
        assert all(isinstance(messages, list) for messages in document.get("errors", {}).values())
    return document


def new_email():
    return f"buyer-{uuid.uuid4().hex[:12]}@example.com"


def filled(path):
    """A path with ids of the right form that are nobody's."""
    for name in ("product_id", "variant_id", "option_id", "category_id"):
        path = path.replace(f"{{{name}}}", str(2**60))
    for name in (
        "user_id", "address_id", "session_id", "order_id", "payment_id", "tax_rate_id",
        "fulfilment_id", "zone_id", "method_id", "transfer_id", "id",
    ):  # fmt: skip
        path = path.replace(f"{{{name}}}", str(uuid.uuid4()))
    path = path.replace("{file}", "docs.css").replace("{provider}", "simulator")
    path = path.replace("{code}", "NOWHERE")
    return path
