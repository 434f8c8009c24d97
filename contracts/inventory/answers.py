"""What inventory answers."""

from marshmallow import fields

from chassis.fields import (
    Answer,
    Choice,
    Id,
    Integer,
    PlainAnswer,
    Quantity,
    Timestamp,
    Uuid,
    items_of,
    keyed,
    page_of,
)
from contracts.inventory.enums import MovementKind, ReservationState, TransferState
from contracts.inventory.fields import MAX_PRIORITY
from contracts.products.answers import AsSold

#: What returns from cancelled orders may add to what can be set.
_MAX_STOCK = 2**31 - 1


class StockAtLocation(Answer):
    location = fields.String(required=True)
    active = fields.Boolean(required=True)
    on_hand = Integer(min=0, max=_MAX_STOCK, required=True)
    reserved = Integer(min=0, max=_MAX_STOCK, required=True)
    available = Integer(min=0, max=_MAX_STOCK, required=True)


class Stock(Answer):
    """Of all locations together, and of each; `available` is what lies at active ones."""

    variant_id = Id(required=True)
    product_id = Id(required=True)
    on_hand = Integer(min=0, max=_MAX_STOCK, required=True)
    reserved = Integer(min=0, max=_MAX_STOCK, required=True)
    available = Integer(min=0, max=_MAX_STOCK, required=True)
    locations = fields.List(fields.Nested(StockAtLocation), required=True)
    version = Id(required=True)


class Movement(Answer):
    """`cause_id`: the parcel that left, or what moved it between locations."""

    id = Id(required=True)
    variant_id = Id(required=True)
    product_id = Id(required=True)
    location = fields.String(required=True)
    kind = Choice(MovementKind, required=True)
    delta_on_hand = fields.Integer(required=True, strict=True)
    delta_reserved = fields.Integer(required=True, strict=True)
    order_id = Uuid(required=True, allow_none=True)
    cause_id = Uuid(required=True, allow_none=True)
    reason = fields.String(required=True)
    actor = Uuid(required=True, allow_none=True)
    at = Timestamp(required=True)


class CheckedLine(Answer):
    """Null: there is no such variant, or the product that was named has none."""

    variant_id = Id(required=True, allow_none=True)
    product_id = Id(required=True, allow_none=True)
    quantity = Quantity(required=True)
    available = fields.Boolean(required=True)


class Checked(Answer):
    items = fields.List(fields.Nested(CheckedLine), required=True)


class Reservation(PlainAnswer):
    """Null for `expires_at`: it was released before anything was reserved."""

    order_id = Uuid(required=True)
    state = Choice(ReservationState, required=True)
    expires_at = Timestamp(required=True, allow_none=True)


class ReservedLine(AsSold):
    """A variant of the order."""

    variant_id = Id(required=True)


class Allocated(Answer):
    """So many of a variant, from a location."""

    variant_id = Id(required=True)
    location = fields.String(required=True)
    quantity = Integer(min=1, max=_MAX_STOCK, required=True)


class Reserved(Reservation):
    """A reservation with its variants, by their ids, at the prices of this moment; and where they
    are shipped from."""

    lines = fields.List(fields.Nested(ReservedLine), required=True)
    allocation = fields.List(fields.Nested(Allocated), required=True)


class AllocatedLine(Allocated):
    """`open` of them are still to leave."""

    shipped = Integer(min=0, max=_MAX_STOCK, required=True)
    cancelled = Integer(min=0, max=_MAX_STOCK, required=True)
    open = Integer(min=0, max=_MAX_STOCK, required=True)


class Allocation(Answer):
    """Where an order is shipped from."""

    order_id = Uuid(required=True)
    state = Choice(ReservationState, required=True)
    items = fields.List(fields.Nested(AllocatedLine), required=True)


class Location(Answer):
    code = fields.String(required=True)
    name = fields.String(required=True)
    country = fields.String(required=True, allow_none=True)
    priority = Integer(min=0, max=MAX_PRIORITY, required=True)
    active = fields.Boolean(required=True)
    version = Id(required=True)


class TransferLine(Answer):
    variant_id = Id(required=True)
    sent = Integer(min=1, max=_MAX_STOCK, required=True)
    received = Integer(min=0, max=_MAX_STOCK, required=True)


class Transfer(Answer):
    """Stock between two locations. Of one that was cancelled, what had not been received is back
    where it came from."""

    id = Uuid(required=True)
    from_ = fields.String(required=True, attribute="from", data_key="from")
    to = fields.String(required=True)
    state = Choice(TransferState, required=True)
    reason = fields.String(required=True)
    items = fields.List(fields.Nested(TransferLine), required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = Id(required=True)


LocationList = items_of(Location)
TransferPage = page_of(Transfer)
MovementPage = page_of(Movement)
KeyedLocation = keyed(Location)
KeyedTransfer = keyed(Transfer)
