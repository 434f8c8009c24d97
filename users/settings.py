"""Settings of the service `users`."""

from marshmallow import Schema, fields, validate

from chassis.fields import Country


def _between(low: int, high: int) -> validate.Range:
    return validate.Range(min=low, max=high)


class UsersSettings(Schema):
    """Section `users` of config.yaml."""

    #: The country of phone numbers without a country code, where the user's address tells none.
    default_country = Country(load_default="US")
    #: Seconds that an access token holds; ended sessions are told to the gateways besides.
    access_token_seconds = fields.Integer(load_default=900, validate=_between(60, 3600))
    #: Seconds that an unused refresh token holds.
    refresh_token_seconds = fields.Integer(
        load_default=30 * 86400, validate=_between(3600, 365 * 86400)
    )
    #: Seconds in which a used refresh token may come again, for a client that lost the answer.
    refresh_grace_seconds = fields.Integer(load_default=10, validate=_between(0, 10))
    #: Seconds that the token of a mail for a new password holds.
    reset_token_seconds = fields.Integer(load_default=900, validate=_between(300, 3600))
    #: What the shop is called: a password made of it is refused.
    shop_names = fields.List(
        fields.String(validate=validate.Length(min=1, max=64)),
        load_default=list,
        validate=validate.Length(max=20),
    )
    #: The accounts of the sample data may be made, and their password, which everybody knows, opens
    #: them: only where no stranger comes by.
    sample_accounts = fields.Boolean(load_default=False)
    #: Seconds after which a session ends, however often it is refreshed.
    session_seconds = fields.Integer(load_default=90 * 86400, validate=_between(3600, 400 * 86400))
    #: The same for staff and admins.
    staff_session_seconds = fields.Integer(
        load_default=12 * 3600, validate=_between(3600, 400 * 86400)
    )
    #: Whether staff and admins need a second factor; without one they can only enrol then.
    staff_totp_required = fields.Boolean(load_default=False)
    #: Days that entries of the audit trail are kept.
    audit_retention_days = fields.Integer(load_default=400, validate=_between(90, 3650))
