"""What orders is asked."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from chassis import countries
from chassis.fields import (
    ActorField,
    Choice,
    Country,
    Currency,
    Dict,
    Id,
    Key,
    List,
    Money,
    Page,
    PostalAddress,
    Quantity,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Url,
    Uuid,
)
from contracts.inventory.fields import MAX_LINES
from contracts.orders.enums import (
    STUCK,
    CheckoutState,
    FulfilmentState,
    PaymentStatus,
    Status,
    ZeroRate,
)
from contracts.orders.fields import MAX_QUANTITY, Percent
from contracts.orders.shipping import MethodCode
from contracts.products.fields import STANDARD, NamesVariant, TaxClass


class Item(NamesVariant):
    """So many of a variant, with the unit price that the buyer was shown."""

    quantity = Quantity(required=True, max=MAX_QUANTITY)
    price = Money(load_default=None, allow_none=True)


class Place(Request):
    """place: an order of `items`, or of the cart; `currency` is that of the prices and the total
    which the buyer was shown."""

    user_id = Uuid(required=True)
    items = List(fields.Nested(Item), min=1, max=MAX_LINES, load_default=None, allow_none=True)
    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    expected_total = Money(load_default=None, allow_none=True)
    currency = Currency(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The currency in which `price` and `expected_total` were shown."
            " Without it, for `items`, the shop's own; for the cart, that of its prices when they"
            " were put in."
        },
    )
    shipping_method = MethodCode(load_default=None, allow_none=True)
    key = Key(load_default=None, allow_none=True)


class OneOrder(Request):
    """get, hide, timeline, retry_checkout, undo_checkout: one order."""

    order_id = Uuid(required=True)
    actor = ActorField()


class ListOrders(Page):
    """list: orders, newest first; `from_` and `to` bound the moment of placing."""

    actor = ActorField()
    user_id = Uuid(load_default=None, allow_none=True)
    status = Choice(Status, load_default=None, allow_none=True)
    payment_status = Choice(PaymentStatus, load_default=None, allow_none=True)
    number = SingleLine(
        max=40,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The number of an order, with or without its hyphens; or the first"
            " eight characters of its id, by which older mails name it."
        },
    )
    search = Text(
        max=100,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "For staff: the number of an order, or words that are in the name, user"
            " name, e-mail address or phone number of its buyer, of whom the newest 100 count."
        },
    )
    from_ = Timestamp(load_default=None, allow_none=True)
    to = Timestamp(load_default=None, allow_none=True)


class Update(OneOrder):
    """update: another address, or the next status; `version` is the one that the caller knows."""

    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    status = Choice(Status, load_default=None, allow_none=True)
    version = Id(load_default=None, allow_none=True)

    json_schema = {"minProperties": 1}

    @validates_schema
    def _one_at_least(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("shipping_address") is None and data.get("status") is None:
            raise ValidationError("Give shipping_address or status.", "shipping_address")


class Cancel(OneOrder):
    """cancel: with the canceller's words, if any."""

    reason = Text(max=500, load_default=None, allow_none=True)


class Pay(OneOrder):
    """pay: `method` is read by payments alone; nobody else keeps or logs it."""

    method = Dict(keys=String(max=50), values=String(max=500), max=10, required=True)
    key = Key(load_default=None, allow_none=True)


class ListCheckouts(Page):
    """list_checkouts: those under way, the oldest first; `stuck` are those that should be over
    long ago."""

    actor = ActorField()
    state = Choice([*CheckoutState, STUCK], load_default=None, allow_none=True)


class Units(Request):
    """So many units of a line of an order."""

    line = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)


class Shipment(Request):
    """How a parcel travels."""

    carrier = SingleLine(max=100, load_default=None, allow_none=True)
    tracking_number = SingleLine(max=100, load_default=None, allow_none=True)
    tracking_url = Url(max=2000, load_default=None, allow_none=True)


class Fulfil(Shipment):
    """fulfil: a parcel with these units, of all that is left without `items`. It is on its way,
    unless it is only being packed."""

    order_id = Uuid(required=True)
    items = List(fields.Nested(Units), min=1, max=MAX_LINES, load_default=None, allow_none=True)
    location = SingleLine(max=40, load_default=None, allow_none=True)
    state = Choice(
        [FulfilmentState.PACKING, FulfilmentState.SHIPPED], load_default=FulfilmentState.SHIPPED
    )
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class OneFulfilment(Request):
    """get_fulfilment, cancel_fulfilment: one parcel."""

    fulfilment_id = Uuid(required=True)
    actor = ActorField()


class ListFulfilments(Page):
    """list_fulfilments: the parcels of an order, oldest first."""

    order_id = Uuid(required=True)
    actor = ActorField()


class UpdateFulfilment(OneFulfilment, Shipment):
    """update_fulfilment: how it travels (what is not sent stays, null removes), or that it has left
    or arrived; `version` is the one that the caller knows."""

    carrier = SingleLine(max=100, allow_none=True)
    tracking_number = SingleLine(max=100, allow_none=True)
    tracking_url = Url(max=2000, allow_none=True)
    state = Choice(
        [FulfilmentState.SHIPPED, FulfilmentState.DELIVERED], load_default=None, allow_none=True
    )
    version = Id(load_default=None, allow_none=True)

    json_schema = {"minProperties": 1}

    @validates_schema
    def _one_at_least(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("state") is None and not data.keys() & Shipment().fields.keys():
            raise ValidationError("Give state, carrier, tracking_number or tracking_url.", "state")


class CancelItems(OneOrder):
    """cancel_items: units that will not be shipped."""

    items = List(fields.Nested(Units), min=1, max=MAX_LINES, required=True)
    key = Key(load_default=None, allow_none=True)


class CreateTaxRate(Request):
    """create_tax_rate: from `valid_from` on (without it from now), and before `valid_until`, what
    has the tax class is taxed at `rate` percent in the country, or in a region of it."""

    country = Country(required=True)
    region = SingleLine(max=100, load_default=None, allow_none=True)
    tax_class = TaxClass(load_default=STANDARD)
    rate = Percent(required=True)
    label = SingleLine(max=100, required=True)
    reason = Choice(ZeroRate, load_default=None, allow_none=True)
    valid_from = Timestamp(load_default=None, allow_none=True)
    valid_until = Timestamp(load_default=None, allow_none=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()

    @validates_schema(skip_on_field_errors=True)
    def _has_a_reason(self, data: dict[str, Any], **kwargs: Any) -> None:
        if (data["rate"] == 0) != (data.get("reason") is not None):
            raise ValidationError("Give one for a rate of 0, and only for that.", "reason")

    @validates_schema(skip_on_field_errors=True)
    def _is_a_region(self, data: dict[str, Any], **kwargs: Any) -> None:
        region, known = data.get("region"), countries.rules_of(data["country"]).regions
        if region and known and countries.region(region, data["country"]) not in known.values():
            raise ValidationError("Not a region of this country.", "region")


class ListTaxRates(Page):
    """list_tax_rates: the newest first, with those that are over."""

    country = Country(load_default=None, allow_none=True)
    actor = ActorField()


class EndTaxRate(Request):
    """end_tax_rate: from `valid_until` on (without it from now) the rate holds no more."""

    tax_rate_id = Uuid(required=True)
    valid_until = Timestamp(load_default=None, allow_none=True)
    actor = ActorField()
