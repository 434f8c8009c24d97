"""The address book."""

from marshmallow import Schema, fields

from chassis.fields import AddressFields, Boolean, Id, PostalAddress, Uuid
from users.schemas.common import Get


class GetAddress(Get):
    address_id = Uuid(required=True)


class AddAddress(Get, PostalAddress):
    default = Boolean(load_default=None, allow_none=True)


class UpdateAddress(GetAddress, AddressFields):
    """update_address: what is other than it was has to be of its country (`users.addresses`)."""

    default = Boolean(load_default=None, allow_none=True)
    version = Id(load_default=None, allow_none=True)


class Address(Schema):
    id = fields.UUID()
    name = fields.String()
    company = fields.String()
    phone = fields.String()
    line1 = fields.String()
    line2 = fields.String()
    city = fields.String()
    region = fields.String()
    postal_code = fields.String()
    country = fields.String()
    default = fields.Boolean(attribute="is_default")
    version = fields.Integer()
