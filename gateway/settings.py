"""Settings of the gateway."""

from marshmallow import Schema, fields, validate


class IdentitySettings(Schema):
    """Section `identity` of config.yaml: what whoever signs and whoever verifies agree on."""

    issuer = fields.String(required=True, validate=validate.Length(min=1))
    audience = fields.String(required=True, validate=validate.Length(min=1))
