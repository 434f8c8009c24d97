"""What products answers."""

from marshmallow import fields

from chassis.fields import (
    Answer,
    Currency,
    Id,
    Integer,
    Money,
    PlainAnswer,
    Timestamp,
    items_of,
    page_of,
)
from contracts.products.fields import MAX_VARIANTS, Weight


class Product(PlainAnswer):
    id = Id(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    category_id = Id(required=True, allow_none=True)
    images = fields.List(fields.String(), required=True)
    attributes = fields.Dict(keys=fields.String(), required=True)
    tax_class = fields.String(required=True)
    available = Integer(min=0, max=2**31 - 1, required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    version = Id(required=True)


class OptionValue(Answer):
    id = Id(required=True)
    value = fields.String(required=True)


class Option(Answer):
    id = Id(required=True)
    name = fields.String(required=True)
    values = fields.List(fields.Nested(OptionValue), required=True)


class Variant(PlainAnswer):
    """`price` and `sku` are the product's where the variant has none of its own."""

    id = Id(required=True)
    product_id = Id(required=True)
    sku = fields.String(required=True)
    options = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    inherits_price = fields.Boolean(required=True)
    weight_g = Weight(required=True)
    barcode = fields.String(required=True, allow_none=True)
    images = fields.List(fields.String(), required=True)
    position = Integer(min=1, max=MAX_VARIANTS, required=True)
    available = Integer(min=0, max=2**31 - 1, required=True)
    version = Id(required=True)


class DeletedVariant(Answer):
    """What a deleted variant was of."""

    product_id = Id(required=True)


class ProductDetail(Product):
    """A product with its variants."""

    options = fields.List(fields.Nested(Option), required=True)
    variants = fields.List(fields.Nested(Variant), required=True)


class AsSold(Answer):
    """What a variant is sold as, now; `is_only`: its product has no other."""

    product_id = Id(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    options = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    tax_class = fields.String(required=True)
    weight_g = Weight(required=True)
    is_only = fields.Boolean(required=True)


class SoldVariant(PlainAnswer, AsSold):
    """A variant as carts and orders show it; of one that was deleted nothing is available."""

    id = Id(required=True)
    available = Integer(min=0, max=2**31 - 1, required=True)
    deleted = fields.Boolean(required=True)


class Category(Answer):
    id = Id(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    description = fields.String(required=True)
    parent_id = Id(required=True, allow_none=True)
    version = Id(required=True)


ProductPage = page_of(Product)
ProductList = items_of(Product)
SoldVariantList = items_of(SoldVariant)
CategoryList = items_of(Category)
