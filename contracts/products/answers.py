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


class Category(Answer):
    id = Id(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    description = fields.String(required=True)
    parent_id = Id(required=True, allow_none=True)
    version = Id(required=True)


ProductPage = page_of(Product)
ProductList = items_of(Product)
CategoryList = items_of(Category)
