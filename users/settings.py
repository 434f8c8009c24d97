"""Settings of the service `users`."""

from marshmallow import Schema, fields, validate

from chassis.fields import Country


def _between(low: int, high: int) -> validate.Range:
    return validate.Range(min=low, max=high)


class UsersSettings(Schema):
    """Section `users` of config.yaml."""

    #: The country of phone numbers without a country code, where the user's address tells none.
    default_country = Country(load_default="US")
    #: Seconds that an access token holds: the deletion of a customer takes this long to be felt.
    access_token_seconds = fields.Integer(load_default=900, validate=_between(60, 3600))
    #: Seconds that an unused refresh token holds.
    refresh_token_seconds = fields.Integer(
        load_default=30 * 86400, validate=_between(3600, 365 * 86400)
    )
    #: Seconds in which a used refresh token may come again, for a client that lost the answer.
    refresh_grace_seconds = fields.Integer(load_default=10, validate=_between(0, 10))
