"""What inventory answers."""

from marshmallow import fields

from chassis.fields import (
    Answer,
    Choice,
    Currency,
    Id,
    Integer,
    Money,
    PlainAnswer,
    Quantity,
    Timestamp,
    Uuid,
    page_of,
)
from contracts.inventory.enums import MovementKind, ReservationState
from contracts.products.fields import Weight

#: What returns from cancelled orders may add to what can be set.
_MAX_STOCK = 2**31 - 1


class Stock(Answer):
    variant_id = Id(required=True)
    product_id = Id(required=True)
    on_hand = Integer(min=0, max=_MAX_STOCK, required=True)
    reserved = Integer(min=0, max=_MAX_STOCK, required=True)
    available = Integer(min=0, max=_MAX_STOCK, required=True)
    version = Id(required=True)


class Movement(Answer):
    id = Id(required=True)
    variant_id = Id(required=True)
    kind = Choice(MovementKind, required=True)
    delta_on_hand = fields.Integer(required=True, strict=True)
    delta_reserved = fields.Integer(required=True, strict=True)
    order_id = Uuid(required=True, allow_none=True)
    reason = fields.String(required=True)
    actor = Uuid(required=True, allow_none=True)
    at = Timestamp(required=True)


class CheckedLine(Answer):
    variant_id = Id(required=True)
    quantity = Quantity(required=True)
    available = fields.Boolean(required=True)


class Checked(Answer):
    items = fields.List(fields.Nested(CheckedLine), required=True)


class Reservation(PlainAnswer):
    """Null for `expires_at`: it was released before anything was reserved."""

    order_id = Uuid(required=True)
    state = Choice(ReservationState, required=True)
    expires_at = Timestamp(required=True, allow_none=True)


class ReservedLine(Answer):
    """A variant of the order, as it is sold now."""

    variant_id = Id(required=True)
    product_id = Id(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    options = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    tax_class = fields.String(required=True)
    weight_g = Weight(required=True)


class Reserved(Reservation):
    """A reservation with its variants, by their ids, at the prices of this moment."""

    lines = fields.List(fields.Nested(ReservedLine), required=True)


MovementPage = page_of(Movement)
