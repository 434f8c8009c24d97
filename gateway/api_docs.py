"""What the gateway tells of itself: `/api/openapi.json` and the page at `/api/docs`."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.web import Response, Route, route_table
from chassis.web.openapi import Manual, describe, tag_by_path
from chassis.web.responses import JSON, dumps
from gateway.access import ADMIN, ENROLLING, STAFF, USER
from gateway.examples import EXAMPLES
from gateway.field_descriptions import ANSWERS, FIELDS
from gateway.schemas.docs import FILES

_STATIC = pathlib.Path(__file__).parent / "static"
#: The page takes everything from us, and its requests go nowhere else.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

TAGS = {
    "users": "Sign-up, sign-in, sessions, profile and addresses; accounts, for staff and admins.",
    "products": "The catalog: everybody reads it, admins change it.",
    "categories": "The tree of categories that products are in.",
    "inventory": "Stock, and the ledger of its changes.",
    "locations": "Where stock lies and orders are shipped from.",
    "transfers": "Stock on its way from one location to another.",
    "carts": "The cart of the user who is signed in.",
    "orders": "Placing orders, following them, and cancelling them.",
    "tax-rates": "What is taxed how much, where and when.",
    "shipping-zones": "The addresses that the shop ships to, for admins.",
    "shipping-methods": "How the shop ships to a zone, and at which price, for admins.",
    "payments": "Paying orders, and refunds.",
    "notifications": "Messages to users, by mail and in their feed.",
    "audit": "Who did what to accounts, sessions, roles and keys.",
    "admin": "Checkouts that are under way or stuck, and what staff can do about them.",
    "platform": "Health, the public keys of access tokens, and this description.",
}

_INTRODUCTION = """\
An e-commerce back end.

Create an account (`sign_up`) or use one of the sample data, get tokens (`log_in`), and send the
access token with each request: `Authorization: Bearer ...`. On this page, paste it under
"Authorize".

Errors are problem documents (RFC 9457) with a stable `code`. Unknown fields are refused. Lists
come in pages: follow `next`, or the header `Link`. Amounts are text with the decimal places of
their currency ("9.99" EUR, "1200" JPY, "9.995" KWD), moments are RFC 3339 in UTC. What belongs to
somebody else is answered with 404.
"""


def _tag_of(entry: Route) -> str:
    tag = tag_by_path(entry.path)
    return tag if tag in TAGS and not entry.path.endswith("/health") else "platform"


_AUDIENCES: dict[Any, str] = {
    USER: "For users who are signed in.",
    ENROLLING: "For users who are signed in.",
    STAFF: "For staff and admins.",
    ADMIN: "For admins.",
}


MANUAL = Manual(
    title="Shop API",
    version="1.0.0",
    description=_INTRODUCTION,
    tags=TAGS,
    tag_of=_tag_of,
    audience_of=lambda entry: _AUDIENCES.get(entry.who, ""),
    samples=EXAMPLES,
    fields=FIELDS,
    answers=ANSWERS,
)


class ApiDocs(DependencyProvider):
    """Injects itself: the description and the page, made once when the service starts."""

    def setup(self) -> None:
        document = describe(route_table(self.container.service_cls), MANUAL)
        self._specification = _kept(dumps(document), JSON)
        page = {"Content-Security-Policy": _PAGE_POLICY}
        self._page = _kept((_STATIC / "docs.html").read_bytes(), "text/html; charset=utf-8", page)
        self._files = {
            name: _kept((_STATIC / name).read_bytes(), media_type)
            for name, media_type in FILES.items()
        }

    def get_dependency(self, worker_ctx: object) -> ApiDocs:
        return self

    def specification(self) -> Response:
        return self._specification

    def page(self) -> Response:
        return self._page

    def file(self, name: str) -> Response:
        """A file of the page; `name` is one of `FILES`."""
        return self._files[name]


def _kept(content: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """What clients may keep, but have to ask about: it changes with the next release."""
    tag = hashlib.sha256(content).hexdigest()[:32]
    kept = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"} | (headers or {})
    return Response(content, headers=kept, media_type=media_type)
