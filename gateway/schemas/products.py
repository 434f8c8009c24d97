"""The catalog and its stock."""

from marshmallow import ValidationError, fields, validates_schema

from chassis.fields import (
    BooleanText,
    Choice,
    Currency,
    CurrencyInUse,
    Dict,
    Id,
    Integer,
    List,
    Money,
    Page,
    Quantity,
    Request,
    SingleLine,
    Text,
    Timestamp,
    Url,
    Uuid,
)
from gateway.schemas import common

SORTS = ("name", "price", "-price", "-created_at", "relevance")
#: What stock may be set to; what comes back from cancelled orders may add to it.
_MAX_SET = 10_000_000
_MAX_STOCK = 2**31 - 1


def _images(**kwargs):
    return List(Url(max=500), max=20, **kwargs)


def _attributes(**kwargs):
    """A flat object; what its values may be, products says."""
    return Dict(keys=SingleLine(max=50), max=50, **kwargs)


class CategoryRef(fields.Field):
    """A category by its id (digits) or its slug, in a query."""

    def _deserialize(self, value, attr, data, **kwargs):
        if value.isdecimal():
            return common.NumberInText().deserialize(value)
        return SingleLine(max=100).deserialize(value)


class ProductQuery(Page):
    """`category` stands for its descendants too."""

    search = Text(max=200, min=0)
    category = CategoryRef(metadata={"json_schema": {"type": "string", "maxLength": 100}})
    currency = Currency()
    min_price = Money()
    max_price = Money()
    in_stock = BooleanText()
    sort = Choice(SORTS)


class ProductChange(Request):
    """PATCH: what is given changes."""

    sku = SingleLine(max=64)
    name = SingleLine(max=200)
    description = Text(max=5000, min=0)
    price = Money()
    currency = CurrencyInUse()
    category_id = Id(allow_none=True)
    images = _images()
    attributes = _attributes()


class WholeProduct(ProductChange):
    """PUT: what is not given is emptied; SKU and currency stay."""

    name = SingleLine(max=200, required=True)
    description = Text(max=5000, min=0, load_default="")
    price = Money(required=True)
    category_id = Id(allow_none=True, load_default=None)
    images = _images(load_default=list)
    attributes = _attributes(load_default=dict)


class NewProduct(WholeProduct):
    """POST: `stock` is what is on hand at first."""

    stock = Quantity(min=0, max=_MAX_SET)


class Product(common.Resource):
    id = Id(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    category_id = Id(required=True, allow_none=True)
    images = fields.List(fields.String(), required=True)
    attributes = fields.Dict(keys=fields.String(), required=True)
    available = Quantity(min=0, max=_MAX_STOCK, required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = Id(required=True)


class CategoryPath(Request):
    category_id = common.NumberInText(required=True)


class WholeCategory(Request):
    """POST and PUT; without `slug` one is made from the name, or stays."""

    name = SingleLine(max=100, required=True)
    slug = SingleLine(max=80)
    description = Text(max=2000, min=0, load_default="")
    parent_id = Id(allow_none=True, load_default=None)


class Category(common.Resource):
    id = Id(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    description = fields.String(required=True)
    parent_id = Id(required=True, allow_none=True)
    version = Id(required=True)


class Adjustment(Request):
    """Either `delta` (so many more or fewer) or `on_hand` (so many are there), and why."""

    delta = Integer(min=-_MAX_SET, max=_MAX_SET)
    on_hand = Quantity(min=0, max=_MAX_SET)
    reason = Text(max=200, required=True)

    @validates_schema
    def _one_of_both(self, data, **kwargs):
        if ("delta" in data) == ("on_hand" in data):
            raise ValidationError("Give either delta or on_hand.", "delta")


class Stock(common.Resource):
    product_id = Id(required=True)
    on_hand = Quantity(min=0, max=_MAX_STOCK, required=True)
    reserved = Quantity(min=0, max=_MAX_STOCK, required=True)
    available = Quantity(min=0, max=_MAX_STOCK, required=True)
    version = Id(required=True)


class Movement(common.Resource):
    id = Id(required=True)
    product_id = Id(required=True)
    kind = fields.String(required=True)
    delta_on_hand = fields.Integer(required=True, strict=True)
    delta_reserved = fields.Integer(required=True, strict=True)
    order_id = Uuid(required=True, allow_none=True)
    reason = fields.String(required=True)
    actor = Uuid(required=True, allow_none=True)
    at = Timestamp(required=True)


class Line(Request):
    product_id = Id(required=True)
    quantity = Quantity(required=True)


class Check(Request):
    items = List(fields.Nested(Line), required=True, min=1, max=common.MAX_ITEMS)


class CheckedLine(common.Resource):
    product_id = Id(required=True)
    quantity = Quantity(required=True)
    available = fields.Boolean(required=True)


class Checked(common.Resource):
    items = fields.List(fields.Nested(CheckedLine), required=True)


ProductPage = common.page_of(Product)
CategoryPage = common.page_of(Category)
MovementPage = common.page_of(Movement)
