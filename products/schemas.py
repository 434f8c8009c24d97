"""What the services are asked, what they answer, and what they need of others' events."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Currency,
    CurrencyInUse,
    Expected,
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
from products.catalog.attributes import Attributes
from products.catalog.listing_sql import ORDERS
from products.catalog.naming import MAX_SLUG
from products.stock.adjustment import MAX_ON_HAND
from products.stock.reservations import Kind

#: So many products are asked for, or lines reserved, in one call.
MAX_LINES = 100
MAX_IDS = 200

_SLUG = validate.Regexp(r"(?=[0-9-]*[a-z])[a-z0-9]+(-[a-z0-9]+)*\Z", error="Not a slug.")
_SKU = validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z", error="Not a SKU.")


class Slug(SingleLine):
    def __init__(self, **kwargs: Any):
        super().__init__(max=MAX_SLUG, validate=_SLUG, **kwargs)


class Sku(SingleLine):
    def __init__(self, **kwargs: Any):
        super().__init__(max=64, validate=_SKU, **kwargs)


class CategoryRef(fields.Field):
    """An id or a slug; digits are an id."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int | str:
        if not isinstance(value, str):
            return Id().deserialize(value)
        slug = SingleLine(max=MAX_SLUG).deserialize(value)
        return Id().deserialize(int(slug)) if slug.isdecimal() else slug


# --- asked of `products`


class ListProducts(Page):
    search = Text(max=200, min=0, load_default=None, allow_none=True)
    category = CategoryRef(load_default=None, allow_none=True)
    currency = Currency(load_default=None, allow_none=True)
    min_price = Money(load_default=None, allow_none=True)
    max_price = Money(load_default=None, allow_none=True)
    in_stock = Boolean(load_default=None, allow_none=True)
    sort = Choice(ORDERS, load_default=None, allow_none=True)


class GetProduct(Request):
    product_id = Id(required=True)


class GetProducts(Request):
    ids = List(Id(), max=MAX_IDS)
    skus = List(Sku(), max=MAX_IDS)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give either ids or skus.", "ids")


class ProductFields(Request):
    """What a product may be given."""

    sku = Sku()
    name = SingleLine(max=200)
    description = Text(max=5000, min=0)
    price = Money()
    currency = CurrencyInUse()
    category_id = Id(allow_none=True)
    images = List(Url(max=500), max=20)
    attributes = Attributes()


class CreateProduct(ProductFields):
    name = SingleLine(max=200, required=True)
    description = Text(max=5000, min=0, load_default="")
    price = Money(required=True)
    category_id = Id(allow_none=True, load_default=None)
    images = List(Url(max=500), max=20, load_default=list)
    attributes = Attributes(load_default=dict)
    stock = Quantity(min=0, max=MAX_ON_HAND, load_default=0)
    actor = ActorField()


class UpdateProduct(ProductFields):
    product_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteProduct(GetProduct):
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class GetCategory(Request):
    category_id = Id(required=True)


class CategoryFields(Request):
    name = SingleLine(max=100)
    slug = Slug()
    description = Text(max=2000, min=0)
    parent_id = Id(allow_none=True)


class CreateCategory(CategoryFields):
    name = SingleLine(max=100, required=True)
    description = Text(max=2000, min=0, load_default="")
    parent_id = Id(allow_none=True, load_default=None)
    actor = ActorField()


class UpdateCategory(CategoryFields):
    category_id = Id(required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


class DeleteCategory(GetCategory):
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()


# --- asked of `inventory`


class GetStock(Request):
    product_id = Id(required=True)


class Adjust(Request):
    product_id = Id(required=True)
    delta = Integer(min=-MAX_ON_HAND, max=MAX_ON_HAND)
    on_hand = Quantity(min=0, max=MAX_ON_HAND)
    reason = Text(max=200, required=True)
    version = Id(load_default=None, allow_none=True)
    actor = ActorField()

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("delta" in data) == ("on_hand" in data):
            raise ValidationError("Give either delta or on_hand.", "delta")


class Movements(Page):
    product_id = Id(required=True)


class Line(Request):
    product_id = Id(required=True)
    quantity = Quantity(required=True)


class Check(Request):
    items = List(fields.Nested(Line), required=True, min=1, max=MAX_LINES)


class Reserve(Request):
    order_id = Uuid(required=True)
    lines = List(fields.Nested(Line), required=True, min=1, max=MAX_LINES)
    expires_at = Timestamp(required=True)


class Commit(Request):
    order_id = Uuid(required=True)


class Release(Request):
    order_id = Uuid(required=True)
    reason = Text(max=200, load_default="released")


# --- what the answers hold


class ProductAnswer(Request):
    id = Id(required=True)
    sku = Sku(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    category_id = Id(required=True, allow_none=True)
    images = fields.List(Url(max=500), required=True)
    attributes = Attributes(required=True)
    available = Quantity(min=0, max=2**31 - 1, required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = Id(required=True)


class CategoryAnswer(Request):
    id = Id(required=True)
    name = fields.String(required=True)
    slug = Slug(required=True)
    description = fields.String(required=True)
    parent_id = Id(required=True, allow_none=True)
    version = Id(required=True)


class StockAnswer(Request):
    product_id = Id(required=True)
    on_hand = Quantity(min=0, max=2**31 - 1, required=True)
    reserved = Quantity(min=0, max=2**31 - 1, required=True)
    available = Quantity(min=0, max=2**31 - 1, required=True)
    version = Id(required=True)


class MovementAnswer(Request):
    id = Id(required=True)
    product_id = Id(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in Kind]))
    delta_on_hand = fields.Integer(required=True)
    delta_reserved = fields.Integer(required=True)
    order_id = Uuid(required=True, allow_none=True)
    reason = fields.String(required=True)
    actor = Uuid(required=True, allow_none=True)
    at = Timestamp(required=True)


class ReservationAnswer(Request):
    order_id = Uuid(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["reserved", "committed", "released"])
    )
    expires_at = Timestamp(required=True, allow_none=True)


# --- needed of `orders`


class OrderCancelled(Expected):
    order_id = Uuid(required=True)


# --- told to whoever listens


class ProductsChanged(Schema):
    """catalog_changed, stock_changed: products that look different now; None is all of them."""

    ids = fields.List(Id(), required=True, allow_none=True)


#: How the products themselves, who is in which list, or the categories look.
CATALOG_NEWS = {"catalog_changed": ProductsChanged}
#: How many there are.
STOCK_NEWS = {"stock_changed": ProductsChanged}
