"""What inventory is asked."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from chassis.fields import (
    ActorField,
    Id,
    Integer,
    List,
    Page,
    Quantity,
    Request,
    Text,
    Timestamp,
    Uuid,
)
from contracts.inventory.fields import MAX_LINES
from contracts.products.fields import MAX_ON_HAND


class GetStock(Request):
    """get: the counters of one product."""

    variant_id = Id(required=True)


class Adjust(Request):
    """adjust: `delta` more or fewer, or `on_hand` as counted, if the stock is at `version`."""

    variant_id = Id(required=True)
    delta = Integer(min=-MAX_ON_HAND, max=MAX_ON_HAND)
    on_hand = Quantity(min=0, max=MAX_ON_HAND)
    reason = Text(max=200, required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("delta" in data) == ("on_hand" in data):
            raise ValidationError("Give either delta or on_hand.", "delta")


class ListMovements(Page):
    """movements: a product's ledger, newest first."""

    variant_id = Id(required=True)


class Line(Request):
    """So many of a product."""

    variant_id = Id(required=True)
    quantity = Quantity(required=True)


class Check(Request):
    """check: whether all these could be ordered now."""

    items = List(fields.Nested(Line), required=True, min=1, max=MAX_LINES)


class Reserve(Request):
    """reserve: hold all lines for the order until then, or none."""

    order_id = Uuid(required=True)
    lines = List(fields.Nested(Line), required=True, min=1, max=MAX_LINES)
    expires_at = Timestamp(required=True)


class Commit(Request):
    """commit: the order is paid, so what it holds is gone for good."""

    order_id = Uuid(required=True)


class Release(Request):
    """release: the order gives back what it has, and will get nothing more."""

    order_id = Uuid(required=True)
    reason = Text(max=200, load_default="released")
