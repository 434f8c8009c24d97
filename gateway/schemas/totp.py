"""The second factor."""

from marshmallow import fields, validate

from chassis.fields import Request, String
from gateway.schemas import common
from gateway.schemas.users import OpaqueToken, Password


class Code(String):
    """Six digits of an authenticator app, or a recovery code."""

    def __init__(self, **kwargs):
        form = validate.Regexp(r"[0-9A-Za-z -]{6,40}\Z", error="Not a code.")
        super().__init__(max=40, validate=form, **kwargs)


class LoginTotp(Request):
    """`challenge` as the problem `totp_required` of the login has it."""

    challenge = OpaqueToken(required=True)
    code = Code(required=True)


class TotpEnrolment(Request):
    current_password = Password(required=True)


class TotpConfirmation(Request):
    code = Code(required=True)


class TotpProof(TotpConfirmation):
    """Both factors."""

    current_password = Password(required=True)


class TotpSecret(common.Resource):
    """`secret` to type in, `uri` (otpauth) to show as a QR code."""

    secret = fields.String(required=True)
    uri = fields.String(required=True)


class NewRecoveryCodes(common.Resource):
    recovery_codes = fields.List(fields.String(), required=True)


class TotpState(common.Resource):
    """`required`: whether your role needs a second factor here."""

    enabled = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    recovery_codes_left = fields.Integer(required=True, strict=True)
