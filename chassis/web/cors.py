"""Cross-origin requests: which pages of other origins may read our answers in a browser.

Nobody's, unless `web.cors.origins` names them. This guards the readers of answers, not us: who may
do what is decided by tokens, which browsers do not send by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from chassis.web.request_head import RequestHead

_ORIGIN = r"\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?"
_TOKEN = validate.Regexp(r"[A-Za-z0-9-]+\Z")


class CorsSettings(Schema):
    """Section `web.cors`; without origins nothing of this is ever sent."""

    #: Exactly as browsers send them, such as `https://shop.example`; `*` is everybody.
    origins = fields.List(
        fields.String(
            validate=validate.Regexp(
                re.compile(rf"(?:{_ORIGIN})\Z"), error="Not an origin like https://shop.example."
            )
        ),
        load_default=list,
    )
    methods = fields.List(
        fields.String(validate=_TOKEN),
        load_default=lambda: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    )
    #: What a page may send beyond what it always may.
    headers = fields.List(
        fields.String(validate=_TOKEN),
        load_default=lambda: [
            "Authorization",
            "Cache-Control",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Last-Event-ID",
            "X-Request-ID",
            "traceparent",
        ],
    )
    #: What a page may read beyond what it always may.
    exposed = fields.List(
        fields.String(validate=_TOKEN),
        load_default=lambda: [
            "ETag",
            "Idempotent-Replayed",
            "Link",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-ID",
        ],
    )
    #: Whether cookies and the like may be sent along; the API needs none.
    credentials = fields.Boolean(load_default=False)
    #: Seconds for which a browser need not ask again.
    max_age = fields.Integer(load_default=600, validate=validate.Range(min=0, max=86400))

    @validates_schema
    def check_credentials(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["credentials"] and "*" in data["origins"]:
            raise ValidationError("Not for every origin (*).", "credentials")


class Cors:
    """The headers for browsers, by the section `web.cors`."""

    def __init__(self, settings: Mapping[str, Any]):
        self._origins = frozenset(settings["origins"])
        self._common = []
        if settings["credentials"]:
            self._common.append(("Access-Control-Allow-Credentials", "true"))
        self._exposed = [("Access-Control-Expose-Headers", ", ".join(settings["exposed"]))]
        self._preflight = [
            ("Access-Control-Allow-Methods", ", ".join(settings["methods"])),
            ("Access-Control-Allow-Headers", ", ".join(settings["headers"])),
            ("Access-Control-Max-Age", str(settings["max_age"])),
        ]

    def headers(self, head: RequestHead) -> list[tuple[str, str]]:
        """Headers for the answer to this request."""
        if not self._origins:
            return []
        asks = is_preflight(head)
        # Also where nothing is allowed: a cache must not hand this answer to another origin.
        vary = "Origin"
        if asks:
            vary += ", Access-Control-Request-Method, Access-Control-Request-Headers"
        headers = [("Vary", vary)]
        origin = head.headers.get("origin")
        if origin and (origin in self._origins or "*" in self._origins):
            allowed = origin if origin in self._origins else "*"
            headers.append(("Access-Control-Allow-Origin", allowed))
            headers += self._common + (self._preflight if asks else self._exposed)
        return headers


def is_preflight(head: RequestHead) -> bool:
    """Whether a browser asks what it may send."""
    return (
        head.method == "OPTIONS"
        and "origin" in head.headers
        and "access-control-request-method" in head.headers
    )
