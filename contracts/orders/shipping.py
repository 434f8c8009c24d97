"""Shipping: what is asked and answered about zones, methods and quotes."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from chassis.fields import (
    ActorField,
    Answer,
    Boolean,
    Country,
    Currency,
    CurrencyInUse,
    Id,
    Integer,
    Key,
    List,
    Money,
    Page,
    Request,
    SingleLine,
    String,
    Uuid,
    keyed,
    page_of,
)
from contracts.products.fields import STANDARD, TaxClass

#: Each checkout reads the currencies of the methods of all.
MAX_ZONES = 300
#: Parts of a zone; also parts of one country in all zones together.
MAX_MEMBERS = 300
#: Methods of one zone.
MAX_METHODS = 50
#: A hundred tons, in grams.
MAX_WEIGHT = 100_000_000
MAX_DAYS = 365

_CODE = validate.Regexp(r"[a-z0-9][a-z0-9_-]*\Z", error="Small letters, digits, - and _ only.")


class MethodCode(SingleLine):
    """By which buyers choose a method: `standard`, `express`."""

    def __init__(self, **kwargs: Any):
        super().__init__(max=50, validate=_CODE, **kwargs)


class ZoneMember(Request):
    """A country, a region of it, or a range of its postal codes: all that begin with one of them,
    or with what comes between."""

    country = Country(required=True)
    region = SingleLine(max=100, load_default=None, allow_none=True)
    postal_from = SingleLine(max=20, load_default=None, allow_none=True)
    postal_to = SingleLine(max=20, load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_one_of_three(self, data: dict[str, Any], **kwargs: Any) -> None:
        first, last = data.get("postal_from"), data.get("postal_to")
        if (first is None) != (last is None):
            raise ValidationError("A range has two ends.", "postal_to")
        if data.get("region") is not None and first is not None:
            raise ValidationError("Give a region or postal codes, not both.", "region")


class ZoneFields(Request):
    """What a zone may be given."""

    name = SingleLine(max=100)
    members = List(fields.Nested(ZoneMember), min=1, max=MAX_MEMBERS)


class CreateZone(ZoneFields):
    """create_shipping_zone: a repeat under `key` answers the first one."""

    name = SingleLine(max=100, required=True)
    members = List(fields.Nested(ZoneMember), min=1, max=MAX_MEMBERS, required=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class OneZone(Request):
    """get_shipping_zone: one zone."""

    zone_id = Uuid(required=True)
    actor = ActorField()


class UpdateZone(OneZone, ZoneFields):
    """update_shipping_zone: what is given, if the zone is at `version`; `members` replaces all."""

    version = Id(load_default=None, allow_none=True)


class DeleteZone(OneZone):
    """delete_shipping_zone: with its methods, if the zone is at `version`."""

    version = Id(load_default=None, allow_none=True)


class ListZones(Page):
    """list_shipping_zones: by name."""

    actor = ActorField()


class MethodFields(Request):
    """What a method may be given. Weights are in grams, both ends included; days are those until
    the delivery."""

    code = MethodCode()
    name = SingleLine(max=100)
    tax_class = TaxClass()
    currency = CurrencyInUse()
    price = Money()
    free_from = Money(allow_none=True)
    min_weight_g = Integer(min=0, max=MAX_WEIGHT)
    max_weight_g = Integer(min=0, max=MAX_WEIGHT, allow_none=True)
    min_days = Integer(min=0, max=MAX_DAYS, allow_none=True)
    max_days = Integer(min=0, max=MAX_DAYS, allow_none=True)
    active = Boolean()


class CreateMethod(MethodFields):
    """create_shipping_method: in the shop's currency unless it names one; a repeat under `key`
    answers the first one."""

    zone_id = Uuid(required=True)
    code = MethodCode(required=True)
    name = SingleLine(max=100, required=True)
    tax_class = TaxClass(load_default=STANDARD)
    price = Money(required=True)
    free_from = Money(allow_none=True, load_default=None)
    min_weight_g = Integer(min=0, max=MAX_WEIGHT, load_default=0)
    max_weight_g = Integer(min=0, max=MAX_WEIGHT, allow_none=True, load_default=None)
    min_days = Integer(min=0, max=MAX_DAYS, allow_none=True, load_default=None)
    max_days = Integer(min=0, max=MAX_DAYS, allow_none=True, load_default=None)
    active = Boolean(load_default=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class OneMethod(Request):
    """get_shipping_method: one method."""

    method_id = Uuid(required=True)
    actor = ActorField()


class UpdateMethod(OneMethod, MethodFields):
    """update_shipping_method: what is given, if the method is at `version`."""

    version = Id(load_default=None, allow_none=True)


class ListMethods(Page):
    """list_shipping_methods: by code; of one zone, if it is given."""

    zone_id = Uuid(load_default=None, allow_none=True)
    actor = ActorField()


class ZonePart(Answer):
    country = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    postal_from = fields.String(required=True, allow_none=True)
    postal_to = fields.String(required=True, allow_none=True)


class ShippingZone(Answer):
    id = Uuid(required=True)
    name = fields.String(required=True)
    members = fields.List(fields.Nested(ZonePart), required=True)
    version = Id(required=True)


class ShippingMethod(Answer):
    id = Uuid(required=True)
    zone_id = Uuid(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    tax_class = fields.String(required=True)
    currency = Currency(required=True)
    price = Money(required=True)
    free_from = Money(required=True, allow_none=True)
    min_weight_g = fields.Integer(required=True, strict=True)
    max_weight_g = fields.Integer(required=True, allow_none=True, strict=True)
    min_days = fields.Integer(required=True, allow_none=True, strict=True)
    max_days = fields.Integer(required=True, allow_none=True, strict=True)
    active = fields.Boolean(required=True)
    version = Id(required=True)


class ShippingQuote(Answer):
    """A method that carries what is in the cart to its address; `total` is what an order by it
    comes to, `free_from` is the price of goods
    from which it costs nothing."""

    code = String(max=50, required=True)
    name = fields.String(required=True)
    price = Money(required=True)
    total = Money(required=True)
    currency = Currency(required=True)
    free_from = Money(required=True, allow_none=True)
    min_days = fields.Integer(required=True, allow_none=True, strict=True)
    max_days = fields.Integer(required=True, allow_none=True, strict=True)


class ShippingQuotes(Answer):
    """The cheapest first; an order that names none is shipped by it."""

    items = fields.List(fields.Nested(ShippingQuote), required=True)


ShippingZonePage, ShippingMethodPage = page_of(ShippingZone), page_of(ShippingMethod)
KeyedShippingZone = keyed(ShippingZone)
KeyedShippingMethod = keyed(ShippingMethod)
