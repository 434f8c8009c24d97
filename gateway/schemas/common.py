"""What several resources share."""

from __future__ import annotations

from marshmallow import validate

from chassis.fields import Id, IntegerText, Key, Request, String, Uuid
from chassis.web import Request as WebRequest
from chassis.web.openapi_components import IF_MATCH


class NumberInText(IntegerText, Id):
    """An `Id` in a path or query."""


class UserPath(Request):
    user_id = Uuid(required=True)


class ProductPath(Request):
    product_id = NumberInText(required=True)


class VariantPath(Request):
    variant_id = NumberInText(required=True)


class OrderPath(Request):
    order_id = Uuid(required=True)


class Keyed(Request):
    """Headers of a request that is safe to send again: of a `Key`, what a header can carry."""

    key = String(
        max=Key.MAX,
        data_key="Idempotency-Key",
        validate=validate.Regexp(
            rf"[\x21-\x7e]{{1,{Key.MAX}}}\Z", error=f"1 to {Key.MAX} visible ASCII characters."
        ),
        metadata={
            "description": "A key of your choice, such as a UUID. A repeat with the same key is"
            " not done again: it gets the answer of the first.",
        },
    )


class Conditional(Request):
    """Headers of a deletion that may be refused when somebody has written meanwhile."""

    tags = String(
        max=IF_MATCH["schema"]["maxLength"],
        data_key="If-Match",
        metadata={"description": IF_MATCH["description"]},
    )


class Resumed(Request):
    """Headers of a stream that goes on where an earlier one broke off."""

    last = String(
        max=18,
        data_key="Last-Event-ID",
        validate=validate.Regexp(r"[0-9]{0,18}\Z", error="Not the id of an event."),
        metadata={
            "description": "The id of the last event that you have; the stream goes on after it.",
        },
    )


def idempotency_key(request: WebRequest) -> str | None:
    """The `Idempotency-Key` of a route whose headers are `Keyed`; None when absent."""
    return request.header("Idempotency-Key")


def last_event_id(request: WebRequest) -> int | None:
    """The `Last-Event-ID` of a route whose headers are `Resumed`; None when absent or empty."""
    sent = request.header("Last-Event-ID")
    return int(sent) if sent else None
