"""What the gateway tells of itself: `/api/openapi.json` and the page at `/api/docs`."""

from __future__ import annotations

import hashlib
import pathlib

from nameko.extensions import DependencyProvider

from chassis.web import Answer, Route, route_table
from chassis.web.answers import JSON, dumps
from chassis.web.openapi import Manual, describe, tag_by_path
from gateway.glossary import ANSWERS, FIELDS
from gateway.samples import SAMPLES
from gateway.schemas.docs import FILES

_STATIC = pathlib.Path(__file__).parent / "static"
#: The page takes everything from us, and its requests go nowhere else.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

TAGS = {
    "users": "Sign-up, sessions, one's own profile and addresses; accounts, for admins.",
    "products": "The catalog: for everybody to read, for admins to write.",
    "categories": "The tree that products hang in.",
    "inventory": "Stock, and what moved it.",
    "carts": "One's own cart.",
    "orders": "From the cart to the door.",
    "payments": "Paying an order, and giving money back.",
    "notifications": "What users were told, by mail and in their feed.",
    "admin": "What does not move, and what staff do about it.",
    "platform": "Whether all is well, the keys that tokens are signed with, and this description.",
}

_INTRODUCTION = """\
An e-commerce back end.

Make an account (`sign_up`) or take one of the sample data, get tokens (`log_in`), and send the
access token as `Authorization: Bearer ...`. On this page: "Authorize".

Errors are problem documents (RFC 9457) with a stable `code`. Unknown fields are refused. Lists
come in pages: follow `next` or the header `Link`. Amounts are text with two places, moments are
RFC 3339 in UTC. What belongs to somebody else is "not found".
"""


def _tag_of(entry: Route) -> str:
    tag = tag_by_path(entry.path)
    return tag if tag in TAGS and not entry.path.endswith("/health") else "platform"


MANUAL = Manual(
    title="Shop API",
    version="1.0.0",
    description=_INTRODUCTION,
    tags=TAGS,
    tag_of=_tag_of,
    samples=SAMPLES,
    fields=FIELDS,
    answers=ANSWERS,
)


class Library(DependencyProvider):
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

    def get_dependency(self, worker_ctx: object) -> Library:
        return self

    def specification(self) -> Answer:
        return self._specification

    def page(self) -> Answer:
        return self._page

    def file(self, name: str) -> Answer:
        """A file of the page; `name` is one of `FILES`."""
        return self._files[name]


def _kept(content: bytes, media_type: str, headers: dict[str, str] | None = None) -> Answer:
    """What clients may keep, but have to ask about: it changes with the next release."""
    tag = hashlib.sha256(content).hexdigest()[:32]
    kept = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"} | (headers or {})
    return Answer(content, headers=kept, media_type=media_type)
