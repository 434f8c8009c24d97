"""The section `products` of config.yaml."""

from marshmallow import Schema, fields, validate

from chassis.fields import CurrencyInUse


class ProductsSettings(Schema):
    """How catalog and stock are kept."""

    #: Of prices that name none.
    currency = CurrencyInUse(load_default="EUR")
    #: At most this many expired reservations are freed in one transaction.
    sweep_batch = fields.Integer(load_default=100, validate=validate.Range(min=1, max=1000))
