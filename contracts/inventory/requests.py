"""What inventory is asked."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Country,
    Id,
    Integer,
    Key,
    List,
    Page,
    Quantity,
    Request,
    SingleLine,
    Text,
    Timestamp,
    Uuid,
)
from contracts.inventory.enums import TransferState
from contracts.inventory.fields import MAX_LINES, MAX_PRIORITY, MAX_QUANTITY, LocationCode
from contracts.products.fields import MAX_ON_HAND, NamesVariant


class GetStock(Request):
    """get: the counters of one variant."""

    variant_id = Id(required=True)


class Adjust(Request):
    """adjust: `delta` more or fewer, or `on_hand` as counted, at a `location`, if the stock is at
    `version`. Without a location, `on_hand` is what all have together, and the difference is that
    of the preferred one that has any."""

    variant_id = Id(required=True)
    location = LocationCode(load_default=None, allow_none=True)
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
    """movements: a variant's ledger, newest first."""

    variant_id = Id(required=True)


class Line(Request):
    """So many of a variant."""

    variant_id = Id(required=True)
    quantity = Quantity(required=True)


class CheckedItem(NamesVariant):
    """So many of a variant, or of the only one of a product."""

    quantity = Quantity(required=True)


class Check(Request):
    """check: whether all these could be ordered now."""

    items = List(fields.Nested(CheckedItem), required=True, min=1, max=MAX_LINES)


class Reserve(Request):
    """reserve: hold all lines for the order until then, or none; near the `country` that it goes
    to, if that is known."""

    order_id = Uuid(required=True)
    lines = List(fields.Nested(Line), required=True, min=1, max=MAX_LINES)
    expires_at = Timestamp(required=True)
    country = Country(load_default=None, allow_none=True)


class Commit(Request):
    """commit: the order is paid, so what it holds is its own until it is shipped."""

    order_id = Uuid(required=True)


class Release(Request):
    """release: the order gives back what it has, and will get nothing more."""

    order_id = Uuid(required=True)
    reason = Text(max=200, load_default="released")


class GetAllocation(Request):
    """allocation: where an order is shipped from."""

    order_id = Uuid(required=True)


class Move(Request):
    """So many of a variant, from one location to another."""

    variant_id = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)
    from_ = LocationCode(required=True)
    to = LocationCode(required=True)


class Relocate(Request):
    """relocate: ship units of an order from other locations than they were promised at."""

    order_id = Uuid(required=True)
    items = List(fields.Nested(Move), required=True, min=1, max=MAX_LINES)
    actor = ActorField()


class LocationFields(Request):
    """`priority`: the smallest comes first; `country`: ISO 3166, orders there come from here."""

    name = SingleLine(max=100, required=True)
    country = Country(load_default=None, allow_none=True)
    priority = Integer(min=0, max=MAX_PRIORITY, load_default=100)
    active = Boolean(load_default=True)


class CreateLocation(LocationFields):
    """create_location: a place where stock can lie."""

    code = LocationCode(required=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class OneLocation(Request):
    """get_location."""

    code = LocationCode(required=True)


class UpdateLocation(Request):
    """update_location: what is given changes, if the location is at `version`."""

    code = LocationCode(required=True)
    name = SingleLine(max=100)
    country = Country(allow_none=True)
    priority = Integer(min=0, max=MAX_PRIORITY)
    active = Boolean()
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class SentLine(Request):
    """So many of a variant, on the way or arrived."""

    variant_id = Id(required=True)
    quantity = Quantity(required=True, max=MAX_ON_HAND)


class SendTransfer(Request):
    """send_transfer: stock leaves one location for another."""

    from_ = LocationCode(required=True)
    to = LocationCode(required=True)
    items = List(fields.Nested(SentLine), required=True, min=1, max=MAX_LINES)
    reason = Text(max=200, load_default="transfer")
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class OneTransfer(Request):
    """get_transfer."""

    transfer_id = Uuid(required=True)
    actor = ActorField()


class ReceiveTransfer(OneTransfer):
    """receive_transfer: what has arrived; all that is on the way if no items are given."""

    items = List(fields.Nested(SentLine), min=1, max=MAX_LINES, load_default=None, allow_none=True)
    key = Key(load_default=None, allow_none=True)


class ListTransfers(Page):
    """list_transfers: newest first."""

    actor = ActorField()
    state = Choice(TransferState, load_default=None, allow_none=True)
