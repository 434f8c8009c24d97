"""Bodies in and out; marshmallow refuses unknown fields by itself."""

from marshmallow import Schema, fields, validate

_Text = {"validate": validate.Length(min=1, max=200)}


class Product(Schema):
    id = fields.Integer()
    sku = fields.String()
    name = fields.String()
    description = fields.String()
    price = fields.Decimal(as_string=True)
    currency = fields.String()
    category_id = fields.Integer()
    images = fields.List(fields.String())
    attributes = fields.Dict()
    available = fields.Integer()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    version = fields.Integer()


class Item(Schema):
    product_id = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=1000))


class Address(Schema):
    line1 = fields.String(required=True, **_Text)
    line2 = fields.String(load_default=None, allow_none=True, **_Text)
    city = fields.String(required=True, **_Text)
    region = fields.String(load_default=None, allow_none=True, **_Text)
    postal_code = fields.String(required=True, **_Text)
    country = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{2}\Z"))


class NewOrder(Schema):
    items = fields.List(
        fields.Nested(Item), required=True, validate=validate.Length(min=1, max=100)
    )
    shipping_address = fields.Nested(Address, required=True)


class ListQuery(Schema):
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=100))
    search = fields.String(load_default=None, **_Text)


class Line(Schema):
    product_id = fields.Integer()
    name = fields.String()
    quantity = fields.Integer()
    unit_price = fields.Decimal(as_string=True)
    line_total = fields.Decimal(as_string=True)


class Order(Schema):
    id = fields.UUID()
    user_id = fields.UUID()
    status = fields.String()
    payment_status = fields.String()
    items = fields.List(fields.Nested(Line))
    total = fields.Decimal(as_string=True)
    currency = fields.String()
    shipping_address = fields.Nested(Address)
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    version = fields.Integer()
