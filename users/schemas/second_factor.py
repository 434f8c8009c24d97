"""The second factor and its recovery codes."""

from marshmallow import Schema, fields

from chassis.fields import ActorField, String
from users.fields import Code, OpaqueToken, Password
from users.schemas.common import Get, Located


class LoginTotp(Located):
    """`code` of the authenticator app, or a recovery code."""

    challenge = OpaqueToken(required=True)
    code = Code(required=True)
    user_agent = String(max=512, load_default=None, allow_none=True)


class EnrolTotp(Get):
    current_password = Password(required=True)


class ConfirmTotp(Get, Located):
    code = Code(required=True)


class DisableTotp(ConfirmTotp):
    current_password = Password(required=True)


class RenewRecoveryCodes(DisableTotp):
    pass


class ResetTotp(Get, Located):
    actor = ActorField()


class TotpSecret(Schema):
    """For an authenticator app; `uri` is what a QR code shows."""

    secret = fields.String()
    uri = fields.String()


class RecoveryCodes(Schema):
    recovery_codes = fields.List(fields.String())


class TotpState(Schema):
    enabled = fields.Boolean()
    required = fields.Boolean()
    recovery_codes_left = fields.Integer()
